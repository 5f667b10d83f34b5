"""Measure ensure on an open line, against bare functions in the same run."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.report import Table
from tests.benchmarks.served import BARE, serve_function, wait_until_answered
from tests.perene import token
from tests.proofs.stage import Stage, open_stage

FUNCTIONS = {
    "bare": BARE,
    "same_io": BARE,
    "ensure_instance": "functions/ensure_instance.py",
}
ROUNDS, SECONDS = 3, 3.0
IN_FLIGHT = (1, 16)
COLUMNS = ("function", "in flight", "req/s", "p50 ms", "p99 ms", "of same I/O")


async def run(place: Path) -> Sequence[Table]:
    """Measure every function with so many requests in flight."""
    rows = []
    async with open_stage(place, 1) as stage:
        line = await stage.wait_for_line("acme")
        await stage.scan(line["instance"], "5511999990001")
        while (await stage.wait_for_line("acme"))["state"] != "open":
            await asyncio.sleep(0.05)
        for in_flight in IN_FLIGHT:
            best = {target: await _measure_best(stage, target, in_flight) for target in FUNCTIONS}
            for target, figures in best.items():
                share = figures.per_second / best["same_io"].per_second
                row = [figures.per_second, figures.p50, figures.p99, share]
                rows.append([target, in_flight, *row])
    title = f"Ensure on an open line, one process each, best of {ROUNDS} × {SECONDS:.0f} s"
    return [Table(title, COLUMNS, rows)]


async def _measure_best(stage: Stage, target: str, in_flight: int) -> load.Figures:
    with serve_function(stage, target, FUNCTIONS[target]) as process:
        message = _build_message(process.port)
        await wait_until_answered(process.port, message)
        rounds = [
            await load.measure([process.port], lambda: message, in_flight, SECONDS)
            for _ in range(ROUNDS)
        ]
    return max(rounds, key=lambda figures: figures.per_second)


def _build_message(port: int) -> bytes:
    return load.build_request(port, "POST", "/", b"{}", authorization=f"Bearer {token('acme')}")
