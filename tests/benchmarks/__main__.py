"""Run the benchmarks: `make bench`, or `python -m tests.benchmarks intake` for one of them.

Each prints its tables, and writes them to `.local/benchmarks` as JSON. `… gates burst` runs one
gate; the status is 1 if Perene doesn't pass a gate.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from infra.local import emulator
from tests.benchmarks import cold, comparison, ensure, events, growth, intake, report, send, sweeps
from tests.benchmarks.gates import gate_table
from tests.benchmarks.gates.scenarios import GATES

BENCHMARKS = {
    "cold": [cold.run],
    "ensure": [ensure.run],
    "events": [events.run],
    "gates": [gate_table.run],
    "growth": [growth.run],
    "intake": intake.PARTS,
    "naive": comparison.PARTS,
    "send": [send.run],
    "sweeps": [sweeps.run],
}


def main() -> None:
    """Print the figures, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="?", choices=BENCHMARKS, help="all if none is named")
    parser.add_argument("gates", nargs="*", help=f"with gates: some of {', '.join(GATES)}")
    given = parser.parse_args()
    if given.gates and (given.which != "gates" or not set(given.gates) <= GATES.keys()):
        parser.error(f"no such gates: {', '.join(given.gates)}")
    benchmarks = BENCHMARKS | {"gates": [partial(gate_table.run, names=given.gates)]}
    broken: list[str] = []
    for name in [given.which] if given.which else benchmarks:
        tables = [table for part in benchmarks[name] for table in _run_part(part)]
        print(f"written to {report.write_report('-'.join([name, *given.gates]), tables)}")
        broken += gate_table.list_broken(tables) if name == "gates" else []
    if broken:
        sys.exit(f"Perene doesn't pass: {', '.join(broken)}")


def _run_part(
    part: Callable[[Path], Coroutine[Any, Any, Sequence[report.Table]]],
) -> Sequence[report.Table]:
    """Run a part with an emulator of its own: after 100,000 commits it pauses for seconds."""
    with (
        emulator.running() as host,
        TemporaryDirectory() as place,
        mock.patch.dict(os.environ, {emulator.HOST_VARIABLE: host}),
    ):
        tables = asyncio.run(part(Path(place)))
    for table in tables:
        print(f"\n{report.render_table(table)}", flush=True)
    return tables


if __name__ == "__main__":
    main()
