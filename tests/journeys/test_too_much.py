"""Too much, too long or too deep: it costs neither a message nor what has to be said of it."""

import json
import time
from typing import Any
from unittest import mock

import pytest

from shared.store import base
from tests.cases import in_each
from tests.journeys.test_odd_intake import MARIA, inbox, kept, post, said
from tests.journeys.test_who_changed_it import ANA, GROUP, an_order, order, thread
from tests.perene import Perene

NOW = int(time.time())
BY_MARIA = {"participant": f"{MARIA}@s.whatsapp.net"}


@pytest.mark.parametrize("spare", range(0, 60, 12))
async def test_huge_reactions_block_no_revocation(on_2: Perene, spare: int):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("G1", "PALAVRA", jid=GROUP, key=BY_MARIA))
    for turn, size in enumerate((1_000_000 + spare, *(2**power for power in range(15, -1, -1)))):
        emoji = {"reactionMessage": {"key": {"id": "G1"}, "text": "x" * size}}
        member = {"participant": f"552197777{turn:04}@s.whatsapp.net"}
        await order(on_2, name, f"R{turn}", emoji, jid=GROUP, key=member)

    await order(on_2, name, "RV", an_order("G1"), jid=GROUP, key=BY_MARIA)

    assert "PALAVRA" not in str(kept(on_2)["default~G1"]["text"])


async def test_early_huge_reaction_loses_nothing(on_2: Perene):
    name = await on_2.pair()
    huge = {"reactionMessage": {"key": {"id": "G1"}, "text": "x" * 1_048_250}}
    await order(on_2, name, "R", huge, jid=GROUP, key={"participant": ANA})

    await post(on_2, name, "messages.upsert", said("G1", jid=GROUP, key=BY_MARIA))

    assert "default~G1" in kept(on_2)


async def test_early_forged_edit_loses_nothing(on_2: Perene):
    name = await on_2.pair()
    huge = an_order("G1", "x" * 1_048_150)
    await order(on_2, name, "E", huge, jid=GROUP, key={"participant": ANA})

    await post(on_2, name, "messages.upsert", said("G1", jid=GROUP, key=BY_MARIA))

    assert "default~G1" in kept(on_2)


async def test_early_forged_edits_displace_none(on_2: Perene):
    name = await on_2.pair()
    await order(on_2, name, "E", an_order("G1", "novo"), jid=GROUP, key=BY_MARIA)
    forged = [
        {
            **said(f"F{at}", jid=GROUP, key={"participant": ANA}),
            "message": an_order("G1", f"falso {at}", NOW + at),
        }
        for at in range(1, 40)
    ]
    await post(on_2, name, "messages.upsert", forged)

    await post(on_2, name, "messages.upsert", said("G1", "velho", jid=GROUP, key=BY_MARIA))

    assert (await thread(on_2))["messages"][0]["text"] == "novo"


async def test_huge_reaction_blocks_no_refusal(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("OURS", "PALAVRA", me=True))
    for size in (1_047_900, 1_000_000, 500_000):
        huge = {"reactionMessage": {"key": {"id": "OURS"}, "text": "x" * size}}
        await order(on_2, name, f"R{size}", huge)

    await order(on_2, name, "RV", an_order("OURS"), me=True)
    await post(on_2, name, "messages.update", {"keyId": "OURS", "fromMe": True, "status": "ERROR"})

    message = kept(on_2)["default~OURS"]
    assert "PALAVRA" not in str(message["text"])
    assert message.get("refused")


async def test_forged_edits_hide_no_true_edit(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("OURS", "R$ 1000", me=True))
    await post(
        on_2,
        name,
        "send.message.update",
        {
            "key": {"id": "OURS"},
            "timestampMs": NOW * 1000,
            "type": 14,
            "editedMessage": {"conversation": "R$ 950"},
        },
    )
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True, "id": "OURS"}
    for at in range(1, 40):
        edit = {**an_order("OURS", f"R$ {at}", NOW + at)["protocolMessage"], "key": key}
        await post(on_2, name, "messages.edited", edit)

    (message,) = (await thread(on_2))["messages"]
    assert "R$ 950" in message["history"]


