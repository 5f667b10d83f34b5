output "project" {
  description = "The project that all of it is in."
  value       = var.project
}

output "address" {
  description = "The A record of the domain. The certificate becomes active once it points here."
  value       = google_compute_global_address.origin.address
}

output "origin" {
  description = "PUBLIC_URL: what frontends call, and where Evolution's webhooks go."
  value       = "https://${var.domain}"
}

output "certificate" {
  description = "Ask for its state: gcloud compute ssl-certificates describe NAME --global --format='value(managed.status)'"
  value       = google_compute_managed_ssl_certificate.origin.name
}

output "secrets" {
  description = "Secrets whose values `make secrets` adds, by setting."
  value       = { for name, secret in google_secret_manager_secret.setting : name => secret.secret_id }
}

output "functions" {
  description = "Each function's own address. Only the origin and Scheduler reach them there."
  value       = { for name, function in google_cloudfunctions2_function.function : name => function.service_config[0].uri }
}

output "scheduler" {
  description = "The account that starts the sweeps."
  value       = google_service_account.scheduler.email
}

output "sweeps" {
  description = "To start one now."
  value       = { for name, job in google_cloud_scheduler_job.sweep : name => "gcloud scheduler jobs run ${job.name} --project=${var.project} --location=${var.region}" }
}

output "dashboard" {
  description = "The dashboard, in Google Cloud's console."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(google_monitoring_dashboard.perene.id)}?project=${var.project}"
}

output "environment" {
  description = "The settings of this deployment, as `make doctor` reads them; secrets aren't among them."
  value       = join("", [for name, value in local.environment : "${name}=${value}\n"])
}

output "next" {
  description = "What a person does now."
  value       = <<-EOT
    1. Point the DNS A record of ${var.domain} at ${google_compute_global_address.origin.address}.
    2. Wait until the certificate is ACTIVE (up to an hour after the record).
    3. make doctor ENV=.env.production   # the checks; infra/docs/operations.md says how that file is made
    4. Ask for the first line: POST https://${var.domain}/ensure-instance with a person's token.
  EOT
}
