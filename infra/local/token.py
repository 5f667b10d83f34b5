"""Prints a token that the local stack accepts: for a tenant, or for an operator."""

import argparse
import sys
from pathlib import Path

from infra.local.children import StackError
from infra.local.run import PLACE, Run


def main() -> int:
    """`make token TENANT=acme OPERATOR=1 HOURS=12`."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tenant", default="demo")
    asked.add_argument("--operator", action="store_true")
    asked.add_argument("--hours", type=float, default=12)
    asked.add_argument("--place", type=Path, default=PLACE, help="where the stack keeps its files")
    given = asked.parse_args()
    try:
        print(Run.last(given.place).token(given.tenant, given.hours, operator=given.operator))
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
