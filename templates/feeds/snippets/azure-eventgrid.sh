{% autoescape off %}GROUP=PUT-THE-RESOURCE-GROUP-HERE
SUBSCRIPTION=$(az account show --query id --output tsv)
az eventgrid system-topic create --name spot-console --resource-group "$GROUP" --location global \
  --topic-type Microsoft.ResourceNotifications.HealthResources --source "/subscriptions/$SUBSCRIPTION"
az eventgrid system-topic event-subscription create --name spot-console --resource-group "$GROUP" \
  --system-topic-name spot-console --endpoint '{{ address }}' \
  --event-delivery-schema cloudeventschemav1_0 \
  --included-event-types{% for one in event_grid_types %} {{ one }}{% endfor %} \
  --delivery-attribute-mapping X-Api-Key static '{{ secret }}' true{% endautoescape %}
