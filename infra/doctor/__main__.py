"""`make doctor` looks at the local stack, `make doctor ENV=.env.production` at a deployment."""

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from infra import environment
from infra.doctor import choices, examine
from infra.doctor.findings import Finding, Verdict
from infra.local.children import StackError
from infra.local.run import PLACE, Run
from shared import config, services


def main() -> int:
    """0 if nothing is bad, 1 if something is, 2 if there was nothing to look at."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--env", type=Path, help="a file of NAME=value lines")
    asked.add_argument("--place", type=Path, default=PLACE, help="where make run keeps its files")
    asked.add_argument("--evolution-env", type=Path, help="the Evolution server's own .env")
    given = asked.parse_args()
    try:
        settings, own = _settings(given.env, given.place)
        evolution = environment.read(given.evolution_env) if given.evolution_env else None
    except (environment.NotReadable, StackError) as problem:
        print(problem, file=sys.stderr)
        return 2
    for name in (*config.Settings.model_fields, examine.EMULATOR):
        os.environ.pop(name.upper(), None)
    os.environ.update(settings)
    config.settings.cache_clear()
    unknown = [*choices.unknown(settings)] if given.env else []
    return asyncio.run(_tell(settings, evolution, own, unknown))


async def _tell(
    settings: Mapping[str, str],
    evolution: Mapping[str, str] | None,
    own: str | None,
    found: list[Finding],
) -> int:
    for finding in found:
        print(finding)
    counts = Counter(finding.verdict for finding in found)
    with services.using():
        async for finding in examine.everything(settings, evolution, own=own):
            print(finding, flush=True)
            counts[finding.verdict] += 1
    bad, doubtful = counts[Verdict.BAD], counts[Verdict.DOUBTFUL]
    print(f"\n{bad} bad, {doubtful} doubtful, {counts[Verdict.GOOD]} good.")
    return 1 if bad else 0


def _settings(file: Path | None, place: Path) -> tuple[dict[str, str], str | None]:
    """Those of the file, else of the environment, else of the local stack that runs here.

    With those of the stack comes its own origin. A `PUBLIC_URL` in the environment that is the
    stack's too means the stack: it was started from the same terminal. Raises StackError.
    """
    given = environment.read(file)
    address = given.get("PUBLIC_URL")
    if file is not None:
        return given, None
    try:
        run = Run.last(place)
    except StackError:
        if address:
            return given, None
        raise
    if address and address != run.settings.get("PUBLIC_URL"):
        return given, None
    return run.settings, run.origin


if __name__ == "__main__":
    sys.exit(main())
