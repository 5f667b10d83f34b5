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
    asked.add_argument("--evolution-env", type=Path, help="the Evolution server's own .env")
    given = asked.parse_args()
    try:
        settings = _settings(given.env)
        evolution = environment.read(given.evolution_env) if given.evolution_env else None
    except (environment.NotReadable, StackError) as problem:
        print(problem, file=sys.stderr)
        return 2
    for name in (*config.Settings.model_fields, examine.EMULATOR):
        os.environ.pop(name.upper(), None)
    os.environ.update(settings)
    config.settings.cache_clear()
    unknown = [*choices.unknown(settings)] if given.env else []
    return asyncio.run(_tell(settings, evolution, unknown))


async def _tell(
    settings: Mapping[str, str], evolution: Mapping[str, str] | None, found: list[Finding]
) -> int:
    for finding in found:
        print(finding)
    counts = Counter(finding.verdict for finding in found)
    with services.using():
        async for finding in examine.everything(settings, evolution):
            print(finding, flush=True)
            counts[finding.verdict] += 1
    bad, doubtful = counts[Verdict.BAD], counts[Verdict.DOUBTFUL]
    print(f"\n{bad} bad, {doubtful} doubtful, {counts[Verdict.GOOD]} good.")
    return 1 if bad else 0


def _settings(file: Path | None) -> dict[str, str]:
    """Those of the file, else of the environment, else of the local stack that runs here."""
    given = environment.read(file)
    if file is not None or given.get("PUBLIC_URL"):
        return given
    run = Run.last(PLACE)
    return run.environment(run.firestore, run.evolution)


if __name__ == "__main__":
    sys.exit(main())
