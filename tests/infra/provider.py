"""Load the schema of the Google provider, as far as we use it.

The provider can't be downloaded in every place where tests run, and `terraform validate` needs it.
Its schema is published as Python classes too: `make provider-schema` reads those, without
importing them, and writes `provider.json`.
"""

import ast
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent / "provider.json"
RESOURCES = {
    "google_billing_budget": "billing/budget",
    "google_cloud_run_service_iam_member": "cloudrun/iam_member",
    "google_cloud_scheduler_job": "cloudscheduler/job",
    "google_cloudfunctions2_function": "cloudfunctionsv2/function",
    "google_compute_backend_service": "compute/backend_service",
    "google_compute_global_address": "compute/global_address",
    "google_compute_global_forwarding_rule": "compute/global_forwarding_rule",
    "google_compute_managed_ssl_certificate": "compute/managed_ssl_certificate",
    "google_compute_region_network_endpoint_group": "compute/region_network_endpoint_group",
    "google_compute_security_policy": "compute/security_policy",
    "google_compute_ssl_policy": "compute/ssl_policy",
    "google_compute_target_https_proxy": "compute/target_https_proxy",
    "google_compute_url_map": "compute/url_map",
    "google_firebaserules_release": "firebaserules/release",
    "google_firebaserules_ruleset": "firebaserules/ruleset",
    "google_firestore_backup_schedule": "firestore/backup_schedule",
    "google_firestore_database": "firestore/database",
    "google_firestore_field": "firestore/field",
    "google_firestore_index": "firestore/index",
    "google_pubsub_subscription": "pubsub/subscription",
    "google_pubsub_subscription_iam_member": "pubsub/subscription_iam_member",
    "google_pubsub_topic": "pubsub/topic",
    "google_pubsub_topic_iam_member": "pubsub/topic_iam_member",
    "google_service_account_iam_member": "serviceaccount/iam_member",
    "google_logging_metric": "logging/metric",
    "google_logging_project_exclusion": "logging/project_exclusion",
    "google_monitoring_alert_policy": "monitoring/alert_policy",
    "google_monitoring_dashboard": "monitoring/dashboard",
    "google_monitoring_notification_channel": "monitoring/notification_channel",
    "google_project_iam_member": "projects/iam_member",
    "google_project_service": "projects/service",
    "google_secret_manager_secret": "secretmanager/secret",
    "google_secret_manager_secret_iam_member": "secretmanager/secret_iam_member",
    "google_service_account": "serviceaccount/account",
    "google_storage_bucket": "storage/bucket",
    "google_storage_bucket_iam_member": "storage/bucket_iam_member",
    "google_storage_bucket_object": "storage/bucket_object",
}
"""Terraform's name of each resource that we use, and the file with its classes."""


def load_schema() -> dict[str, Any]:
    """Load by resource: its attributes (a block's are nested), the needed ones, its exports."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())["resources"]
    return schema


def generate_schema(classes: Path) -> dict[str, Any]:
    """Generate the schema of the resources we use from the classes' source."""
    return {name: _read_resource(classes, where) for name, where in RESOURCES.items()}


def _read_resource(classes: Path, where: str) -> dict[str, Any]:
    module, _, file = where.partition("/")
    definitions = _parse_classes(classes / module / f"{file}.py")
    (state,) = [name for name in definitions if name.startswith("_") and name.endswith("State")]
    name = state.removeprefix("_").removesuffix("State")
    inputs = _parse_classes(classes / module / "_inputs.py")
    attributes = _read_attributes(definitions[f"{name}Args"], inputs)
    exports = sorted({*_read_parameters(definitions[state]), "id"})
    return {**attributes, "exports": exports}


def _read_attributes(of: ast.ClassDef, inputs: dict[str, ast.ClassDef]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for name, annotation in _read_parameters(of).items():
        nested = re.search(r"'(\w+Args)'", annotation)
        many = "Sequence[" in annotation
        inside = _read_attributes(inputs[nested[1]], inputs) if nested else None
        attributes[name] = {"block": inside, "many": many} if inside else {}
    needed = [
        name for name, annotation in _read_parameters(of).items() if "Optional[" not in annotation
    ]
    return {"attributes": attributes, "needed": needed}


def _read_parameters(of: ast.ClassDef) -> dict[str, str]:
    initializer = next(
        node for node in of.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    parameters = initializer.args.kwonlyargs
    return {parameter.arg: ast.unparse(parameter.annotation or of) for parameter in parameters}


@cache
def _parse_classes(file: Path) -> dict[str, ast.ClassDef]:
    if not file.exists():
        return {}
    return {
        node.name: node
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef)
    }


def _format_lines(schema: dict[str, Any], version: str) -> str:
    """Write one line for each resource, so that a difference can be read."""
    resources = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(resource)}" for name, resource in schema.items()
    )
    return f'{{\n "from": {json.dumps(version)},\n "resources": {{\n{resources}\n }}\n}}\n'


if __name__ == "__main__":
    SCHEMA.write_text(_format_lines(generate_schema(Path(sys.argv[1])), sys.argv[2]))
