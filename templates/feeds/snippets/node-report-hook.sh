{% autoescape off %}started=$(date -u +%FT%TZ)
outcome=complete
/usr/local/bin/drain-this-node || outcome=failed
curl --fail-with-body --retry 3 '{{ address }}' \
  -H 'Authorization: Bearer {{ secret }}' -H 'Content-Type: application/json' \
  -d '{"schema": "node-report/1", "provider": "aws", "account": "111122223333", "region": "eu-west-1",
       "instance_id": "i-0123456789abcdef0", "reports": [{"type": "hook", "outcome": "'"$outcome"'",
       "started_at": "'"$started"'", "finished_at": "'"$(date -u +%FT%TZ)"'"}]}'{% endautoescape %}
