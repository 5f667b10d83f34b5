"""A send into a conversation, against the call itself and a bare function with the same I/O."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.served import BARE, served, until_answered
from tests.perene import name_of, token
from tests.proofs.stage import KEY, Stage, staged

MARIA = "5521988887777"
FUNCTIONS = {"same_send": BARE, "send_message": "functions/send_message.py"}
UPSTREAM = "upstream alone"
ROUNDS, SECONDS = 3, 3.0
IN_FLIGHT = (1, 16)
UNPACED = {"SEND_BURST": "10000", "SEND_PER_MINUTE": "60000"}

serial: Iterator[int] = itertools.count()


async def run(place: Path) -> None:
    """Prints the figures."""
    async with staged(place, 1, **UNPACED) as stage:
        conversation = await _talking(stage)
        print(f"a send into a conversation, best of {ROUNDS} × {SECONDS:.0f} s, one process each")
        print(f"{'':24}{'in flight':>10}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}"
              f"{'× upstream':>12}{'of same I/O':>14}")  # fmt: skip
        for in_flight in IN_FLIGHT:
            best = {UPSTREAM: await _upstream(stage, in_flight)}
            for target in FUNCTIONS:
                best[target] = await _best(stage, target, conversation, in_flight)
            _show(best, in_flight)


def _show(best: dict[str, load.Figures], in_flight: int) -> None:
    for target, figures in best.items():
        times = figures.p50 / best[UPSTREAM].p50
        share = figures.per_second / best["same_send"].per_second
        print(
            f"{target:24}{in_flight:>10}{figures.per_second:>10.0f}"
            f"{figures.p50:>10.1f}{figures.p99:>10.1f}{times:>12.2f}{share:>14.2f}"
        )


async def _talking(stage: Stage) -> str:
    """The conversation of a line that somebody wrote to."""
    await stage.ensure("acme")
    await stage.scan(name_of("acme"), "5511999990001")
    await stage.received(name_of("acme"), MARIA, "oi")
    await stage.quiet()
    (found,) = (await stage.call("GET", "/conversations", "acme")).json()["conversations"]
    await stage.fault(webhook_lost=True)  # what echoes cost is the intake's benchmark
    return str(found["id"])


async def _upstream(stage: Stage, in_flight: int) -> load.Figures:
    port, path = stage.evolution_port, f"/message/sendText/{name_of('acme')}"

    def ask() -> bytes:
        body = json.dumps({"number": MARIA, "text": f"texto {next(serial)}"}).encode()
        return load.request(port, "POST", path, body, apikey=KEY)

    return await load.measure([port], ask, in_flight, SECONDS)


async def _best(stage: Stage, target: str, conversation: str, in_flight: int) -> load.Figures:
    with served(stage, target, FUNCTIONS[target]) as process:

        def ask() -> bytes:
            turn = next(serial)
            body = json.dumps({"conversation": conversation, "text": f"texto {turn}"}).encode()
            return load.request(
                process.port, "POST", "/", body,
                authorization=f"Bearer {token('acme')}", idempotency_key=f"k{turn}",
            )  # fmt: skip

        await until_answered(process.port, ask())
        rounds = [
            await load.measure([process.port], ask, in_flight, SECONDS) for _ in range(ROUNDS)
        ]
    return max(rounds, key=lambda figures: figures.per_second)
