{% autoescape off %}metadata() { curl -sf -H 'Metadata-Flavor: Google' "http://169.254.169.254/computeMetadata/v1/$1"; }
zone=$(metadata instance/zone) boot=$(cat /proc/sys/kernel/random/boot_id)
curl --fail-with-body '{{ address }}' -H 'Authorization: Bearer {{ secret }}' -H 'Content-Type: application/json' -d @- <<JSON
{"context": {"provider": "gcp", "account": "$(metadata project/project-id)", "zone": "${zone##*/}",
             "instance_id": "$(metadata instance/id)", "node_name": "$(metadata instance/name)", "boot_id": "$boot"},
 "path": "instance/preempted", "body": "$(metadata instance/preempted)"}
JSON{% endautoescape %}
