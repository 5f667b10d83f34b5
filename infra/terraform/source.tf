# One zip, made by `make package`; every function is started from it by its own file.

resource "google_storage_bucket" "source" {
  name                        = "${var.project}-perene-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      num_newer_versions = 10
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_storage_bucket_object" "source" {
  name   = "perene-${filesha256("${path.module}/../../dist/perene.zip")}.zip"
  bucket = google_storage_bucket.source.name
  source = "${path.module}/../../dist/perene.zip"
}
