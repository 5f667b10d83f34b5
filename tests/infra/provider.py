"""What the Google provider calls its resources and attributes, as far as we use it.

The provider can't be downloaded in every place where tests run, and `terraform validate` needs it.
Its schema, though, is published as Python classes too: `make provider-schema` reads those, without
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
"""Terraform's name of each resource that we use, and where the classes have it."""


def known() -> dict[str, Any]:
    """By resource: its attributes (a block's are nested), the needed ones, and what it exports."""
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())["resources"]
    return schema


def generated(classes: Path) -> dict[str, Any]:
    """The schema of the resources we use, from the classes' source."""
    return {name: _resource(classes, where) for name, where in RESOURCES.items()}


def _resource(classes: Path, where: str) -> dict[str, Any]:
    module, _, file = where.partition("/")
    found = _classes(classes / module / f"{file}.py")
    (state,) = [name for name in found if name.startswith("_") and name.endswith("State")]
    name = state.removeprefix("_").removesuffix("State")
    inputs = _classes(classes / module / "_inputs.py")
    given = _attributes(found[f"{name}Args"], inputs)
    return {**given, "exports": sorted({*_parameters(found[state]), "id"})}


def _attributes(of: ast.ClassDef, inputs: dict[str, ast.ClassDef]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for name, annotation in _parameters(of).items():
        nested = re.search(r"'(\w+Args)'", annotation)
        many = "Sequence[" in annotation
        inside = _attributes(inputs[nested[1]], inputs) if nested else None
        attributes[name] = {"block": inside, "many": many} if inside else {}
    needed = [name for name, given in _parameters(of).items() if "Optional[" not in given]
    return {"attributes": attributes, "needed": needed}


def _parameters(of: ast.ClassDef) -> dict[str, str]:
    made = next(
        each for each in of.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"
    )
    return {each.arg: ast.unparse(each.annotation or of) for each in made.args.kwonlyargs}


@cache
def _classes(file: Path) -> dict[str, ast.ClassDef]:
    if not file.exists():
        return {}
    return {
        each.name: each
        for each in ast.parse(file.read_text()).body
        if isinstance(each, ast.ClassDef)
    }


def _lines(schema: dict[str, Any], version: str) -> str:
    """One line for each resource, so that a difference can be read."""
    resources = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(each)}" for name, each in schema.items()
    )
    return f'{{\n "from": {json.dumps(version)},\n "resources": {{\n{resources}\n }}\n}}\n'


if __name__ == "__main__":
    SCHEMA.write_text(_lines(generated(Path(sys.argv[1])), sys.argv[2]))
