"""Measure ensure on an open line, against bare functions in the same run."""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.report import Table
from tests.benchmarks.rounds import compare_rates, find_middle, measure_in_turn
from tests.benchmarks.served import BARE, serve_function, wait_until_answered
from tests.perene import token
from tests.proofs.stage import open_stage

FUNCTIONS = {
    "bare": BARE,
    "same_io": BARE,
    "ensure_instance": "functions/ensure_instance.py",
}
ROUNDS, SECONDS = 5, 3.0
IN_FLIGHT = (1, 16)
COLUMNS = ("function", "in flight", "req/s", "p50 ms", "p99 ms", "of same I/O")


async def run(place: Path) -> Sequence[Table]:
    """Measure every function in turn with so many requests in flight."""
    rows = []
    async with open_stage(place, 1) as stage:
        line = await stage.wait_for_line("acme")
        await stage.scan(line["instance"], "5511999990001")
        while (await stage.wait_for_line("acme"))["state"] != "open":
            await asyncio.sleep(0.05)
        with contextlib.ExitStack() as processes:
            ports = {
                target: processes.enter_context(serve_function(stage, target, source)).port
                for target, source in FUNCTIONS.items()
            }
            for port in ports.values():
                await wait_until_answered(port, _build_message(port))
                await _measure(port, IN_FLIGHT[-1])
            for in_flight in IN_FLIGHT:
                measures = {
                    target: partial(_measure, port, in_flight) for target, port in ports.items()
                }
                measured = await measure_in_turn(measures, ROUNDS)
                for target in FUNCTIONS:
                    middle = find_middle(measured, target)
                    share = compare_rates(measured, target, "same_io")
                    row = [middle.per_second, middle.p50, middle.p99, share]
                    rows.append([target, in_flight, *row])
    title = f"Ensure on an open line, one process each, the middle of {ROUNDS} × {SECONDS:.0f} s"
    return [Table(title, COLUMNS, rows)]


async def _measure(port: int, in_flight: int) -> load.Figures:
    message = _build_message(port)
    return await load.measure([port], lambda: message, in_flight, SECONDS)


def _build_message(port: int) -> bytes:
    return load.build_request(port, "POST", "/", b"{}", authorization=f"Bearer {token('acme')}")
