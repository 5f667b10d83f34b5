"""The naive handler does its work where nothing comes twice at once or out of order."""

import uuid
from typing import Any

import httpx
from google.cloud import firestore

from infra.costs import NAIVE_DELIVERY, NAIVE_ECHO, NAIVE_RECEIVED, NAIVE_SENT, Operations
from tests.adapters.counting import counting
from tests.benchmarks import naive
from tests.proofs.posting import AT, MARIA, Event, message_event

INSTANCE = "instance_acme"
CONVERSATION = f"{INSTANCE}_{MARIA}@s.whatsapp.net"


async def test_calm_events_are_recorded(firestore_emulator: str):
    database = firestore.AsyncClient(project=f"t-{uuid.uuid4().hex[:20]}")
    _, data = message_event("3A2", "olá", AT + 1, fromMe=True)
    written = message_event("3A1", "oi", AT)
    status = {"keyId": "3A2", "status": "READ"}
    costs = []

    for event in (written, written, ("send.message", data), ("messages.update", status)):
        with counting(database) as counted:
            await naive.record_webhook(database, envelope(event))
        costs.append(Operations(counted.reads, counted.writes, counted.deletes))

    assert costs == [NAIVE_RECEIVED, NAIVE_ECHO, NAIVE_RECEIVED, NAIVE_DELIVERY]
    messages = [message.to_dict() async for message in database.collection(naive.MESSAGES).stream()]
    assert {(message["text"], message["status"]) for message in messages} == {
        ("oi", None),
        ("olá", "READ"),
    }
    (conversation,) = await database.collection(naive.CONVERSATIONS).get()
    assert conversation.id == CONVERSATION
    assert (conversation.get("unread"), conversation.get("last_message")) == (1, "olá")


async def test_send_costs_what_costs_say(firestore_emulator: str):
    database = firestore.AsyncClient(project=f"t-{uuid.uuid4().hex[:20]}")
    _, receipt = message_event("3A2", "olá", AT + 1, fromMe=True)
    answer = httpx.MockTransport(lambda _: httpx.Response(201, json=receipt))
    await naive.record_webhook(database, envelope(message_event("3A1", "oi", AT)))

    async with httpx.AsyncClient(transport=answer, base_url="http://main.test") as server:
        with counting(database) as counted:
            await naive.send_text(database, server, INSTANCE, CONVERSATION, "olá")

    assert Operations(counted.reads, counted.writes, counted.deletes) == NAIVE_SENT


def envelope(event: Event) -> dict[str, Any]:
    kind, data = event
    return {"event": kind, "instance": INSTANCE, "data": data}
