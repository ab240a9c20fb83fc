{% autoescape off %}compute() { curl -sf -H 'Metadata: true' "http://169.254.169.254/metadata/instance/compute/$1?api-version=2021-02-01&format=text"; }
boot=$(cat /proc/sys/kernel/random/boot_id)
document=$(curl -sf -H 'Metadata: true' 'http://169.254.169.254/metadata/scheduledevents?api-version=2020-07-01')
curl --fail-with-body '{{ address }}' -H 'Authorization: Bearer {{ secret }}' -H 'Content-Type: application/json' -d @- <<JSON
{"context": {"provider": "azure", "account": "$(compute subscriptionId)", "resource_group": "$(compute resourceGroupName)",
             "region": "$(compute location)", "instance_id": "$(compute name)", "node_name": "$(hostname)", "boot_id": "$boot"},
 "path": "scheduledevents", "body": $document}
JSON{% endautoescape %}
