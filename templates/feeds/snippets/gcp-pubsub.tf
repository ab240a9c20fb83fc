{% autoescape off %}variable "project" { type = string }

resource "google_pubsub_topic" "spot_console" {
  project = var.project
  name    = "spot-console"
}

resource "google_logging_project_sink" "spot_console" {
  project                = var.project
  name                   = "spot-console"
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.spot_console.id}"
  filter                 = <<-FILTER
  {{ log_filter_indented }}
  FILTER
  unique_writer_identity = true
}

resource "google_pubsub_topic_iam_member" "sink" {
  project = var.project
  topic   = google_pubsub_topic.spot_console.name
  role    = "roles/pubsub.publisher"
  member  = google_logging_project_sink.spot_console.writer_identity
}

resource "google_service_account" "spot_console" {
  project      = var.project
  account_id   = "spot-console-push"
  display_name = "Signs what Pub/Sub sends to the spot console"
}

resource "google_pubsub_subscription" "spot_console" {
  project                    = var.project
  name                       = "spot-console"
  topic                      = google_pubsub_topic.spot_console.id
  ack_deadline_seconds       = 30
  message_retention_duration = "86400s"
  push_config {
    push_endpoint = "{{ address }}"
    oidc_token {
      service_account_email = google_service_account.spot_console.email
      audience              = "{{ address }}"
    }
  }
  retry_policy {
    minimum_backoff = "1s"
    maximum_backoff = "60s"
  }
}

output "service_account" {
  value = google_service_account.spot_console.email
}{% endautoescape %}
