{% autoescape off %}curl --fail-with-body '{{ address }}' \
  -H 'Authorization: Bearer {{ secret }}' \
  -H 'Content-Type: application/cloudevents-batch+json' \
  -d @events.json{% endautoescape %}
