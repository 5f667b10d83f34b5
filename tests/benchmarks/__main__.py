"""Run the benchmarks: `make bench`, or `python -m tests.benchmarks intake` for one of them.

Each prints its tables, and writes them to `.local/benchmarks` as JSON.
"""

import argparse
import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from infra.local import emulator
from tests.benchmarks import cold, ensure, events, growth, intake, report, send, sweeps

BENCHMARKS = {
    "cold": [cold.run],
    "ensure": [ensure.run],
    "events": [events.run],
    "growth": [growth.run],
    "intake": intake.PARTS,
    "send": [send.run],
    "sweeps": [sweeps.run],
}


def main() -> None:
    """Print the figures, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="?", choices=BENCHMARKS, help="all if none is named")
    which = parser.parse_args().which
    for name in [which] if which else BENCHMARKS:
        tables = [table for part in BENCHMARKS[name] for table in _run_part(part)]
        print(f"written to {report.write_report(name, tables)}")


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
