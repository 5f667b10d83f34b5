"""Ensure on an open line, and cold start, against bare functions in the same run."""

import asyncio
import statistics
import time
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.served import BARE, served, until_answered
from tests.perene import token
from tests.proofs.stage import Stage, staged

FUNCTIONS = {
    "bare": BARE,
    "same_io": BARE,
    "ensure_instance": "functions/ensure_instance.py",
}
ROUNDS, SECONDS = 3, 3.0
IN_FLIGHT = (1, 16)
STARTS = 7


async def run(place: Path) -> None:
    """Prints the figures."""
    async with staged(place, 1) as stage:
        line = await stage.converged("acme")
        await stage.scan(line["instance"], "5511999990001")
        while (await stage.converged("acme"))["state"] != "open":
            await asyncio.sleep(0.05)
        await _throughput(stage)
        await _cold_starts(stage)


async def _throughput(stage: Stage) -> None:
    print(f"ensure on an open line, best of {ROUNDS} × {SECONDS:.0f} s, one process each")
    print(f"{'':24}{'in flight':>10}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'of same I/O':>14}")
    for in_flight in IN_FLIGHT:
        best = {target: await _best(stage, target, in_flight) for target in FUNCTIONS}
        for target, figures in best.items():
            share = figures.per_second / best["same_io"].per_second
            print(
                f"{target:24}{in_flight:>10}{figures.per_second:>10.0f}"
                f"{figures.p50:>10.1f}{figures.p99:>10.1f}{share:>14.2f}"
            )


async def _best(stage: Stage, target: str, in_flight: int) -> load.Figures:
    with served(stage, target, FUNCTIONS[target]) as process:
        message = _message(process.port)
        await until_answered(process.port, message)
        rounds = [
            await load.measure([process.port], lambda: message, in_flight, SECONDS)
            for _ in range(ROUNDS)
        ]
    return max(rounds, key=lambda figures: figures.per_second)


async def _cold_starts(stage: Stage) -> None:
    print(f"\ncold start, process start to first answer, median of {STARTS}")
    bare = 0.0
    for target in FUNCTIONS:
        took = statistics.median([await _cold_start(stage, target) for _ in range(STARTS)])
        bare = bare or took
        print(f"{target:24}{took * 1000:>10.0f} ms{took / bare:>10.2f} × bare")


async def _cold_start(stage: Stage, target: str) -> float:
    started = time.monotonic()
    with served(stage, target, FUNCTIONS[target]) as process:
        await until_answered(process.port, _message(process.port))
        return time.monotonic() - started


def _message(port: int) -> bytes:
    return load.request(port, "POST", "/", b"{}", authorization=f"Bearer {token('acme')}")
