{% autoescape off %}gcloud compute operations list --format=json \
  --filter='operationType=(compute.instances.preempted compute.instances.guestTerminate compute.instances.hostError stop insert)
            AND insertTime>-P1D' |
  curl --fail-with-body '{{ address }}' -H 'Authorization: Bearer {{ secret }}' \
    -H 'Content-Type: application/json' --data-binary @-{% endautoescape %}
