# What everything else is made from: one map of functions, one list of settings.

locals {
  map       = jsondecode(file("${path.module}/../functions.json"))
  listed    = jsondecode(file("${path.module}/../settings.json"))
  functions = local.map.functions

  public    = { for name, each in local.functions : name => each if each.invoker == "public" }
  scheduled = { for name, each in local.functions : name => each if each.invoker == "scheduler" }
  trusts    = toset([for each in values(local.functions) : each.trust])
  informed  = setsubtract(local.trusts, ["nobody", "page"])

  service = { for name in keys(local.functions) : name => replace(name, "_", "-") }
  # Known before the service is there, so that a function can be told its own.
  url = { for name, service in local.service : name => "https://${service}-${data.google_project.this.number}.${var.region}.run.app" }

  database_path = "projects/${var.project}/databases/${var.firestore_database}"
}

data "google_project" "this" {
  project_id = var.project
}

resource "google_project_service" "used" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "compute.googleapis.com",
    "firebaserules.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ])

  service            = each.value
  disable_on_destroy = false
}