async def test_many_unreadable_items_are_quick(on_2: Perene):
    name = await on_2.pair()
    past = [said(f"H{at:05}", "y" * 700) | {"messageTimestamp": None} for at in range(900)]

    started = time.monotonic()
    answer = await post(on_2, name, "messages.set", past)

    assert answer.status_code == 204
    assert time.monotonic() - started < 5


async def test_thousands_of_unreadable_items_are_quick(on_2: Perene):
    name = await on_2.pair()
    past = [
        {"key": {"id": f"H{at}", "remoteJid": "551@s.whatsapp.net"}, "n": "y" * 100}
        for at in range(4000)
    ]

    answer = await post(on_2, name, "messages.set", past)
    assert answer.status_code == 204


async def test_unreadable_items_are_one_dead_letter(on_2: Perene):
    name = await on_2.pair()
    past = [said(f"H{at}") | {"messageTimestamp": None} for at in range(200)]
    written = 0
    really = base.Database.commit

    async def counted(self: Any, batch: Any) -> Any:
        nonlocal written
        written += len(batch._write_pbs)
        return await really(self, batch)

    with mock.patch.object(base.Database, "commit", counted):
        await post(on_2, name, "messages.set", past)

    assert len(on_2.documents("dead_letters")) == 1
    assert written == 1


@in_each("depth", range(900, 916))
async def test_deep_json_is_accepted(on_2: Perene, depth: int):
    name = await on_2.pair()
    inner = '{"a":' * depth + "1" + "}" * depth
    item = json.dumps({**said("D1"), "messageTimestamp": None, "deep": "DEEP"})
    body = json.dumps(
        {
            "event": "messages.set",
            "instance": name,
            "sender": "5511999990001@s.whatsapp.net",
            "data": ["HERE", said("OK1")],
        }
    ).replace('"HERE"', item.replace('"DEEP"', inner))
    answer = await on_2.http.post(
        "/webhook", content=body.encode(), headers=on_2.webhook_headers(name)
    )
    assert answer.status_code == 204


async def test_deep_message_loses_no_history(on_2: Perene):
    name = await on_2.pair()
    past = [said(f"H{at:04}", "y" * 5_000, at=NOW - 500 + at) for at in range(250)]
    item = said("DEEP") | {"message": "HERE"}
    envelope = {
        "event": "messages.set",
        "instance": name,
        "data": [item, *past],
        "sender": "5511999990001@s.whatsapp.net",
    }
    nested = '{"extendedTextMessage":{"text":"x","contextInfo":{"quotedMessage":' * 320
    body = json.dumps(envelope).replace('"HERE"', nested + '{"conversation":"x"}' + "}}}" * 320)

    answer = await on_2.http.post(
        "/webhook", content=body.encode(), headers=on_2.webhook_headers(name)
    )

    assert answer.status_code == 204
    assert len(kept(on_2)) >= 250


async def test_oversized_edit_in_history_is_cut(on_2: Perene):
    name = await on_2.pair()
    past = [said(f"H{at:04}", "y" * 5_000, at=NOW - 500 + at) for at in range(250)]
    past.append({**said("E1"), "message": an_order("H0003", "precioso" + "x" * 1_100_000)})

    await post(on_2, name, "messages.set", past)

    assert "precioso" in str(kept(on_2)["default~H0003"]["edits"])


async def test_history_of_large_polls_is_kept(on_2: Perene):
    name = await on_2.pair()
    poll = {"pollCreationMessageV3": {"name": "q", "options": [{"optionName": "o" * 800_000}]}}
    past = [said(f"P{at:04}", at=NOW - 500 + at) | {"message": poll} for at in range(30)]

    assert (await post(on_2, name, "messages.set", past)).status_code == 204
    assert len(kept(on_2)) == 30


