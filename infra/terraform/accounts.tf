# One service account for each level of trust, and none has more than it needs.

resource "google_service_account" "function" {
  for_each = local.trusts

  account_id   = "perene-${each.key}"
  display_name = "Perene's functions: ${each.key}"
  depends_on   = [google_project_service.used]
}

# Documents of this database, nothing of its administration. Who serves pages gets none.
resource "google_project_iam_member" "documents" {
  for_each = local.informed

  project = var.project
  role    = "roles/datastore.user"
  member  = google_service_account.function[each.key].member

  condition {
    title      = "only-perenes-database"
    expression = "resource.name == \"${local.database_path}\""
  }
}

# An operator may start a sweep: Scheduler runs its job, and holds the connection.
resource "google_project_iam_member" "sweeps_now" {
  project = var.project
  role    = "roles/cloudscheduler.jobRunner"
  member  = google_service_account.function["operator"].member
}

resource "google_service_account" "scheduler" {
  account_id   = "perene-scheduler"
  display_name = "Starts Perene's sweeps and deliveries, and may do nothing else"
  depends_on   = [google_project_service.used]
}

resource "google_service_account" "builder" {
  account_id   = "perene-builder"
  display_name = "Builds Perene's functions"
  depends_on   = [google_project_service.used]
}

resource "google_project_iam_member" "builder" {
  for_each = toset(["roles/artifactregistry.writer", "roles/logging.logWriter"])

  project = var.project
  role    = each.value
  member  = google_service_account.builder.member
}

# A build reads its source from a copy, in a bucket that Cloud Functions makes with the first of them.
resource "google_project_iam_member" "copies" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.builder.member

  condition {
    title      = "only-the-sources-of-functions"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}\")"
  }
}

resource "google_storage_bucket_iam_member" "builder" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.builder.member
}
