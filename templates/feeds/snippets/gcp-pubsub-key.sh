{% autoescape off %}gcloud iam service-accounts keys create spot-console-pull.json \
  --iam-account="spot-console-pull@$(gcloud config get-value project).iam.gserviceaccount.com"
cat spot-console-pull.json   # paste it into the feed's settings, then remove the file
rm spot-console-pull.json{% endautoescape %}
