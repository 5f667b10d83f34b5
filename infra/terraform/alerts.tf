# What a person is called for. Each policy's name is a heading of the runbook in infra/docs/operations.md.

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alert_emails)

  display_name = "Perene: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
  depends_on   = [google_project_service.used]
}

locals {
  channels = [for each in google_monitoring_notification_channel.email : each.id]
  ours     = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for service in values(local.service) : "\"${service}\""])})"
  runbook  = "See infra/docs/operations.md, \"Runbook\", under this policy's name."

  # `alert` and `cause` are stable: shared/alerts writes them, and nothing else does.
  incident = "${local.ours} AND jsonPayload.alert=true AND jsonPayload.message=(\"incident.raised\" OR \"incident.reminded\")"

  told = {
    "Incident, critical" = {
      filter = "${local.incident} AND severity=CRITICAL"
      labels = { cause = "EXTRACT(jsonPayload.cause)", subject = "EXTRACT(jsonPayload.subject)" }
    }
    "Incident, warning" = {
      filter = "${local.incident} AND severity=WARNING"
      labels = { cause = "EXTRACT(jsonPayload.cause)", subject = "EXTRACT(jsonPayload.subject)" }
    }
    "Configuration invalid" = {
      filter = "${local.ours} AND jsonPayload.message=\"configuration.invalid\""
      labels = { function = "EXTRACT(jsonPayload.function)", settings = "EXTRACT(jsonPayload.settings)" }
    }
    "Sweep not started" = {
      filter = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=(${join(" OR ", [for name in keys(local.scheduled) : "\"${local.service[name]}\""])}) AND severity>=ERROR"
      labels = { job = "EXTRACT(resource.labels.job_id)" }
    }
  }

  counted = {
    incidents = {
      filter = "${local.ours} AND jsonPayload.alert=true"
      labels = { cause = "EXTRACT(jsonPayload.cause)", news = "EXTRACT(jsonPayload.message)" }
    }
    failures = {
      filter = "${local.ours} AND jsonPayload.message=\"request.broke\""
      labels = { function = "EXTRACT(jsonPayload.function)" }
    }
    forged_webhooks = {
      filter = "${local.ours} AND jsonPayload.message=\"request.answered\" AND jsonPayload.problem=\"webhook-forged\""
      labels = {}
    }
    dead_letters = {
      filter = "${local.ours} AND jsonPayload.message=\"event.unreadable\""
      labels = { reason = "EXTRACT(jsonPayload.reason)" }
    }
    unkept_files = {
      filter = "${local.ours} AND jsonPayload.message=\"media.bucket_failed\""
      labels = {}
    }
    uncertain_sends = {
      filter = "${local.ours} AND jsonPayload.message=\"send.uncertain\""
      labels = {}
    }
    problems = {
      filter = "${local.ours} AND jsonPayload.message=\"request.answered\" AND jsonPayload.problem:*"
      labels = { function = "EXTRACT(jsonPayload.function)", problem = "EXTRACT(jsonPayload.problem)" }
    }
  }

  watched = {
    "Function failing" = {
      filter    = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND metric.labels.response_code_class=\"5xx\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      by        = ["resource.labels.service_name"]
      threshold = 20
      period    = "300s"
      duration  = "300s"
    }
    "Webhooks refused" = {
      filter    = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counted["forged_webhooks"].name}\" AND resource.type=\"cloud_run_revision\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      by        = []
      threshold = 20
      period    = "300s"
      duration  = "0s"
    }
    "Webhooks slow" = {
      filter    = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.service["receive_webhook"]}\""
      aligner   = "ALIGN_PERCENTILE_95"
      reducer   = "REDUCE_MAX"
      by        = []
      threshold = 10000
      period    = "300s"
      duration  = "300s"
    }
    "Dead letters" = {
      filter    = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counted["dead_letters"].name}\" AND resource.type=\"cloud_run_revision\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      by        = []
      threshold = 10
      period    = "3600s"
      duration  = "0s"
    }
    "Files not kept" = {
      filter    = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counted["unkept_files"].name}\" AND resource.type=\"cloud_run_revision\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      by        = []
      threshold = 10
      period    = "3600s"
      duration  = "0s"
    }
  }
}

resource "google_logging_metric" "counted" {
  for_each = local.counted

  name   = "perene/${each.key}"
  filter = each.value.filter

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  label_extractors = each.value.labels
  depends_on       = [google_project_service.used]
}

resource "google_monitoring_alert_policy" "told" {
  for_each = local.told

  display_name          = each.key
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = each.key

    condition_matched_log {
      filter           = each.value.filter
      label_extractors = each.value.labels
    }
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "300s"
    }
  }

  documentation {
    content   = local.runbook
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "watched" {
  for_each = local.watched

  display_name          = each.key
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = each.value.duration

      aggregations {
        alignment_period     = each.value.period
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = each.value.by
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = local.runbook
    mime_type = "text/markdown"
  }
}
