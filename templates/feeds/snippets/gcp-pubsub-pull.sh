{% autoescape off %}gcloud pubsub subscriptions pull spot-console-pull --limit=100 --auto-ack --format=json |
  curl --fail-with-body '{{ address }}' -H 'Authorization: Bearer {{ secret }}' \
    -H 'Content-Type: application/json' --data-binary @-{% endautoescape %}
