"""What an attack found: odd answers, late evidence, and ways around a budget."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.store import LineScope
from tests.cases import in_each
from tests.journeys.test_sending import ANA, JPEG, MARIA, OWN, outcome, said, send, talk, thread
from tests.perene import Perene

OI = {"message": {"conversation": "oi"}}
JID = f"{MARIA}@s.whatsapp.net"


@pytest.fixture
async def open_2(on_2: Perene) -> Perene:
    """Open one line, on 2.x."""
    await on_2.pair(number=OWN)
    return on_2


def answering(perene: Any, change: Any) -> None:
    """Replace what the server answers to sends, after it did them."""
    through = perene.hosts.handle_async_request

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = await through(request)
        if "/message/" not in request.url.path:
            return answer
        await answer.aread()
        status, body = change(answer.json())
        return httpx.Response(status, json=body)

    perene.hosts.handle_async_request = handle


def failing(*texts: str, status: int = 400) -> Any:
    return lambda _: (
        status,
        {"status": status, "error": "x", "response": {"message": list(texts)}},
    )


PRISMA = (
    "PrismaClientKnownRequestError: \nInvalid `prisma.message.create()` invocation in\n"
    '/evolution/dist/main.js:%s:12\n data: { message: { conversation: "%s" } }\n'
    "Foreign key constraint violated"
)


@pytest.mark.parametrize(
    ("line", "words"), [("463", "oi"), ("9", "sala 463"), ("9", "deu Connection Closed aqui")]
)
async def test_database_error_after_send_is_doubt(open_2: Perene, line: str, words: str):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on("webhook_lost", events="send.message")
    answering(open_2, failing(PRISMA % (line, words)))
    await send(open_2, "k1", conversation=conversation, text=words)
    await send(open_2, "k1", conversation=conversation, text=words)
    assert len(said(open_2)) == 1


async def test_broken_cache_makes_send_uncertain(open_2: Perene):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on("webhook_lost", events="send.message")
    answering(open_2, failing("Error: connect ECONNREFUSED 10.0.0.7:6379", status=500))
    body = {"conversation": conversation, "image": {"base64": JPEG}}
    await send(open_2, "k1", **body)
    await send(open_2, "k1", **body)
    assert len(open_2.evolution.sent_messages()) == 1


async def test_late_retry_keeps_key_longer(open_2: Perene):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on("media_unreachable")
    body = {"conversation": conversation, "image": {"url": "https://cdn.perene.com/a.jpg"}}
    await send(open_2, "k1", **body)
    open_2.evolution.faults.turn_off("media_unreachable")
    open_2.clock.advance(timedelta(days=6, hours=23))
    assert (await send(open_2, "k1", **body)).status_code == 201
    record = open_2.documents("tenants/acme/sends")["k1"]
    assert record["expires_at"] - record["asked_at"] > timedelta(days=1)


async def test_lid_pays_for_new_contact(open_2: Perene):
    open_2.set(SEND_NEW_CONTACTS_PER_DAY="0")
    assert (await send(open_2, to=ANA, text="oi")).status_code == 429
    answer = await send(open_2, to="123456789012345@lid", text="oi")
    assert answer.status_code in (422, 429), answer.text


async def test_restricted_line_refuses_unknown_lid(open_2: Perene):
    (name,) = open_2.documents("instances")
    open_2.write(f"instances/{name}", restricted_at=datetime.now(UTC))
    assert (await send(open_2, to=ANA, text="oi")).status_code == 409
    answer = await send(open_2, to="123456789012345@lid", text="oi")
    assert answer.status_code in (409, 422), answer.text


async def test_earlier_phone_message_is_no_evidence(open_2: Perene):
    conversation = await talk(open_2)
    (name,) = open_2.documents("instances")
    await open_2.evolution.receive_message(
        name,
        {
            "key": {"remoteJid": JID, "fromMe": True, "id": "3ATYPEDONPHONE"},
            "message": {"conversation": "ok"},
        },
    )
    await open_2.evolution.drain()
    assert "ok" in [message["text"] for message in await thread(open_2, conversation)]
    await asyncio.sleep(1.1)
    open_2.evolution.faults.turn_on("cut_before", route="sendText", count=1)
    await send(open_2, "k1", conversation=conversation, text="ok")
    assert said(open_2) == []
    assert (await outcome(open_2, "k1")).json()["state"] == "uncertain"


async def test_uncertain_send_survives_conversation_merge(open_2: Perene):
    (name,) = open_2.documents("instances")
    lid = "123456789012345@lid"
    await open_2.evolution.receive_message(name, {"key": {"remoteJid": lid}, **OI})
    await open_2.evolution.drain()
    (conversation,) = (await open_2.call("GET", "/conversations")).json()["conversations"]
    open_2.evolution.faults.turn_on("webhook_lost", events="send.message")
    open_2.evolution.faults.turn_on("cut_after", route="sendText", count=1)
    answer = await send(open_2, "k1", conversation=conversation["id"], text="chegou?")
    assert answer.status_code == 202
    await open_2.evolution.receive_message(
        name,
        {
            "key": {
                "remoteJid": lid,
                "remoteJidAlt": JID,
                "senderPn": JID,
            },
            "message": {"conversation": "eu"},
        },
    )
    await open_2.evolution.drain()
    merged = (await open_2.call("GET", "/conversations")).json()["conversations"]
    assert [row["id"] for row in merged] != [conversation["id"]]
    shown = await open_2.call("GET", f"/conversations/{merged[0]['id']}/messages")
    listed = [request["key"] for request in shown.json()["sends"]]
    open_2.clock.advance(timedelta(seconds=30))
    state = (await outcome(open_2, "k1")).json()["state"]
    counts = {
        k: v.get("unsettled") for k, v in open_2.documents("tenants/acme/conversations").items()
    }
    assert (state, listed) == ("sent", ["k1"]), counts


@in_each("url", ["https://x.localhoſt/a.jpg", "https://svc.teſt/a.jpg"])
async def test_unicode_internal_address_is_refused(open_2: Perene, url: str):
    conversation = await talk(open_2)
    answer = await send(open_2, conversation=conversation, image={"url": url})
    assert answer.status_code == 422


@in_each(
    "change",
    [
        {"key": {"id": "a/b", "remoteJid": JID, "fromMe": True}},
        {"key": {"id": "x" * 2000, "remoteJid": JID, "fromMe": True}},
        {
            "key": {"id": "3EB0X", "remoteJid": JID, "fromMe": True},
            "message": None,
        },
        {"key": {"id": "3EB0X", "remoteJid": "status@broadcast", "fromMe": True}},
        {"key": {"id": "3EB0X", "remoteJid": f"{ANA}@s.whatsapp.net", "fromMe": True}},
        {
            "key": {"id": "3EB0X", "remoteJid": JID, "fromMe": True},
            "message": {"new": {"x": "a" * 1_200_000}},
        },
    ],
)
async def test_an_odd_answer_is_no_crash(open_2: Perene, change: dict[str, Any]):
    conversation = await talk(open_2)
    answering(open_2, lambda body: (201, {**body, **change}))
    answer = await send(open_2, conversation=conversation, text="oi")
    assert answer.status_code in (201, 202), answer.text
    assert answer.json()["conversation"] == conversation


async def test_overruled_send_is_uncertain_again(open_2: Perene):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on("cut_before", route="sendText", count=1)
    await send(open_2, "k1", conversation=conversation, text="ok")
    store = open_2.store
    original = store.sends.record_sent

    async def sent(one: Any, message: Any, now: int) -> Any:
        """Record the echo first, so that it is taken for the other's, and then the send."""
        through = LineScope(one.tenant, one.line, one.number)
        await store.messages.record(through, message, unread=False, now=now)
        of = await store.conversations.find(one.tenant, one.conversation)
        await store.sends.match_message(
            await store.sends.find(one.tenant, "k1"), message.id, of, now
        )
        return await original(one, message, now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.sends, "record_sent", sent)
        await send(open_2, "k2", conversation=conversation, text="ok")

    sends = open_2.documents("tenants/acme/sends")
    assert (sends["k1"]["state"], sends["k1"]["why"]) == ("uncertain", "no_answer")
    assert sends["k2"]["state"] == "sent"
    assert open_2.documents("tenants/acme/conversations")[conversation]["unsettled"] == 1


