"""Keep what benchmarks measure: tables that are printed, and written as JSON with the machine."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

SETTINGS = ("FULL", "ROUNDS", "SECONDS", "SEED")
"""Variables of the environment that say how long, how often and what a benchmark measures."""

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / ".local" / "benchmarks"

Cell = str | float | int | bool | None
"""A value of a table; None where there is none."""


class Table(NamedTuple):
    """Figures with a title that says what was measured and how often, and the names of columns."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def render_table(table: Table) -> str:
    """Render a table as Markdown, with columns of one width, so that a terminal shows it too."""
    lines = [list(table.columns), *([_render_cell(cell) for cell in row] for row in table.rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(table.columns))]
    head, *rest = ("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([f"{table.title}:", "", head, rule, *rest])


def write_report(name: str, tables: Sequence[Table], folder: Path = FOLDER) -> Path:
    """Write what a benchmark measured, when, on which machine and commit; return the file."""
    report = {
        "benchmark": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _read_commit(),
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
        "machine": describe_machine(),
        "tables": [table._asdict() for table in tables],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    return path


def describe_machine() -> dict[str, Cell]:
    """Describe the machine: its cores, memory in GiB, system and Python, and how busy it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory, 1),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def _render_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _read_commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
