# Pokes: there is news of a tenant. They carry nothing else, and one that is lost loses nothing.

resource "google_pubsub_topic" "events" {
  name                       = local.events_topic
  message_retention_duration = "3600s"
  depends_on                 = [google_project_service.used]
}

resource "google_pubsub_topic" "dead" {
  name       = "perene-events-dead"
  depends_on = [google_project_service.used]
}

resource "google_pubsub_subscription" "deliver" {
  name                       = "perene-deliver-events"
  topic                      = google_pubsub_topic.events.id
  ack_deadline_seconds       = 120
  message_retention_duration = "3600s"

  push_config {
    push_endpoint = "${local.url["deliver_events"]}${local.functions["deliver_events"].path}/push"

    oidc_token {
      service_account_email = google_service_account.scheduler.email
      audience              = local.url["deliver_events"]
    }
  }

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "1s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 10
  }

  depends_on = [google_cloud_run_service_iam_member.scheduler]
}

# What couldn't be pushed is kept for a week, for a person to look at.
resource "google_pubsub_subscription" "dead" {
  name                       = "perene-events-dead"
  topic                      = google_pubsub_topic.dead.id
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}

# Who commits what the log tells may poke.
resource "google_pubsub_topic_iam_member" "poker" {
  for_each = local.pokers

  topic  = google_pubsub_topic.events.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.key].member
}

# Pub/Sub itself signs pushes, and moves what it can't push to the dead letters.
resource "google_service_account_iam_member" "push" {
  service_account_id = google_service_account.scheduler.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub
}

resource "google_pubsub_topic_iam_member" "dead" {
  topic  = google_pubsub_topic.dead.id
  role   = "roles/pubsub.publisher"
  member = local.pubsub
}

resource "google_pubsub_subscription_iam_member" "deliver" {
  subscription = google_pubsub_subscription.deliver.id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub
}

locals {
  events_topic = "perene-events"
  pokers       = toset(["frontend", "webhook", "sweep", "operator", "delivery"])
  pubsub       = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}
