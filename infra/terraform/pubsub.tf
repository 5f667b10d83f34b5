# Pokes: there is something for a function to do. They carry nothing else, and one that is lost loses nothing.

resource "google_pubsub_topic" "pushed" {
  for_each = local.pushed

  name                       = local.topic[each.key]
  message_retention_duration = "3600s"
  depends_on                 = [google_project_service.used]
}

resource "google_pubsub_topic" "dead" {
  name       = "perene-events-dead"
  depends_on = [google_project_service.used]
}

resource "google_pubsub_subscription" "pushed" {
  for_each = local.pushed

  name                       = "perene-${local.service[each.key]}"
  topic                      = google_pubsub_topic.pushed[each.key].id
  ack_deadline_seconds       = min(each.value.timeout_seconds, 600)
  message_retention_duration = "3600s"

  push_config {
    push_endpoint = "${local.url[each.key]}${each.value.path}/push"

    oidc_token {
      service_account_email = google_service_account.scheduler.email
      audience              = local.url[each.key]
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

# Who commits what the functions look for may poke.
resource "google_pubsub_topic_iam_member" "poker" {
  for_each = {
    for pair in setproduct(keys(local.pushed), local.pokers) : join(" ", pair) => { function = pair[0], trust = pair[1] }
  }

  topic  = google_pubsub_topic.pushed[each.value.function].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.value.trust].member
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

resource "google_pubsub_subscription_iam_member" "pushed" {
  for_each = local.pushed

  subscription = google_pubsub_subscription.pushed[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub
}

locals {
  pushed = { for name, each in local.functions : name => each if can(each.topic) }
  topic  = { for name, each in local.pushed : name => "perene-${each.topic}" }
  pokers = setsubtract(local.informed, ["feed"])
  pubsub = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

# Until there was a second topic, the only one had no key. (A grant that is made anew may be lost with the old one.)
moved {
  from = google_pubsub_topic.events
  to   = google_pubsub_topic.pushed["deliver_events"]
}

moved {
  from = google_pubsub_subscription.deliver
  to   = google_pubsub_subscription.pushed["deliver_events"]
}

moved {
  from = google_pubsub_subscription_iam_member.deliver
  to   = google_pubsub_subscription_iam_member.pushed["deliver_events"]
}

moved {
  from = google_pubsub_topic_iam_member.poker["frontend"]
  to   = google_pubsub_topic_iam_member.poker["deliver_events frontend"]
}

moved {
  from = google_pubsub_topic_iam_member.poker["webhook"]
  to   = google_pubsub_topic_iam_member.poker["deliver_events webhook"]
}

moved {
  from = google_pubsub_topic_iam_member.poker["sweep"]
  to   = google_pubsub_topic_iam_member.poker["deliver_events sweep"]
}

moved {
  from = google_pubsub_topic_iam_member.poker["operator"]
  to   = google_pubsub_topic_iam_member.poker["deliver_events operator"]
}

moved {
  from = google_pubsub_topic_iam_member.poker["delivery"]
  to   = google_pubsub_topic_iam_member.poker["deliver_events delivery"]
}
