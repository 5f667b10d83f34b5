"""Would a plan (`terraform show -json plan.out`, to be read) lose what can't be made again?"""

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
    "google_storage_bucket": "the sources of earlier deployments",
}
"""What isn't simply made anew, and what goes with it."""


def losses(plan: dict[str, Any]) -> Iterator[str]:
    """What would be deleted (or replaced) and lasts, in words."""
    for change in plan.get("resource_changes", ()):
        if "delete" in change["change"]["actions"] and _lasts(change):
            yield f"{change['address']}: {LASTING[change['type']]}"


def _lasts(change: dict[str, Any]) -> bool:
    """A previous secret is there to be taken away once nobody uses it."""
    previous = str(change.get("index", "")).endswith("_PREVIOUS")
    return change["type"] in LASTING and not previous


def main() -> int:
    """0 if nothing is lost; 1, and what would be."""
    try:
        plan = json.load(sys.stdin)
    except json.JSONDecodeError:
        print("There is no plan to look at: make plan.", file=sys.stderr)
        return 1
    found = list(losses(plan))
    for each in found:
        print(f"The plan deletes {each}.", file=sys.stderr)
    if found:
        print(
            "If that is meant, apply it by hand: terraform -chdir=infra/terraform apply plan.out",
            file=sys.stderr,
        )
        return 1
    print("The plan deletes nothing that can't be made again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
