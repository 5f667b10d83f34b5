resource "google_cloud_scheduler_job" "sweep" {
  for_each = local.scheduled

  name             = local.service[each.key]
  region           = var.region
  description      = "Perene ${each.value.path}"
  schedule         = lookup(var.schedules, each.key, each.value.schedule)
  time_zone        = var.time_zone
  attempt_deadline = "${each.value.timeout_seconds}s"

  # 409 says that another run is under way: it goes on where the last one stopped.
  retry_config {
    retry_count          = 2
    min_backoff_duration = "60s"
    max_backoff_duration = "600s"
    max_doublings        = 3
  }

  http_target {
    http_method = "POST"
    uri         = "${local.url[each.key]}${each.value.path}"

    oidc_token {
      service_account_email = google_service_account.scheduler.email
      audience              = local.url[each.key]
    }
  }

  depends_on = [google_cloud_run_service_iam_member.scheduler]
}
