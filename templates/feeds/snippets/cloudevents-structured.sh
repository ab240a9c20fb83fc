{% autoescape off %}curl --fail-with-body '{{ address }}' \
  -H 'Authorization: Bearer {{ secret }}' \
  -H 'Content-Type: application/cloudevents+json' \
  -d '{"specversion": "1.0", "id": "1", "source": "/my/relay", "type": "com.example.interruption",
       "data": {"id": "7bf73129-1428-4cd3-a780-95db273d1602", "source": "aws.ec2",
                "detail-type": "EC2 Spot Instance Interruption Warning",
                "account": "111122223333", "region": "eu-west-1", "time": "2026-03-11T14:31:40Z",
                "detail": {"instance-id": "i-0123456789abcdef0", "instance-action": "terminate"}}}'{% endautoescape %}
