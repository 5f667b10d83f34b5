"""Webhooks that are too large, too many or too odd: nothing of them that fits is lost."""

import asyncio
import json
import time
from datetime import timedelta
from typing import Any
from unittest import mock

import httpx
import pytest
from google.cloud.firestore_v1.types import Value, WriteResult

from shared.domain.kept_messages import KeptMessage
from shared.media import serving
from shared.store import base
from tests.cases import in_each
from tests.perene import Perene

OWN, MARIA = "5511999990001", "5511988887777"
NOW = int(time.time())
HUGE = "x" * 1_100_000


async def test_oversized_message_loses_no_history(on_2: Perene):
    name = await on_2.pair()
    past = [said(f"H{number:04}", at=NOW - 500 + number) for number in range(250)]
    past[5] = said("HUGE", HUGE, at=NOW - 495)

    answer = await post(on_2, name, "messages.set", past)

    assert answer.status_code == 204
    assert len(kept(on_2)) == 249


async def test_long_history_messages_are_kept(on_2: Perene):
    name = await on_2.pair()
    past = [said(f"L{number:04}", "😀" * 60_000, at=NOW - 500 + number) for number in range(48)]

    answer = await post(on_2, name, "messages.set", past)

    assert answer.status_code == 204
    assert len(kept(on_2)) == 48


async def test_one_webhooks_events_are_stored_concurrently(on_2: Perene):
    name = await on_2.pair()
    target = {"reactionMessage": {"key": {"id": "T"}, "text": "x"}}
    messages = [said(f"R{number}") | {"message": target} for number in range(64)]

    with mock.patch.object(base.Database, "commit", counted := Counted()):
        answer = await post(on_2, name, "messages.set", messages)

    assert answer.status_code == 204
    assert counted.peak > 1


@in_each(
    ("event", "data"),
    [
        ("contacts.upsert", [{"remoteJid": f"{MARIA}@s.whatsapp.net", "pushName": HUGE}]),
        ("groups.upsert", [{"id": "120363000000000001@g.us", "subject": HUGE}]),
        ("qrcode.updated", {"qrcode": {"code": HUGE, "base64": "data:x"}}),
    ],
    ids=["a name", "a subject", "a code"],
)
async def test_unstorable_event_is_accepted(on_2: Perene, event: str, data: Any):
    name = (await on_2.ensure()).json()["instance"]
    await post(on_2, name, "messages.upsert", said("A1"))

    answer = await post(on_2, name, event, data)

    assert answer.status_code == 204


async def test_oversized_text_is_a_dead_letter(on_2: Perene):
    name = await on_2.pair()

    answer = await post(on_2, name, "messages.upsert", said("BIG", "x" * 12_000_000))

    assert answer.status_code == 204
    (letter,) = on_2.documents("dead_letters").values()
    assert letter["reason"] == "too large to keep"


async def test_history_names_contact_despite_ours(on_2: Perene):
    name = await on_2.pair()
    past = [said("P1", at=NOW - 9, pushName="Maria"), said("P2", me=True, at=NOW - 5)]

    await post(on_2, name, "messages.set", past)

    (conversation,) = await inbox(on_2)
    assert conversation["contact"]["name"] == "Maria"


async def test_history_teaches_lids(on_2: Perene):
    name = await on_2.pair()
    past = [said("P1", at=NOW - 9, key={"remoteJidAlt": "777@lid"}), said("P2", at=NOW - 5)]

    await post(on_2, name, "messages.set", past)
    await post(on_2, name, "messages.upsert", said("P3", jid="777@lid"))

    assert len(await inbox(on_2)) == 1


async def test_a_broken_body_keeps_no_secret(on_2: Perene):
    name = await on_2.pair()
    broken = f'{{"event":"messages.upsert","instance":"{name}","apikey":"SECRET-KEY","data":{{'

    await on_2.http.post("/webhook", content=broken.encode(), headers=on_2.webhook_headers(name))

    (letter,) = on_2.documents("dead_letters").values()
    assert "SECRET-KEY" not in letter["raw"]


