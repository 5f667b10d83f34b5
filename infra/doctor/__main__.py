"""Check the local stack (`make doctor`) or a deployment (`make doctor ENV=.env.production`)."""

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from infra import environment
from infra.doctor import checks, settings_check
from infra.doctor.diagnosis import Diagnosis, Verdict
from infra.local.children import StackError
from infra.local.run import PLACE, StackRun
from shared import config, services


def main() -> int:
    """Print every diagnosis. Return 1 if one is bad, 2 if there was nothing to look at, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", type=Path, help="a file of NAME=value lines")
    parser.add_argument("--place", type=Path, default=PLACE, help="where make run keeps its files")
    parser.add_argument("--evolution-env", type=Path, help="the Evolution server's own .env")
    arguments = parser.parse_args()
    try:
        settings, own = _load_settings(arguments.env, arguments.place)
        evolution = _read_evolution(arguments.evolution_env)
    except (environment.UnreadableFile, StackError) as problem:
        print(problem, file=sys.stderr)
        return 2
    for name in (*config.Settings.__struct_fields__, checks.EMULATOR):
        os.environ.pop(name.upper(), None)
    os.environ.update(settings)
    config.settings.cache_clear()
    diagnoses = [*settings_check.check_names(settings)] if arguments.env else []
    return asyncio.run(_print_diagnoses(settings, evolution, own, diagnoses))


async def _print_diagnoses(
    settings: Mapping[str, str],
    evolution: Mapping[str, str] | None,
    own: str | None,
    diagnoses: list[Diagnosis],
) -> int:
    for diagnosis in diagnoses:
        print(diagnosis)
    counts = Counter(diagnosis.verdict for diagnosis in diagnoses)
    with services.using():
        async for diagnosis in checks.run_checks(settings, evolution, own=own):
            print(diagnosis, flush=True)
            counts[diagnosis.verdict] += 1
    bad, doubtful = counts[Verdict.BAD], counts[Verdict.DOUBTFUL]
    print(f"\n{bad} bad, {doubtful} doubtful, {counts[Verdict.GOOD]} good.")
    return 1 if bad else 0


def _read_evolution(file: Path | None) -> dict[str, str] | None:
    return environment.read_variables(file) if file else None


def _load_settings(file: Path | None, place: Path) -> tuple[dict[str, str], str | None]:
    """Load the settings of the file, else of the environment, else of the local stack.

    The stack's settings come with its own origin. A `PUBLIC_URL` in the environment that equals
    the stack's means the stack, which was started from the same terminal. Raises StackError.
    """
    variables = environment.read_variables(file)
    address = variables.get("PUBLIC_URL")
    if file is not None:
        return variables, None
    try:
        run = StackRun.load_last(place)
    except StackError:
        if address:
            return variables, None
        raise
    if address and address != run.settings.get("PUBLIC_URL"):
        return variables, None
    return run.settings, run.origin


if __name__ == "__main__":
    sys.exit(main())
