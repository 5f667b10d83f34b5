"""Measure ensure on an open line, and cold starts, against bare functions in the same run."""

import asyncio
import statistics
import time
from pathlib import Path

from tests.benchmarks import load
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
STARTS = 7


async def run(place: Path) -> None:
    """Print the figures."""
    async with open_stage(place, 1) as stage:
        line = await stage.wait_for_line("acme")
        await stage.scan(line["instance"], "5511999990001")
        while (await stage.wait_for_line("acme"))["state"] != "open":
            await asyncio.sleep(0.05)
        await _print_throughput(stage)
        await _print_cold_starts(stage)


async def _print_throughput(stage: Stage) -> None:
    print(f"ensure on an open line, best of {ROUNDS} × {SECONDS:.0f} s, one process each")
    print(f"{'':24}{'in flight':>10}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'of same I/O':>14}")
    for in_flight in IN_FLIGHT:
        best = {target: await _measure_best(stage, target, in_flight) for target in FUNCTIONS}
        for target, figures in best.items():
            share = figures.per_second / best["same_io"].per_second
            print(
                f"{target:24}{in_flight:>10}{figures.per_second:>10.0f}"
                f"{figures.p50:>10.1f}{figures.p99:>10.1f}{share:>14.2f}"
            )


async def _measure_best(stage: Stage, target: str, in_flight: int) -> load.Figures:
    with serve_function(stage, target, FUNCTIONS[target]) as process:
        message = _build_message(process.port)
        await wait_until_answered(process.port, message)
        rounds = [
            await load.measure([process.port], lambda: message, in_flight, SECONDS)
            for _ in range(ROUNDS)
        ]
    return max(rounds, key=lambda figures: figures.per_second)


async def _print_cold_starts(stage: Stage) -> None:
    print(f"\ncold start, process start to first answer, median of {STARTS}")
    bare = 0.0
    for target in FUNCTIONS:
        took = statistics.median([await _measure_cold_start(stage, target) for _ in range(STARTS)])
        bare = bare or took
        print(f"{target:24}{took * 1000:>10.0f} ms{took / bare:>10.2f} × bare")


async def _measure_cold_start(stage: Stage, target: str) -> float:
    started = time.monotonic()
    with serve_function(stage, target, FUNCTIONS[target]) as process:
        await wait_until_answered(process.port, _build_message(process.port))
        return time.monotonic() - started


def _build_message(port: int) -> bytes:
    return load.build_request(port, "POST", "/", b"{}", authorization=f"Bearer {token('acme')}")
