"""P5: any event may come any number of times, in any order, at once: the result is the same."""

import asyncio
import random
from pathlib import Path
from typing import Any

from tests.perene import name_of
from tests.proofs.posting import (
    AT,
    AT_ONCE,
    MARIA,
    NUMBER,
    Event,
    Poster,
    message_event,
    read_inbox,
)
from tests.proofs.stage import Stage, open_stage, times

PEOPLE = [MARIA, "5521977776666", "5531966665555", "14155550101", "5511955554444", "351912345678"]
HIDDEN, HIDDEN_NUMBER = "111222333@lid", "5511944443333@s.whatsapp.net"
GROUP = "120363000000000001@g.us"
WHEN = ("changed", "told", "stored_at", "logged_at")
"""Fields that say when something was stored."""


async def test_muddled_events_end_as_clean_run(firestore_emulator: str, tmp_path: Path):
    events = happened(times(100, 2000))
    arrived = muddled(events)

    clean = await outcome(tmp_path / "clean", 1, events, 1)
    muddle = await outcome(tmp_path / "muddle", 2, arrived, AT_ONCE)

    assert len(clean["messages"]) > len(events) / 4
    for collection in clean:
        differing = {
            name: (clean[collection].get(name), muddle[collection].get(name))
            for name in clean[collection].keys() | muddle[collection].keys()
            if clean[collection].get(name) != muddle[collection].get(name)
        }
        assert differing == {}


async def test_first_messages_are_one_conversation(firestore_emulator: str, tmp_path: Path):
    async with open_stage(tmp_path, 2) as stage:
        await stage.ensure("acme")
        poster = Poster(stage, name_of("acme"))
        for turn in range(times(1, 20)):
            messages = [
                message_event(f"3A{turn}x{at}", "oi", AT + at, f"55219777{turn:05}")
                for at in range(50)
            ]

            statuses = await asyncio.gather(*map(poster.post, messages))

            assert set(statuses) == {204}
            conversations = await read_inbox(stage, "acme")
            assert len(conversations) == turn + 1
            assert {conversation["unread"] for conversation in conversations} == {50}


def happened(count: int) -> list[tuple[int, Event]]:
    """Build what happened, in order, each at its own moment: messages, and then news of them."""
    chance = random.Random(5)
    events: list[Event] = [("groups.upsert", [{"id": GROUP, "subject": "Família"}])]
    opened = {"state": "open", "wuid": f"{NUMBER}@s.whatsapp.net"}
    events += [("connection.update", opened)]
    everybody = [*PEOPLE, HIDDEN, GROUP]
    events += [a_message(f"F{at}", AT + at, jid, False) for at, jid in enumerate(everybody)]
    messages: list[tuple[str, str, bool]] = []
    said_by_now: list[tuple[Event, bool]] = []
    while len(events) < count:
        moment = AT + 100 + len(events)
        if not messages or chance.random() < 0.45:
            jid, ours = chance.choice(everybody), chance.random() < 0.4
            messages.append((f"M{len(events)}", jid, ours))
            events.append(a_message(messages[-1][0], moment, jid, ours))
            said_by_now.append((events[-1], ours))
        elif chance.random() < 0.05:
            events.append(history(len(events)))
        elif chance.random() < 0.1:
            events.append(again(chance, *chance.choice(said_by_now)))
        elif chance.random() < 0.05:
            events.append(("connection.update", opened))
        else:
            events.append(news(chance, moment, *chance.choice(messages)))
    return list(enumerate(events))


def muddled(events: list[tuple[int, Event]]) -> list[tuple[int, Event]]:
    """Repeat each event one to four times, in any order."""
    chance = random.Random(55)
    arrived = [event for event in events for _ in range(chance.randint(1, 4))]
    chance.shuffle(arrived)
    return arrived


def a_message(name: str, moment: int, jid: str, ours: bool) -> Event:
    key: dict[str, Any] = {"fromMe": ours}
    if jid == HIDDEN:
        key["remoteJidAlt"] = HIDDEN_NUMBER
    if jid == GROUP and not ours:
        key["participant"] = f"{MARIA}@s.whatsapp.net"
    event, data = message_event(name, f"texto de {name}", moment, jid, **key)
    return ("send.message", data | {"status": "PENDING"}) if ours else (event, data)


def again(chance: random.Random, event: Event, ours: bool) -> Event:
    """Tell a message again: as history, or by the phone, with how far it got meanwhile."""
    _, data = event
    further = {"status": chance.choice(["PENDING", "DELIVERY_ACK", "READ"])} if ours else {}
    if chance.random() < 0.5:
        return "messages.set", [data | further]
    return "messages.upsert", data | further


def history(serial: int) -> Event:
    past = [
        message_event(f"H{serial}x{at}", "antes", AT - 9999 + serial * 7 + at)[1] for at in range(5)
    ]
    return "messages.set", past


def news(chance: random.Random, moment: int, name: str, jid: str, ours: bool) -> Event:
    """A status, an edit, a revocation, a reaction or a vote."""
    address = jid if "@" in jid else f"{jid}@s.whatsapp.net"
    key = {"remoteJid": address, "fromMe": ours, "id": name}
    what = chance.random()
    if ours and what < 0.6:
        status = chance.choice(["SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED", "ERROR"])
        return "messages.update", {**key, "keyId": name, "status": status}
    if what < 0.75:
        edited = {"conversation": f"{name} mudou às {moment}"}
        order = {"type": "MESSAGE_EDIT", "editedMessage": edited}
        return "messages.edited", {"key": key, "timestampMs": str(moment * 1000), **order}
    if what < 0.85:
        return "messages.delete", key
    emoji = chance.choice(["👍", "😂", ""])
    reaction = {"text": emoji, "key": key, "senderTimestampMs": moment * 1000}
    own = {"remoteJid": address, "fromMe": chance.random() < 0.5, "id": f"R{moment}"}
    own |= {"participant": f"{MARIA}@s.whatsapp.net"} if jid == GROUP else {}
    vote = {"selectedOptions": chance.sample(["Sim", "Não"], chance.randint(0, 2))}
    voted = {"pollCreationMessageKey": key, "vote": vote, "senderTimestampMs": moment * 1000}
    content = {"reactionMessage": reaction} if what < 0.95 else {"pollUpdateMessage": voted}
    return "messages.upsert", {"key": own, "message": content, "messageTimestamp": moment}


async def outcome(
    place: Path, callers: int, events: list[tuple[int, Event]], at_once: int
) -> dict[str, dict[str, Any]]:
    """Return what a deployment stores in the end of these events."""
    place.mkdir()
    async with open_stage(place, callers) as stage:
        await stage.ensure("acme")
        poster = Poster(stage, name_of("acme"))
        statuses = await poster.post_all([(event, at * 1000) for at, event in events], at_once)
        assert set(statuses) == {204}
        await read_inbox(stage, "acme")
        return kept(stage)


def kept(stage: Stage) -> dict[str, dict[str, Any]]:
    """Return all that is stored of the messages, but for when."""
    stored = {
        collection: {
            name: {field: value for field, value in document.items() if field not in WHEN}
            for name, document in stage.documents(f"tenants/acme/{collection}").items()
        }
        for collection in ("messages", "conversations")
    }
    line = stage.documents("instances")[name_of("acme")]
    assert stage.documents("dead_letters") == {}
    return {
        **stored,
        "line": {field: line[field] for field in ("state", "number")},
    }