async def test_page_of_long_messages_ends_early(on_2: Perene):
    name = await on_2.pair()
    for at in range(40):
        await post(on_2, name, "messages.upsert", said(f"L{at}", "x" * 1_000_000))

    (conversation,) = await inbox(on_2)
    answer = await on_2.call("GET", f"/conversations/{conversation['id']}/messages?limit=100")
    assert answer.status_code == 200
    assert len(answer.content) < 32 * 1024 * 1024


async def test_full_message_can_still_change(on_2: Perene):
    name = await full(on_2, "OURS")
    mine = {"me": True}

    longest = "novo" * 16_384
    await order(on_2, name, "LAST", an_order("OURS", longest, NOW + 9), **mine)
    await post(on_2, name, "messages.update", {"keyId": "OURS", "fromMe": True, "status": "ERROR"})
    assert (await thread(on_2))["messages"][0]["text"] == longest
    await order(on_2, name, "RV", an_order("OURS"), **mine)

    message = kept(on_2)["default~OURS"]
    assert (message["text"], message["refused"]) == (None, True)
    assert "segredo" not in str(message)


async def full(perene: Perene, id: str) -> str:
    """A message of ours whose document has no room for one more of the longest edits."""
    name = await perene.pair()
    await post(perene, name, "messages.upsert", said(id, "segredo" * 90_000, me=True))
    for turn in range(6):
        edit = an_order(id, "s" * 65_536, NOW - 99 + turn)
        await order(perene, name, f"E{turn}", edit, me=True)
    assert len(kept(perene)[f"default~{id}"]["edits"]) == 6
    return name


async def forge_long_edits(perene: Perene) -> str:
    """Let a stranger fill the stub of a message to come with edits as long as edits may be."""
    name = await perene.pair()
    for turn in range(4):
        edit = an_order("G1", "😀" * (65_500 + turn))
        await order(perene, name, f"E{turn}", edit, jid=GROUP, key={"participant": ANA})
    return name


@pytest.mark.parametrize("event", ["messages.upsert", "messages.set"])
async def test_forged_edits_spare_longest_message(on_2: Perene, event: str):
    name = await forge_long_edits(on_2)
    text = "😀" * 65_536
    longest = said("G1", text, jid=GROUP, key=BY_MARIA)

    assert (await post(on_2, name, event, [longest])).status_code == 204

    assert kept(on_2)["default~G1"]["text"] == text
    assert on_2.documents("dead_letters") == {}


@pytest.mark.parametrize("event", ["messages.upsert", "messages.set"])
async def test_unfitting_message_is_a_dead_letter(on_2: Perene, event: str):
    name = await forge_long_edits(on_2)
    fitting = said("G2", jid=GROUP, key=BY_MARIA)
    text = "x" * 850_000

    await post(on_2, name, event, [said("G1", text, jid=GROUP, key=BY_MARIA), fitting])

    (letter,) = on_2.documents("dead_letters").values()
    assert letter["reason"] == "too large to keep"
    assert text in letter["raw"]
    assert not letter["cut"]
    assert kept(on_2)["default~G2"]["text"] == "oi"


async def test_unfitting_edit_is_a_dead_letter(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("G1", "x" * 900_000, jid=GROUP, key=BY_MARIA))
    await order(on_2, name, "E1", an_order("G1", "novo"), jid=GROUP, key=BY_MARIA)

    await order(on_2, name, "E2", an_order("G1", "😀" * 65_000), jid=GROUP, key=BY_MARIA)

    (letter,) = on_2.documents("dead_letters").values()
    assert letter["reason"] == "too large to keep"
    assert "E2" in letter["raw"]
    message = kept(on_2)["default~G1"]
    assert [edit["text"] for edit in message["edits"].values()] == ["novo"]
