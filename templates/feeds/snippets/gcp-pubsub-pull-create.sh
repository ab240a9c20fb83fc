{% autoescape off %}PROJECT=$(gcloud config get-value project)
gcloud pubsub topics create spot-console
gcloud logging sinks create spot-console "pubsub.googleapis.com/projects/$PROJECT/topics/spot-console" \
  --log-filter='{{ log_filter }}'
gcloud pubsub topics add-iam-policy-binding spot-console --role=roles/pubsub.publisher \
  --member="$(gcloud logging sinks describe spot-console --format='value(writerIdentity)')"
gcloud pubsub subscriptions create spot-console-pull --topic=spot-console --ack-deadline=60
gcloud iam service-accounts create spot-console-pull
gcloud pubsub subscriptions add-iam-policy-binding spot-console-pull --role=roles/pubsub.subscriber \
  --member="serviceAccount:spot-console-pull@$PROJECT.iam.gserviceaccount.com"
echo "projects/$PROJECT/subscriptions/spot-console-pull"{% endautoescape %}
