{% autoescape off %}curl --fail-with-body '{{ address }}' \
  -H 'Authorization: Bearer {{ secret }}' -H 'Content-Type: application/json' \
  -d '{"schema": "node-report/1", "provider": "aws", "account": "111122223333", "region": "eu-west-1",
       "instance_id": "i-0123456789abcdef0", "reports": [{"type": "heartbeat"}]}'{% endautoescape %}