async def test_file_with_long_name_is_served(on_2: Perene):
    name = await on_2.pair()
    document = {"mimetype": "application/pdf", "fileName": "ç" * 60_000, "fileLength": 3}
    await post(
        on_2, name, "messages.upsert", said("D") | {"message": {"documentMessage": document}}
    )
    (message,) = kept(on_2).values()

    _, disposition = serving._choose_treatment(KeptMessage.model_validate(message), "x/y", None)

    assert len(disposition) < 2_000


async def test_long_name_does_not_cost_message(on_2: Perene):
    name = await on_2.pair()

    await post(on_2, name, "messages.upsert", said("LN", pushName="n" * 600_000))

    assert kept(on_2)


class Counted:
    """In the place of a commit: how many were under way at once."""

    def __init__(self) -> None:
        self.now = self.peak = 0

    async def __call__(self, *_: object) -> list[Any]:
        self.now += 1
        self.peak = max(self.peak, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return [WriteResult(transform_results=[Value(integer_value=1)])]


@pytest.mark.parametrize("event", ["messages.upsert", "messages.set"])
async def test_future_message_leaves_the_top(on_2: Perene, event: str):
    name, since = await on_2.pair(), seconds(on_2)
    future = said("FUTURE", "de 2243", at=8_640_000_000)
    await post(on_2, name, event, future if event == "messages.upsert" else [future])
    (message,) = kept(on_2).values()
    until = seconds(on_2)

    on_2.clock.advance(timedelta(minutes=5))
    await post(on_2, name, "messages.upsert", future)
    today = said("TODAY", "de hoje", "5521999990001@s.whatsapp.net", at=seconds(on_2))
    await post(on_2, name, "messages.upsert", today)

    assert [conversation["last"]["text"] for conversation in await inbox(on_2)] == [
        "de hoje",
        "de 2243",
    ]
    assert since * 1000 <= message["at"] <= until * 1000
    assert kept(on_2)["default~FUTURE"]["at"] == message["at"], "told again, it is where it was"


async def test_delivery_ignores_the_date(on_2: Perene):
    name = await on_2.pair()
    update = {"keyId": "MINE", "remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True}

    await post(on_2, name, "messages.update", update | {"status": "READ"})
    await post(on_2, name, "send.message", said("MINE", me=True, at=8_640_000_000))
    await post(on_2, name, "messages.update", update | {"status": "DELIVERY_ACK"})

    (conversation,) = await inbox(on_2)
    assert conversation["last_at"] <= seconds(on_2) * 1000
    path = f"/conversations/{conversation['id']}/messages"
    (message,) = (await on_2.call("GET", path)).json()["messages"]
    assert message["delivery"] == "read"


def seconds(perene: Perene) -> int:
    return int(perene.clock().timestamp())


async def post(perene: Perene, name: str, event: str, data: Any) -> httpx.Response:
    """The server of the line posts it."""
    envelope = {"event": event, "instance": name, "data": data, "sender": f"{OWN}@s.whatsapp.net"}
    body = json.dumps(envelope, ensure_ascii=False).encode()
    return await perene.http.post("/webhook", content=body, headers=perene.webhook_headers(name))


def said(
    id: str,
    text: str = "oi",
    jid: str = f"{MARIA}@s.whatsapp.net",
    me: bool = False,
    at: int = NOW,
    key: dict[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A message as a server posts it."""
    whole = {"id": id, "remoteJid": jid, "fromMe": me, **(key or {})}
    return {"key": whole, "message": {"conversation": text}, "messageTimestamp": at, **more}


def kept(perene: Perene) -> dict[str, dict[str, Any]]:
    """The tenant's messages, without stubs."""
    stored = perene.documents("tenants/acme/messages")
    return {name: message for name, message in stored.items() if "kind" in message}


async def inbox(perene: Perene) -> list[dict[str, Any]]:
    """The tenant's conversations."""
    conversations: list[dict[str, Any]] = (await perene.call("GET", "/conversations")).json()[
        "conversations"
    ]
    return conversations
