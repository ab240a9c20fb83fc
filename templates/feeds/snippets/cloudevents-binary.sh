{% autoescape off %}curl --fail-with-body '{{ address }}' \
  -H 'Authorization: Bearer {{ secret }}' \
  -H 'Content-Type: application/json' \
  -H 'ce-specversion: 1.0' -H 'ce-id: 1' -H 'ce-source: /my/relay' -H 'ce-type: com.example.node' \
  -d '{"schema": "node-report/1", "provider": "aws", "account": "111122223333", "region": "eu-west-1",
       "instance_id": "i-0123456789abcdef0", "reports": [{"type": "heartbeat"}]}'{% endautoescape %}
