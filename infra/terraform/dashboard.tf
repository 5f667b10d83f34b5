locals {
  charts = {
    "Requests by function" = {
      filter  = "metric.type=\"run.googleapis.com/request_count\" resource.type=\"cloud_run_revision\""
      aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["resource.label.service_name"]
    }
    "Server errors by function" = {
      filter  = "metric.type=\"run.googleapis.com/request_count\" resource.type=\"cloud_run_revision\" metric.label.response_code_class=\"5xx\""
      aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["resource.label.service_name"]
    }
    "Latency, 95th percentile" = {
      filter  = "metric.type=\"run.googleapis.com/request_latencies\" resource.type=\"cloud_run_revision\""
      aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", by = ["resource.label.service_name"]
    }
    "Instances" = {
      filter  = "metric.type=\"run.googleapis.com/container/instance_count\" resource.type=\"cloud_run_revision\""
      aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", by = ["resource.label.service_name"]
    }
    "Memory in use" = {
      filter  = "metric.type=\"run.googleapis.com/container/memory/utilizations\" resource.type=\"cloud_run_revision\""
      aligner = "ALIGN_PERCENTILE_99", reducer = "REDUCE_MAX", by = ["resource.label.service_name"]
    }
    "Incidents by cause" = {
      filter  = "metric.type=\"logging.googleapis.com/user/perene/incidents\" resource.type=\"cloud_run_revision\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.cause"]
    }
    "Problems answered" = {
      filter  = "metric.type=\"logging.googleapis.com/user/perene/problems\" resource.type=\"cloud_run_revision\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.problem"]
    }
    "Events not understood" = {
      filter  = "metric.type=\"logging.googleapis.com/user/perene/dead_letters\" resource.type=\"cloud_run_revision\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.reason"]
    }
    "Sends nobody knows the outcome of" = {
      filter  = "metric.type=\"logging.googleapis.com/user/perene/uncertain_sends\" resource.type=\"cloud_run_revision\""
      aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = []
    }
    "Firestore, reads" = {
      filter  = "metric.type=\"firestore.googleapis.com/document/read_ops_count\" resource.type=\"firestore.googleapis.com/Database\""
      aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = []
    }
    "Firestore, writes" = {
      filter  = "metric.type=\"firestore.googleapis.com/document/write_ops_count\" resource.type=\"firestore.googleapis.com/Database\""
      aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = []
    }
  }
}

resource "google_monitoring_dashboard" "perene" {
  dashboard_json = jsonencode({
    displayName = "Perene"
    gridLayout = {
      columns = "2"
      widgets = [
        for title, chart in local.charts : {
          title = title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = chart.filter
                  aggregation = {
                    alignmentPeriod    = "300s"
                    perSeriesAligner   = chart.aligner
                    crossSeriesReducer = chart.reducer
                    groupByFields      = chart.by
                  }
                }
              }
            }]
          }
        }
      ]
    }
  })

  depends_on = [google_logging_metric.counted]
}
