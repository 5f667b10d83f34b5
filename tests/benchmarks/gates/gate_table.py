"""Run the gates: `python -m tests.benchmarks gates`, or `… gates burst` for one of them."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.gates.scenarios import GATES
from tests.benchmarks.gates.targets import open_targets
from tests.benchmarks.gates.thread_faults import KEPT, render_faults
from tests.benchmarks.report import Table

COLUMNS = ("gate", "what must hold", "Perene", "naive")


async def run(place: Path, names: Sequence[str] = ()) -> Sequence[Table]:
    """Run these gates, or all if none is named, against both targets."""
    rows = []
    async with open_targets(place) as targets:
        for name in names or GATES:
            gate = GATES[name]
            cells = [render_faults(await gate.run(target)) for target in targets]
            rows.append((name, gate.claim, *cells))
            print(f"{name}: {' | '.join(cells)}", file=sys.stderr, flush=True)
    return [Table("What went wrong at each gate", COLUMNS, rows)]


def list_broken(tables: Sequence[Table]) -> Sequence[str]:
    """List the gates that Perene didn't pass."""
    ours = COLUMNS.index("Perene")
    return [str(row[0]) for table in tables for row in table.rows if row[ours] != KEPT]
