"""Refuse a plan (`terraform show -json plan.out`, on stdin) that deletes irreplaceable things."""

import json
import sys
from collections.abc import Iterator
from typing import Any

LASTING = {
    "google_firestore_database": "every record and message",
    "google_firestore_backup_schedule": "the backups that would come",
    "google_secret_manager_secret": "a secret's values",
    "google_compute_global_address": "the address that the domain's DNS record names",
    "google_service_account": "an account that others may have been granted something",
    "google_storage_bucket": "the sources of earlier deployments, or every file that was kept",
}
"""Kinds of resources that can't be made again, and what is lost with them."""


def list_losses(plan: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each lasting resource that the plan deletes or replaces."""
    for change in plan.get("resource_changes", ()):
        if "delete" in change["change"]["actions"] and _is_lasting(change):
            yield f"{change['address']}: {LASTING[change['type']]}"


def _is_lasting(change: dict[str, Any]) -> bool:
    """Tell whether the resource must stay; a rotation ends with deleting the previous secret."""
    is_previous = str(change.get("index", "")).endswith("_PREVIOUS")
    return change["type"] in LASTING and not is_previous


def main() -> int:
    """Print what the plan would lose. Return 0 if nothing, 1 otherwise or without a plan."""
    try:
        plan = json.load(sys.stdin)
    except json.JSONDecodeError:
        print("There is no plan to look at: make plan.", file=sys.stderr)
        return 1
    losses = list(list_losses(plan))
    for loss in losses:
        print(f"The plan deletes {loss}.", file=sys.stderr)
    if losses:
        print(
            "If that is meant, apply it by hand: terraform -chdir=infra/terraform apply plan.out",
            file=sys.stderr,
        )
        return 1
    print("The plan deletes nothing that can't be made again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
