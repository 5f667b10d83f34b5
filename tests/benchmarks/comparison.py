"""Measure Perene next to the naive handler: billed operations, and new messages per second."""

import contextlib
import json
import random
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import jwt
from google.cloud import firestore

from tests.adapters.counting import counting
from tests.benchmarks import load, naive
from tests.benchmarks.report import Table
from tests.benchmarks.served import serve_function, wait_until_answered
from tests.perene import Perene, name_of
from tests.proofs.posting import AT, MARIA, Event, message_event
from tests.proofs.stage import Stage

NAME = name_of("acme")
ROUNDS, SECONDS = 2, 3.0
IN_FLIGHT = (1, 16, 64)
PEOPLE = [f"55118{at:08}" for at in range(200)]
WEIGHTS = [1 / (rank + 1) for rank in range(len(PEOPLE))]
TOKEN = "the webhooks' token of the comparison"
COUNTS = ("reads", "writes", "calls")


async def count_operations(_: Path) -> Sequence[Table]:
    """Count what both do for the same webhooks and requests."""
    async with Perene() as perene:
        with redirect_stdout(StringIO()):  # the log
            await perene.pair()
            rows = await _count_rows(perene)
    columns = [f"{target} {count}" for target in ("Perene", "naive") for count in COUNTS]
    title = "Documents read and written, and calls to Evolution, by Perene and the naive handler"
    return [Table(title, ("", *columns), rows)]


async def measure_throughput(place: Path) -> Sequence[Table]:
    """Keep both busy with new texts, of which some people write far more than others."""
    stage = Stage(place, "2.3.6")
    stage.public_port = stage.evolution_port  # neither is called
    signed = jwt.encode({"sub": NAME, "born": 0}, stage.environment()["WEBHOOK_SECRET"], "HS256")
    targets = {
        "receive_webhook": Intake("functions/receive_webhook.py", signed, "tenants/acme/messages",
                                  "tenants/acme/conversations"),
        "naive": Intake("tests/benchmarks/naive.py", TOKEN, naive.MESSAGES, naive.CONVERSATIONS),
    }  # fmt: skip
    try:
        with contextlib.ExitStack() as processes:
            for name, intake in targets.items():
                serving = serve_function(stage, name, intake.source, WEBHOOK_TOKEN=TOKEN)
                intake.port = processes.enter_context(serving).port
                await wait_until_answered(intake.port, intake.build_webhook())
                await load.measure([intake.port], intake.build_webhook, 8, SECONDS)
            rows = [
                row for in_flight in IN_FLIGHT for row in await _measure(stage, targets, in_flight)
            ]
    finally:
        await stage.http.aclose()
    columns = ("", "in flight", "messages/s", "p50 ms", "p99 ms", "missing from unread counts")
    title = f"New texts, one process each, best of {ROUNDS} × {SECONDS:.0f} s"
    return [Table(title, columns, rows)]


@dataclass
class Intake:
    """A function that records webhooks: its source, token and port, and what it writes to."""

    source: str
    token: str
    messages: str
    conversations: str
    port: int = 0

    def build_webhook(self) -> bytes:
        """Build the request of a new text."""
        (person,) = random.choices(PEOPLE, WEIGHTS)
        body = _build_body(message_event(uuid.uuid4().hex, "Oi, tudo bem?", AT, person))
        headers = {naive.TOKEN_HEADER: self.token}
        return load.build_request(0, "POST", "/", json.dumps(body).encode(), **headers)

    def count_uncounted(self, database: firestore.Client) -> int:
        """Count the stored messages that no conversation counts as unread."""
        ((stored,),) = database.collection(self.messages).count().get()
        ((unread,),) = database.collection(self.conversations).sum("unread").get()
        return int(stored.value - unread.value)


async def _measure(
    stage: Stage, targets: Mapping[str, Intake], in_flight: int
) -> Sequence[Sequence[Any]]:
    """Measure both in turn, so that a slow moment of the machine meets both."""
    before = {name: intake.count_uncounted(stage.database) for name, intake in targets.items()}
    rounds = [
        {
            name: await load.measure([intake.port], intake.build_webhook, in_flight, SECONDS)
            for name, intake in targets.items()
        }
        for _ in range(ROUNDS)
    ]
    rows = []
    for name, intake in targets.items():
        best = max((figures[name] for figures in rounds), key=lambda one: one.per_second)
        missing = intake.count_uncounted(stage.database) - before[name]
        rows.append((name, in_flight, best.per_second, best.p50, best.p99, missing))
    return rows


async def _count_rows(perene: Perene) -> Sequence[Sequence[Any]]:
    database = firestore.AsyncClient(project=f"{perene.project}-naive")
    update = {"keyId": "3A1", "remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True}
    new = _build_body(message_event("3A1", "oi", AT))
    delivery = _build_body(("messages.update", update | {"status": "READ"}))
    webhooks = {"new message": new, "repeated message": new, "delivery update": delivery}
    headers = perene.webhook_headers(NAME)
    perene.evolution.faults.turn_on("webhook_lost")
    rows = []
    for title, body in webhooks.items():
        ours = await _count(perene, _post(perene, body, headers))
        theirs = await _count(perene, naive.record_webhook(database, body), database)
        rows.append((f"webhook: {title}", *ours, *theirs))
    async with httpx.AsyncClient(
        transport=perene.hosts, base_url="http://main.test", headers={"apikey": "key-of-main"}
    ) as server:
        ours = await _count(perene, perene.ensure())
        theirs = await _count(perene, naive.ensure_instance(server, NAME), database)
        rows.append(("ensure: the line is open", *ours, *theirs))
        (conversation,) = (await perene.call("GET", "/conversations")).json()["conversations"]
        ours = await _count(perene, _send(perene, conversation["id"]))
        sending = naive.send_text(database, server, NAME, f"{NAME}_{MARIA}@s.whatsapp.net", "oi")
        rows.append(("send into a conversation", *ours, *await _count(perene, sending, database)))
    return rows


async def _post(perene: Perene, body: dict[str, Any], headers: dict[str, str]) -> None:
    (await perene.http.post("/webhook", json=body, headers=headers)).raise_for_status()


async def _send(perene: Perene, conversation: str) -> None:
    path, headers = f"/conversations/{conversation}/messages", {"idempotency-key": "k1"}
    (await perene.call("POST", path, json={"text": "oi"}, headers=headers)).raise_for_status()


async def _count(
    perene: Perene, act: Coroutine[Any, Any, object], database: firestore.AsyncClient | None = None
) -> tuple[int, int, int]:
    """Do it; return the documents read and written (in Perene's database), and calls to servers."""
    calls = perene.evolution.world.calls_per_route
    before = calls.total()
    with counting(database or perene.store.db.client) as counted:
        await act
    return counted.reads, counted.writes, calls.total() - before


def _build_body(event: Event) -> dict[str, Any]:
    kind, data = event
    sender = "5511999990001@s.whatsapp.net"
    when = "2099-01-01T00:00:00.000Z"
    return {"event": kind, "instance": NAME, "data": data, "sender": sender, "date_time": when}


PARTS = (count_operations, measure_throughput)
"""Parts of the benchmark."""
