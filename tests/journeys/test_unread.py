"""What is unread falls when it is answered or read, whoever does it and in whatever order."""

import itertools
from typing import Any

import pytest

from shared.domain.fleet.gaps import Window
from shared.domain.names import LineId, TenantId
from shared.domain.search import tokens_of
from shared.store import LineScope
from shared.store.messages.write import TIDIED_EVERY
from tests.adapters.posted import read_message
from tests.journeys.test_conversations import inbox, only
from tests.journeys.test_sending import MARIA, OWN, send, talk
from tests.perene import Perene, name_of

AT = 1_795_302_000


async def post(perene: Perene, event: str, data: dict[str, Any]) -> None:
    envelope = {
        "event": event, "instance": name_of("acme"), "data": data,
        "date_time": perene.clock().isoformat(), "sender": f"{OWN}@s.whatsapp.net",
    }  # fmt: skip
    headers = perene.webhook_headers(name_of("acme"))
    assert (await perene.http.post("/webhook", json=envelope, headers=headers)).status_code == 204


def inbound(name: str, at: int) -> tuple[str, dict[str, Any]]:
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": False, "id": name}
    content = {"conversation": "tem vaga hoje?"}
    return "messages.upsert", {"key": key, "message": content, "messageTimestamp": AT + at}


def answered(name: str, at: int) -> tuple[str, dict[str, Any]]:
    event, data = inbound(name, at)
    return event, data | {"key": data["key"] | {"fromMe": True}}


def read(name: str) -> tuple[str, dict[str, Any]]:
    update = {"keyId": name, "remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": False}
    return "messages.update", update | {"status": "READ"}


@pytest.fixture
async def paired(on_2: Perene) -> Perene:
    await on_2.pair(number=OWN)
    return on_2


ORDERS = [
    ("an answer on the phone", [inbound("I1", 1), answered("O2", 2)], 0),
    ("what comes after it", [inbound("I1", 1), answered("O2", 2), inbound("I3", 3)], 1),
    ("a reading on the phone", [inbound("I1", 1), inbound("I2", 2), read("I1")], 1),
    ("a reading of the last", [inbound("I1", 1), inbound("I2", 2), read("I2")], 0),
]


@pytest.mark.parametrize(
    ("events", "unread"), [case[1:] for case in ORDERS], ids=[case[0] for case in ORDERS]
)
async def test_unread_ignores_the_order(
    paired: Perene, events: list[tuple[str, dict[str, Any]]], unread: int
):
    for order in itertools.permutations([*events, events[0]]):
        paired.database.recursive_delete(paired.database.collection("tenants/acme/messages"))
        paired.database.recursive_delete(paired.database.collection("tenants/acme/conversations"))

        for event, data in order:
            await post(paired, event, data)

        assert (await only(paired))["unread"] == unread
        await inbox(paired)  # one page mends the preview, the next what `?unread=true` asks for
        assert len(await inbox(paired, "?unread=true")) == (unread > 0)


async def test_answer_of_the_api_reads(paired: Perene):
    conversation = await talk(paired)

    await send(paired, conversation=conversation, text="às 15h")

    assert (await only(paired))["unread"] == 0
    assert await inbox(paired, "?unread=true") == []


async def test_unread_mark_lasts_until_reading(paired: Perene):
    path = f"/conversations/{await talk(paired)}"
    await paired.call("PATCH", path, json={"read": True})

    marked = await paired.call("PATCH", path, json={"read": False})

    assert marked.json()["unread"] == 1
    assert len(await inbox(paired, "?unread=true")) == 1
    assert (await paired.call("PATCH", path, json={"read": True})).json()["unread"] == 0


async def test_late_message_is_unread(paired: Perene):
    await post(paired, *inbound("I2", 2))
    path = f"/conversations/{(await only(paired))['id']}"
    await paired.call("PATCH", path, json={"read": True})

    await post(paired, *inbound("I1", 1))

    assert (await only(paired))["unread"] == 1


async def test_many_unread_keep_document_small(paired: Perene):
    for at in range(TIDIED_EVERY + 5):
        await post(paired, *inbound(f"I{at}", at))

    assert (await only(paired))["unread"] == TIDIED_EVERY + 5
    (summary,) = paired.documents("tenants/acme/conversations").values()
    assert len(summary["unread_at"]) < TIDIED_EVERY


async def test_reading_before_history_reads(paired: Perene):
    await post(paired, *inbound("I1", 1))
    await post(paired, *read("I2"))

    await post(paired, "messages.set", [inbound("I2", 2)[1]])

    assert (await only(paired))["unread"] == 0


async def test_reading_before_backfill_reads(paired: Perene):
    await post(paired, *inbound("I1", 1))
    await post(paired, *read("I2"))
    missed = read_message(key=inbound("I2", 2)[1]["key"], messageTimestamp=AT + 2)
    scope = LineScope(TenantId("acme"), LineId("default"), OWN)

    window = Window(OWN, AT * 1000, AT * 1000 + 9_000)
    await paired.store.missed_windows.backfill(scope, [missed], window, now=AT * 1000)

    assert (await only(paired))["unread"] == 0


async def test_reading_drops_tokens_of_earlier_names(paired: Perene):
    for at, name in enumerate(("Mariana", "Mariana Souza", "Loja")):
        event, data = inbound(f"I{at}", at)
        await post(paired, event, data | {"pushName": name})
    path = f"/conversations/{(await only(paired))['id']}"

    await paired.call("PATCH", path, json={"read": True})

    (summary,) = paired.documents("tenants/acme/conversations").values()
    assert summary["tokens"] == [*tokens_of(MARIA, "Loja")]
