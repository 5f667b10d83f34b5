resource "google_cloudfunctions2_function" "function" {
  for_each = local.functions

  name        = local.service[each.key]
  location    = var.region
  description = "Perene ${each.value.path}"

  build_config {
    runtime         = local.map.runtime
    entry_point     = each.key
    service_account = google_service_account.builder.id

    environment_variables = {
      GOOGLE_FUNCTION_SOURCE = "functions/${each.key}.py"
    }

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    available_memory                 = each.value.memory
    available_cpu                    = each.value.cpu
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = try(coalesce(var.instances[each.key].min), each.value.min_instances)
    max_instance_count               = try(coalesce(var.instances[each.key].max), each.value.max_instances)
    timeout_seconds                  = each.value.timeout_seconds
    service_account_email            = google_service_account.function[each.value.trust].email
    ingress_settings                 = each.value.invoker == "public" ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true

    environment_variables = merge(
      { PYTHONPATH = "/workspace" },
      each.value.trust == "nobody" ? {} : merge(
        # Settings are valid only as a whole: who may not know a secret gets a word in its place.
        contains(local.listed.secret["WEBHOOK_SECRET"], each.value.trust) ? {} : {
          for name, word in local.listed.placeholders : name => word
          if !(contains(var.secrets, name) && contains(try(local.listed.secret[name], []), each.value.trust))
        },
        # (A page tells how people sign in, so it has to see that there is a way.)
        each.value.trust == "page" && contains(var.secrets, "AUTH_HS256_SECRET") ? {
          AUTH_HS256_SECRET = local.listed.placeholders.WEBHOOK_SECRET
        } : {},
        local.environment,
        {
          SCHEDULER_AUDIENCE = local.url[each.key]
          SCHEDULER_EMAIL    = google_service_account.scheduler.email
        },
      ),
    )

    dynamic "secret_environment_variables" {
      for_each = toset([for name in var.secrets : name if contains(local.listed.secret[name], each.value.trust)])

      content {
        key        = secret_environment_variables.value
        project_id = var.project
        secret     = google_secret_manager_secret.setting[secret_environment_variables.value].secret_id
        version    = "latest"
      }
    }
  }

  depends_on = [
    google_project_iam_member.builder,
    google_project_iam_member.copies,
    google_secret_manager_secret_iam_member.reader,
    google_storage_bucket_iam_member.builder,
  ]
}

locals {
  environment = merge(
    var.settings,
    {
      AUTH_AUDIENCE        = var.auth_audience
      AUTH_ISSUER          = var.auth_issuer
      FIRESTORE_DATABASE   = var.firestore_database
      GOOGLE_CLOUD_PROJECT = var.project
      PUBLIC_URL           = "https://${var.domain}"
      SWEEP_JOBS           = "projects/${var.project}/locations/${var.region}/jobs"
    },
    var.auth_jwks_url == null ? {} : { AUTH_JWKS_URL = var.auth_jwks_url },
    var.operator_claim == null ? {} : { AUTH_OPERATOR_CLAIM = var.operator_claim },
    var.keep_media ? { MEDIA_BUCKET = local.media_bucket } : {},
    { for name, each in local.pushed : "${upper(each.topic)}_TOPIC" => "projects/${var.project}/topics/${local.topic[name]}" },
    length(var.cors_origins) == 0 ? {} : { CORS_ORIGINS = join(",", var.cors_origins) },
    length(var.embed_origins) == 0 ? {} : { EMBED_ORIGINS = join(",", var.embed_origins) },
  )
}

# Public at the edge: each checks its callers itself (tokens of people, of instances).
resource "google_cloud_run_service_iam_member" "public" {
  for_each = local.public

  location = var.region
  service  = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# Sweeps are for Scheduler's account alone; the code checks its token again.
resource "google_cloud_run_service_iam_member" "scheduler" {
  for_each = local.scheduled

  location = var.region
  service  = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler.member
}
