"""Who may change what was said: whoever said it; and what is left of it then."""

import datetime
import time
from typing import Any

import pytest

from tests.journeys.test_odd_intake import MARIA, inbox, kept, post, said
from tests.perene import Perene

NOW = int(time.time())
ANA = "5521977776666@s.whatsapp.net"
GROUP = "120363000000000001@g.us"


def an_order(target: str, text: str | None = None, at: int = NOW) -> dict[str, Any]:
    """Build the order that edits a message, or without a text revokes it."""
    key = {"key": {"id": target}, "timestampMs": at * 1000}
    if text is None:
        return {"protocolMessage": {**key, "type": "REVOKE"}}
    edited = {"editedMessage": {"conversation": text}}
    return {"protocolMessage": {**key, **edited, "type": "MESSAGE_EDIT"}}


async def order(perene: Perene, name: str, id: str, what: dict[str, Any], **by: Any) -> None:
    """Somebody's phone sends it."""
    message = {**said(id, **by), "message": what}
    assert (await post(perene, name, "messages.upsert", message)).status_code == 204


async def thread(perene: Perene, query: str = "") -> dict[str, Any]:
    """The only conversation's messages."""
    (conversation,) = await inbox(perene)
    answer = await perene.call("GET", f"/conversations/{conversation['id']}/messages{query}")
    body: dict[str, Any] = answer.json()
    return body


async def test_contact_cannot_rewrite_what_we_said(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("OURS", "R$ 1000", me=True))

    await order(on_2, name, "X1", an_order("OURS", "R$ 1"))

    (message,) = (await thread(on_2))["messages"]
    assert (message["text"], message["edited"]) == ("R$ 1000", False)


async def test_unsigned_event_rewrites_nothing(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("OURS", "R$ 1000", me=True))
    key = {"remoteJid": "5511999990001@s.whatsapp.net", "fromMe": True, "id": "OURS"}

    for forged in (key, {**key, "fromMe": False}, {"id": "OURS"}):
        edit = {**an_order("OURS", "R$ 1")["protocolMessage"], "key": forged}
        assert (await post(on_2, name, "messages.edited", edit)).status_code == 204

    assert (await thread(on_2))["messages"][0]["text"] == "R$ 1000"


async def test_edit_on_our_phone_is_shown(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("OURS", "R$ 1000", me=True))
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True, "id": "OURS"}

    edit = {**an_order("OURS", "R$ 900")["protocolMessage"], "key": key}
    await post(on_2, name, "messages.edited", edit)

    (message,) = (await thread(on_2))["messages"]
    assert (message["text"], message["history"]) == ("R$ 900", ["R$ 1000"])


async def test_another_contact_cannot_revoke_ours(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("OURS", "contrato", me=True))

    await order(on_2, name, "X1", an_order("OURS"), jid=ANA)
    gone = {"remoteJid": ANA, "fromMe": False, "id": "OURS"}
    assert (await post(on_2, name, "messages.delete", gone)).status_code == 204

    assert (await thread(on_2))["messages"][0]["text"] == "contrato"


async def test_member_cannot_edit_anothers_message(on_2: Perene):
    name = await on_2.pair()
    by_maria = {"participant": f"{MARIA}@s.whatsapp.net"}
    await post(on_2, name, "messages.upsert", said("G1", "sim", jid=GROUP, key=by_maria))

    await order(on_2, name, "X1", an_order("G1", "não"), jid=GROUP, key={"participant": ANA})

    assert (await thread(on_2))["messages"][0]["text"] == "sim"
    await order(on_2, name, "X3", an_order("G1"), jid=GROUP, key=by_maria)
    assert (await thread(on_2))["messages"][0]["revoked"]


async def test_toggled_reactions_are_kept_once(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("T", me=True))
    reactions = [
        {
            "reactionMessage": {
                "key": {"id": "T"},
                "text": "👍",
                "senderTimestampMs": NOW * 1000 + at,
            }
        }
        for at in range(300)
    ]
    messages = [
        said(f"R{at:0>100}") | {"message": reaction} for at, reaction in enumerate(reactions)
    ]

    assert (await post(on_2, name, "messages.upsert", messages)).status_code == 204

    assert len(kept(on_2)["default~T"]["reactions"]["551188887777"]) < 50
    assert (await thread(on_2))["messages"][0]["reactions"] == {"551188887777": "👍"}


