{% autoescape off %}TOPIC_ARN=arn:aws:sns:REGION:ACCOUNT:TOPIC

# Signed messages. The topic must stand in the feed's settings.
aws sns subscribe --topic-arn "$TOPIC_ARN" --protocol https --notification-endpoint '{{ address }}'

# Or raw delivery, once the subscription above is confirmed: it is opened by the secret alone.
aws sns subscribe --topic-arn "$TOPIC_ARN" --protocol https --attributes RawMessageDelivery=true \
  --notification-endpoint '{{ address }}?token={{ secret }}'{% endautoescape %}
