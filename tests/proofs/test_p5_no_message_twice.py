"""P5: any event may come any number of times, in any order, at once: the result is the same."""

import asyncio
import random
from pathlib import Path
from typing import Any

from tests.perene import name_of
from tests.proofs.posting import AT, MARIA, NUMBER, Event, Poster, message_event, read_inbox
from tests.proofs.stage import Stage, open_stage, times

PEOPLE = [MARIA, "5521977776666", "5531966665555", "14155550101", "5511955554444", "351912345678"]
HIDDEN, HIDDEN_NUMBER = "111222333@lid", "5511944443333@s.whatsapp.net"
GROUP = "120363000000000001@g.us"
AT_ONCE = 16


async def test_muddled_events_end_as_clean_run(firestore_emulator: str, tmp_path: Path):
    events = happened(times(150, 2000))
    arrived = muddled(events)

    clean = await outcome(tmp_path / "clean", 1, events, 1)
    muddle = await outcome(tmp_path / "muddle", 2, arrived, AT_ONCE)

    assert len(clean["messages"]) > len(events) / 4
    for kept in clean:
        differing = {
            each: (clean[kept].get(each), muddle[kept].get(each))
            for each in clean[kept].keys() | muddle[kept].keys()
            if clean[kept].get(each) != muddle[kept].get(each)
        }
        assert differing == {}


async def test_first_messages_are_one_conversation(firestore_emulator: str, tmp_path: Path):
    async with open_stage(tmp_path, 2) as stage:
        await stage.ensure("acme")
        poster = Poster(stage, name_of("acme"))
        for turn in range(times(1, 20)):
            told = [
                message_event(f"3A{turn}x{at}", "oi", AT + at, f"55219777{turn:05}")
                for at in range(50)
            ]

            statuses = await asyncio.gather(*map(poster.post, told))

            assert set(statuses) == {204}
            found = await read_inbox(stage, "acme")
            assert len(found) == turn + 1
            assert {each["unread"] for each in found} == {50}


def happened(count: int) -> list[tuple[int, Event]]:
    """What happened, in order, each at its own moment: things are said, and then get news."""
    chance = random.Random(5)
    events: list[Event] = [("groups.upsert", [{"id": GROUP, "subject": "Família"}])]
    opened = {"state": "open", "wuid": f"{NUMBER}@s.whatsapp.net"}
    events += [("connection.update", opened)]
    everybody = [*PEOPLE, HIDDEN, GROUP]
    events += [a_message(f"F{at}", AT + at, jid, False) for at, jid in enumerate(everybody)]
    known: list[tuple[str, str, bool]] = []
    said_by_now: list[tuple[Event, bool]] = []
    while len(events) < count:
        moment = AT + 100 + len(events)
        if not known or chance.random() < 0.45:
            jid, ours = chance.choice(everybody), chance.random() < 0.4
            known.append((f"M{len(events)}", jid, ours))
            events.append(a_message(known[-1][0], moment, jid, ours))
            said_by_now.append((events[-1], ours))
        elif chance.random() < 0.05:
            events.append(history(len(events)))
        elif chance.random() < 0.1:
            events.append(again(chance, *chance.choice(said_by_now)))
        elif chance.random() < 0.05:
            events.append(("connection.update", opened))
        else:
            events.append(news(chance, moment, *chance.choice(known)))
    return list(enumerate(events))


def muddled(events: list[tuple[int, Event]]) -> list[tuple[int, Event]]:
    """As they arrive: each one to four times, in any order."""
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


def again(chance: random.Random, told: Event, ours: bool) -> Event:
    """What is known already: as history, or by the phone, with how far it got meanwhile."""
    _, data = told
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
    """A status, an edit, a revocation or a reaction."""
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
    told = {"key": own, "message": {"reactionMessage": reaction}, "messageTimestamp": moment}
    return "messages.upsert", told


async def outcome(
    place: Path, callers: int, events: list[tuple[int, Event]], at_once: int
) -> dict[str, dict[str, Any]]:
    """What is kept in the end of a deployment that was told these."""
    place.mkdir()
    async with open_stage(place, callers) as stage:
        await stage.ensure("acme")
        poster = Poster(stage, name_of("acme"))
        turns = asyncio.Semaphore(at_once)

        async def tell(at: int, told: Event) -> int:
            async with turns:
                return await poster.post(told, at * 1000)

        if at_once == 1:
            statuses = [await tell(at, told) for at, told in events]
        else:
            statuses = await asyncio.gather(*(tell(at, told) for at, told in events))
        assert set(statuses) == {204}
        await read_inbox(stage, "acme")
        return kept(stage)


def kept(stage: Stage) -> dict[str, dict[str, Any]]:
    """All that is stored of what was said, but for when it was."""
    messages = stage.documents("tenants/acme/messages")
    line = stage.documents("instances")[name_of("acme")]
    assert stage.documents("dead_letters") == {}
    return {
        "messages": {
            name: {
                field: value for field, value in each.items() if field not in ("changed", "told")
            }
            for name, each in messages.items()
        },
        "conversations": stage.documents("tenants/acme/conversations"),
        "line": {field: line[field] for field in ("state", "number")},
    }
