{% autoescape off %}PROJECT=$(gcloud config get-value project)
gcloud pubsub topics create spot-console
gcloud logging sinks create spot-console "pubsub.googleapis.com/projects/$PROJECT/topics/spot-console" \
  --log-filter='{{ log_filter }}'
WRITER=$(gcloud logging sinks describe spot-console --format='value(writerIdentity)')
gcloud pubsub topics add-iam-policy-binding spot-console --member="$WRITER" --role=roles/pubsub.publisher
gcloud iam service-accounts create spot-console-push --display-name='Signs what Pub/Sub sends to the spot console'
gcloud pubsub subscriptions create spot-console --topic=spot-console --ack-deadline=30 \
  --push-endpoint='{{ address }}' \
  --push-auth-service-account="spot-console-push@$PROJECT.iam.gserviceaccount.com" \
  --push-auth-token-audience='{{ address }}' \
  --min-retry-delay=1s --max-retry-delay=60s{% endautoescape %}
