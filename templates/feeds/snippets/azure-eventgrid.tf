{% autoescape off %}variable "subscription_id" { type = string }
variable "resource_group" { type = string }

resource "azurerm_eventgrid_system_topic" "spot_console" {
  name                = "spot-console"
  resource_group_name = var.resource_group
  location            = "Global"
  source_resource_id  = "/subscriptions/${var.subscription_id}"
  topic_type          = "Microsoft.ResourceNotifications.HealthResources"
}

resource "azurerm_eventgrid_system_topic_event_subscription" "spot_console" {
  name                  = "spot-console"
  system_topic          = azurerm_eventgrid_system_topic.spot_console.name
  resource_group_name   = var.resource_group
  event_delivery_schema = "CloudEventSchemaV1_0"
  included_event_types = [
{% for one in event_grid_types %}    "{{ one }}",
{% endfor %}  ]
  webhook_endpoint {
    url = "{{ address }}"
  }
  delivery_property {
    header_name = "X-Api-Key"
    type        = "Static"
    value       = "{{ secret }}"
    secret      = true
  }
  retry_policy {
    max_delivery_attempts = 30
    event_time_to_live    = 1440
  }
}{% endautoescape %}
