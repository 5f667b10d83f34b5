# Terraform 1.9 or OpenTofu 1.9 and newer (variables may be validated by one another).
terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
  }

  # The bucket is given to `init`: see infra/docs/operations.md, "The first deployment".
  backend "gcs" {
    prefix = "perene"
  }
}

provider "google" {
  project               = var.project
  region                = var.region
  billing_project       = var.project
  user_project_override = true
}
