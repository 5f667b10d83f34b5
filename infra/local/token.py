"""Print a token that the local stack accepts: for a tenant, or for an operator."""

import argparse
import sys
from pathlib import Path

from infra.local.children import StackError
from infra.local.run import PLACE, StackRun


def main() -> int:
    """Print the token that `make token TENANT=acme OPERATOR=1 HOURS=12` asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenant", default="demo")
    parser.add_argument("--operator", action="store_true")
    parser.add_argument("--hours", type=float, default=12)
    parser.add_argument("--place", type=Path, default=PLACE, help="where the stack keeps its files")
    options = parser.parse_args()
    try:
        run = StackRun.load_last(options.place)
        print(run.sign_token(options.tenant, options.hours, operator=options.operator))
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
