# One origin in front: a global load balancer (infra/decisions/0020-one-origin-is-a-load-balancer.md).

resource "google_compute_global_address" "origin" {
  name       = "perene"
  depends_on = [google_project_service.used]
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = local.public

  name                  = "perene-${local.service[each.key]}"
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloudfunctions2_function.function[each.key].name
  }
}

resource "google_compute_backend_service" "function" {
  for_each = local.public

  name                  = "perene-${local.service[each.key]}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  # Browsers ask for the origin by https alone, for a year from their last visit.
  custom_response_headers = ["Strict-Transport-Security: max-age=31536000"]
  security_policy         = var.requests_per_minute > 0 && each.value.trust != "webhook" ? google_compute_security_policy.edge[0].id : null

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }

  # The address of a 1.8 server's webhook holds its token, and our own line says enough.
  log_config {
    enable = false
  }
}

resource "google_compute_security_policy" "edge" {
  count = var.requests_per_minute > 0 ? 1 : 0
  name  = "perene-edge"

  rule {
    action   = "throttle"
    priority = 1000

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = var.requests_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    action   = "allow"
    priority = 2147483647

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

# What belongs to nobody is answered by the function that knows nothing: no such path.
resource "google_compute_url_map" "origin" {
  name            = "perene"
  default_service = google_compute_backend_service.function["openapi"].id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "functions"
  }

  path_matcher {
    name            = "functions"
    default_service = google_compute_backend_service.function["openapi"].id

    dynamic "path_rule" {
      for_each = local.public

      content {
        paths   = [path_rule.value.path, "${path_rule.value.path}/*"]
        service = google_compute_backend_service.function[path_rule.key].id
      }
    }

    dynamic "path_rule" {
      for_each = { for name, each in local.public : name => each if name == "console" }

      content {
        paths = ["/"]
        url_redirect {
          path_redirect          = path_rule.value.path
          redirect_response_code = "FOUND"
          strip_query            = false
        }
      }
    }
  }
}

resource "google_compute_managed_ssl_certificate" "origin" {
  # Another domain is another certificate, and names have 63 characters at most.
  name = "perene-${substr(sha256(var.domain), 0, 16)}"

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_project_service.used]
}

resource "google_compute_ssl_policy" "origin" {
  name            = "perene"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
  depends_on      = [google_project_service.used]
}

resource "google_compute_target_https_proxy" "origin" {
  name             = "perene"
  url_map          = google_compute_url_map.origin.id
  ssl_certificates = [google_compute_managed_ssl_certificate.origin.id]
  ssl_policy       = google_compute_ssl_policy.origin.id
}

# Nothing listens on port 80: a webhook that is redirected loses its body.
resource "google_compute_global_forwarding_rule" "origin" {
  name                  = "perene"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.origin.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.origin.id
}

# The platform's own request log quotes addresses, and a 1.8 server's holds its token.
resource "google_logging_project_exclusion" "tokens" {
  name        = "perene-webhook-addresses"
  description = "Webhook addresses of Evolution 1.8 hold tokens; functions write their own line per request."
  filter      = "log_id(\"run.googleapis.com/requests\") AND resource.labels.service_name=\"${local.service["receive_webhook"]}\" AND httpRequest.requestUrl=~\"/webhook/[^/]\""
}
