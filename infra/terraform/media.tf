# Files of messages, kept beyond the instances that brought them: one bucket, in which nothing is public.

resource "google_storage_bucket" "media" {
  count = var.keep_media ? 1 : 0

  name                        = local.media_bucket
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  # A copy under way, whose function was ended.
  lifecycle_rule {
    condition {
      age            = 1
      matches_suffix = [".incoming"]
    }
    action {
      type = "Delete"
    }
  }

  soft_delete_policy {
    retention_duration_seconds = var.media_undelete_days * 24 * 3600
  }

  dynamic "encryption" {
    for_each = var.media_key == null ? [] : [var.media_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.used]
}

resource "google_storage_bucket_iam_member" "media" {
  for_each = local.media_roles

  bucket = google_storage_bucket.media[0].name
  role   = each.value
  member = google_service_account.function[each.key].member
}

# Links to files are signed by the account that hands them out, as itself.
resource "google_service_account_iam_member" "links" {
  count = var.keep_media ? 1 : 0

  service_account_id = google_service_account.function["frontend"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.function["frontend"].member
}

locals {
  media_bucket = "${var.project}-perene-media"
  media_roles = var.keep_media ? {
    frontend = "roles/storage.objectViewer"
    media    = "roles/storage.objectUser"
    sweep    = "roles/storage.objectUser"
  } : {}
}
