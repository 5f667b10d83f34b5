variable "project" {
  description = "The Google Cloud project's id. One project per deployment: its Firestore is Perene's."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "A project id has 6 to 30 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "region" {
  description = "Where functions and Scheduler run: near the Evolution servers and the people."
  type        = string
  default     = "southamerica-east1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region is written like southamerica-east1."
  }
}

variable "firestore_location" {
  description = "Where Firestore is: the region, or a multi-region (nam5, eur3) at twice the price. Never changes afterwards."
  type        = string
  default     = null
}

variable "firestore_database" {
  description = "The Firestore database's id."
  type        = string
  default     = "(default)"

  validation {
    condition     = var.firestore_database == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.firestore_database))
    error_message = "(default), or 4 to 63 lower-case letters, digits and hyphens."
  }
}

variable "domain" {
  description = "The one origin of everything, e.g. whatsapp.example.com. Its DNS A record points at the output `address`."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain))
    error_message = "A host name, in lower case, without scheme and path."
  }
}

variable "auth_issuer" {
  description = "The `iss` of your users' tokens, exactly as in the token."
  type        = string

  validation {
    condition     = startswith(var.auth_issuer, "https://")
    error_message = "An issuer is an https:// address."
  }
}

variable "auth_audience" {
  description = "The `aud` of your users' tokens."
  type        = string

  validation {
    condition     = length(var.auth_audience) > 0
    error_message = "Without an audience, no token counts."
  }
}

variable "auth_jwks_url" {
  description = "Where the issuer publishes its public keys; null if tokens are signed with the secret AUTH_HS256_SECRET."
  type        = string
  default     = null

  validation {
    condition     = (var.auth_jwks_url == null) == contains(var.secrets, "AUTH_HS256_SECRET")
    error_message = "Either auth_jwks_url, or AUTH_HS256_SECRET among `secrets`."
  }
}

variable "operator_claim" {
  description = "Which claim makes a token an operator's: `operator`, or `app_metadata.role=operator`. Null: nobody is one."
  type        = string
  default     = null
}

variable "cors_origins" {
  description = "The origins of frontends that may call from a browser."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "An origin is a scheme and a host, without a path; never `*` in production."
  }
}

variable "embed_origins" {
  description = "The origins of pages that may show the connect page, or its element, to whoever has a link."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.embed_origins : can(regex("^(https://[a-z0-9.-]+|http://localhost)(:[0-9]{1,5})?$", origin))])
    error_message = "An https:// origin in lower case, without a path and without `*` (or http://localhost:5173, to develop)."
  }
}

variable "secrets" {
  description = "Which secrets this deployment uses. Their values are given to Secret Manager by `make secrets`, never here."
  type        = set(string)
  default     = ["EVOLUTION_SERVERS", "WEBHOOK_SECRET"]

  validation {
    condition     = alltrue([for name in var.secrets : contains(keys(jsondecode(file("${path.module}/../settings.json")).secret), name)])
    error_message = "Only what infra/settings.json calls a secret."
  }
  validation {
    condition     = contains(var.secrets, "WEBHOOK_SECRET") && (contains(var.secrets, "EVOLUTION_SERVERS") || contains(var.secrets, "EVOLUTION_API_KEY"))
    error_message = "WEBHOOK_SECRET is needed, and EVOLUTION_SERVERS or EVOLUTION_API_KEY."
  }
}

variable "settings" {
  description = "Any other setting of infra/docs/configuration.md, by its name."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : contains(jsondecode(file("${path.module}/../settings.json")).plain, name)])
    error_message = "Only what infra/settings.json calls plain. Secrets belong to `secrets`; the rest has a variable of its own."
  }
}

variable "instances" {
  description = "Other bounds than infra/functions.json has, by function: {receive_webhook = {min = 1, max = 80}}."
  type        = map(object({ min = optional(number), max = optional(number) }))
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.instances) : contains(keys(jsondecode(file("${path.module}/../functions.json")).functions), name)])
    error_message = "Only functions of infra/functions.json."
  }
  validation {
    condition     = alltrue([for each in values(var.instances) : coalesce(each.min, 0) >= 0 && coalesce(each.max, 1) >= 1])
    error_message = "At least 0, and at least 1 at most."
  }
}

variable "time_zone" {
  description = "In which the schedules are written."
  type        = string
  default     = "America/Sao_Paulo"

  validation {
    condition     = can(regex("^[A-Za-z_]+(/[A-Za-z_]+)+$", var.time_zone))
    error_message = "A name of the time zone database, like America/Sao_Paulo."
  }
}

variable "schedules" {
  description = "Other times than infra/functions.json has, by function, as cron writes them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for when in values(var.schedules) : can(regex("^(\\S+ ){4}\\S+$", when))])
    error_message = "Five fields, as in cron."
  }
}

variable "alert_emails" {
  description = "Who is told by Cloud Monitoring."
  type        = list(string)

  validation {
    condition     = length(var.alert_emails) > 0 && alltrue([for each in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+$", each))])
    error_message = "At least one e-mail address."
  }
}

variable "requests_per_minute" {
  description = "How many requests a minute one address may make, webhooks apart (Cloud Armor; 0: no limit, and no policy to pay for)."
  type        = number
  default     = 0

  validation {
    condition     = var.requests_per_minute == 0 || var.requests_per_minute >= 60
    error_message = "0, or 60 and more: an office shares one address."
  }
}

variable "backup_days" {
  description = "How long a daily backup of Firestore is kept."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 98
    error_message = "1 to 98 days."
  }
}

variable "keep_media" {
  description = "Whether files of messages are kept in a bucket, so that they outlive their instances. What that means: infra/docs/operations.md#media."
  type        = bool
  default     = false
}

variable "media_key" {
  description = "The Cloud KMS key that encrypts the bucket's files, in the bucket's region; null: Google's own."
  type        = string
  default     = null

  validation {
    condition     = var.media_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.media_key))
    error_message = "Written like projects/P/locations/REGION/keyRings/R/cryptoKeys/K."
  }
}

variable "media_undelete_days" {
  description = "How long Google keeps a deleted file, for a mistake to be undone; 0: not at all. It is paid for meanwhile."
  type        = number
  default     = 7

  validation {
    condition     = var.media_undelete_days == 0 || (var.media_undelete_days >= 7 && var.media_undelete_days <= 90)
    error_message = "0, or 7 to 90 days."
  }
}

variable "billing_account" {
  description = "The billing account's id, for the budget alert; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "Written like 012345-6789AB-CDEF01."
  }
}

variable "budget" {
  description = "A month's budget: whoever pays is told at 50, 90 and 100 % of it, and when 100 % is forecast."
  type        = object({ amount = number, currency = string })
  default     = { amount = 100, currency = "USD" }

  validation {
    condition     = var.budget.amount >= 1 && can(regex("^[A-Z]{3}$", var.budget.currency))
    error_message = "A whole amount and the billing account's currency."
  }
}