async def test_echo_after_merge_answers_send(open_2: Perene):
    (name,) = open_2.documents("instances")
    lid, key = (
        "123456789012345@lid",
        {"remoteJid": "123456789012345@lid", "remoteJidAlt": JID},
    )
    await open_2.evolution.receive_message(name, {"key": {"remoteJid": lid}, **OI})
    await open_2.evolution.drain()
    (conversation,) = (await open_2.call("GET", "/conversations")).json()["conversations"]
    open_2.evolution.faults.turn_on("cut_before", route="sendText", count=1)
    answer = await send(open_2, "k1", conversation=conversation["id"], text="chegou?")
    assert answer.status_code == 202
    await open_2.evolution.receive_message(name, {"key": key, "message": {"conversation": "eu"}})
    await open_2.evolution.drain()
    await open_2.call("GET", "/conversations")  # merges
    echo = {
        "key": {**key, "fromMe": True, "id": "3EB0ECHO"},
        "message": {"conversation": "chegou?"},
    }
    await open_2.evolution.receive_message(name, echo)
    await open_2.evolution.drain()
    assert "chegou?" in [m.get("text") for m in open_2.documents("tenants/acme/messages").values()]
    for _ in range(3):
        open_2.clock.advance(timedelta(seconds=30))
        answer = await outcome(open_2, "k1")
    assert answer.json()["state"] == "sent"
