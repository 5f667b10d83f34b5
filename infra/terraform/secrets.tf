# The secrets' names and who may read them. Their values are added by `make secrets` and are in no state.

resource "google_secret_manager_secret" "setting" {
  for_each = var.secrets

  secret_id = "perene-${lower(replace(each.value, "_", "-"))}"

  replication {
    auto {}
  }

  depends_on = [google_project_service.used]
}

locals {
  readers = merge([
    for name in var.secrets : {
      for trust in local.listed.secret[name] : "${name} ${trust}" => { name = name, trust = trust }
    }
  ]...)
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.readers

  secret_id = google_secret_manager_secret.setting[each.value.name].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.trust].member
}