async def test_repeated_revocation_counts_once(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("V1", "PALAVRA"))
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": False, "id": "V1"}

    first = await post(on_2, name, "messages.edited", {"key": key, "type": "REVOKE"})
    assert (await thread(on_2))["messages"][0]["revoked"]
    second = await post(on_2, name, "messages.delete", key)

    assert (first.status_code, second.status_code) == (204, 204)
    assert (await thread(on_2))["messages"][0]["revoked"]


@pytest.mark.parametrize("first", ["the quote", "the revocation"])
async def test_revoked_words_are_nowhere(on_2: Perene, first: str):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("V1", "PALAVRA", pushName="Maria"))
    context = {"stanzaId": "V1", "quotedMessage": {"conversation": "PALAVRA"}}
    quote = said("V2") | {
        "message": {"extendedTextMessage": {"text": "re", "contextInfo": context}}
    }
    if first == "the quote":
        await post(on_2, name, "messages.upsert", quote)

    await order(on_2, name, "V3", an_order("V1"))
    await post(on_2, name, "messages.upsert", quote)

    assert "PALAVRA" not in str(await thread(on_2))
    if first == "the quote":
        assert "PALAVRA" not in str(on_2.documents("tenants/acme/messages"))
        assert "PALAVRA" not in str(on_2.documents("tenants/acme/conversations"))


# Told as history too -------------------------------------------------------------------------


@pytest.mark.parametrize("events", [("messages.set", "messages.upsert"), ("messages.upsert",) * 2])
async def test_news_after_history_is_unread(on_2: Perene, events: tuple[str, ...]):
    name = await on_2.pair()

    for event in (*events, *events):
        await post(on_2, name, event, [said("S1")])

    (conversation,) = await inbox(on_2)
    assert conversation["unread"] == 1


async def test_history_keeps_archived(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("S1"))
    (conversation,) = await inbox(on_2)
    await on_2.call("PATCH", f"/conversations/{conversation['id']}", json={"archived": True})

    await post(on_2, name, "messages.set", [said("S0", at=NOW - 9999)])

    assert await inbox(on_2) == []
    await post(on_2, name, "messages.upsert", said("S2"))
    assert len(await inbox(on_2)) == 1


async def test_unreadable_history_message_is_dead_letter(on_2: Perene):
    name = await on_2.pair()
    past = [said(f"H{at:04}", "y" * 5_000, at=NOW - 500 + at) for at in range(250)]
    past.append({**said("LOST", "precioso"), "messageTimestamp": None})

    assert (await post(on_2, name, "messages.set", past)).status_code == 204

    (letter,) = on_2.documents("dead_letters").values()
    assert "precioso" in letter["raw"]
    assert not letter["cut"]
    assert len(kept(on_2)) == 250


async def test_oversized_history_message_is_dead_letter(on_2: Perene):
    name = await on_2.pair()
    past = [said(f"H{at:04}", "y" * 5_000, at=NOW - 500 + at) for at in range(250)]
    past[3] = said("HUGE", "precioso" + "x" * 1_100_000, at=NOW - 497)

    await post(on_2, name, "messages.set", past)

    (letter,) = on_2.documents("dead_letters").values()
    assert "precioso" in letter["raw"]
    assert "H0004" not in letter["raw"]


async def test_poll_tells_what_merge_brought(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("K1", at=NOW - 50))
    await post(on_2, name, "messages.upsert", said("N1", "oculta", jid="777@lid", at=NOW - 40))
    row = next(
        conversation for conversation in await inbox(on_2) if conversation["contact"].get("number")
    )
    path = f"/conversations/{row['id']}/messages"
    since = (await on_2.call("GET", path)).json()["since"]
    on_2.clock.advance(datetime.timedelta(minutes=5))
    since = (await on_2.call("GET", f"{path}?since={since}")).json()["since"]

    await post(on_2, name, "messages.upsert", said("K2", at=NOW, key={"remoteJidAlt": "777@lid"}))
    await inbox(on_2)

    messages = (await on_2.call("GET", f"{path}?since={since}")).json()["messages"]
    assert {"K2", "N1"} <= {message["id"] for message in messages}
