"""Measure a send into a conversation, against the call itself and a bare function."""

import contextlib
import itertools
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks import load
from tests.benchmarks.report import Table
from tests.benchmarks.rounds import compare_rates, find_middle, measure_in_turn
from tests.benchmarks.served import BARE, serve_function, wait_until_answered
from tests.perene import name_of, token
from tests.proofs.stage import KEY, Stage, open_stage

MARIA = "5521988887777"
FUNCTIONS = {"same_send": BARE, "send_message": "functions/send_message.py"}
UPSTREAM = "upstream alone"
ROUNDS, SECONDS = 5, 3.0
IN_FLIGHT = (1, 16)
COLUMNS = ("function", "in flight", "req/s", "p50 ms", "p99 ms", "× upstream p50", "of same I/O")
OWN = "5511999990001"
UNPACED = {"SEND_BURST": "10000", "SEND_PER_MINUTE": "60000"}

serial: Iterator[int] = itertools.count()


async def run(place: Path) -> Sequence[Table]:
    """Measure the call alone and both functions, in turn, with so many requests in flight."""
    rows = []
    async with open_stage(place, 1, **UNPACED) as stage:
        conversation = await start_conversation(stage)
        await stage.set_faults(webhook_lost=True)  # the intake's benchmark measures echoes
        with contextlib.ExitStack() as processes:
            ports = {
                target: processes.enter_context(serve_function(stage, target, source)).port
                for target, source in FUNCTIONS.items()
            }
            for port in ports.values():
                await wait_until_answered(port, _build_send(port, conversation))
                await _measure(port, conversation, IN_FLIGHT[-1])
            for in_flight in IN_FLIGHT:
                measures = {UPSTREAM: partial(_measure_upstream, stage, in_flight)} | {
                    target: partial(_measure, port, conversation, in_flight)
                    for target, port in ports.items()
                }
                measured = await measure_in_turn(measures, ROUNDS)
                upstream = find_middle(measured, UPSTREAM)
                for target in measures:
                    middle = find_middle(measured, target)
                    share = compare_rates(measured, target, "same_send")
                    times = middle.p50 / upstream.p50
                    row = [middle.per_second, middle.p50, middle.p99, times, share]
                    rows.append([target, in_flight, *row])
    rounds = f"the middle of {ROUNDS} × {SECONDS:.0f} s"
    title = f"A send into a conversation, one process each, {rounds}"
    return [Table(title, COLUMNS, rows)]


async def start_conversation(stage: Stage, tenant: str = "acme", number: str = OWN) -> str:
    """Pair a line, receive a message, and return the conversation's id."""
    await stage.ensure(tenant)
    await stage.scan(name_of(tenant), number)
    await stage.receive_text(name_of(tenant), MARIA, "oi")
    await stage.wait_until_posted()
    (conversation,) = (await stage.call("GET", "/conversations", tenant)).json()["conversations"]
    return str(conversation["id"])


async def _measure_upstream(stage: Stage, in_flight: int) -> load.Figures:
    port, path = stage.evolution_port, f"/message/sendText/{name_of('acme')}"

    def build() -> bytes:
        body = json.dumps({"number": MARIA, "text": f"texto {next(serial)}"}).encode()
        return load.build_request(port, "POST", path, body, apikey=KEY)

    return await load.measure([port], build, in_flight, SECONDS)


async def _measure(port: int, conversation: str, in_flight: int) -> load.Figures:
    return await load.measure([port], lambda: _build_send(port, conversation), in_flight, SECONDS)


def _build_send(port: int, conversation: str) -> bytes:
    turn = next(serial)
    body = json.dumps({"conversation": conversation, "text": f"texto {turn}"}).encode()
    return load.build_request(
        port, "POST", "/", body,
        authorization=f"Bearer {token('acme')}", idempotency_key=f"k{turn}",
    )  # fmt: skip
