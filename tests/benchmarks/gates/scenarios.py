"""Put a target through what breaks integrations, and return what went wrong.

Each scenario has tenants of its own, so that one deployment takes them all.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple

import jwt

from shared import webhook_token
from tests.benchmarks.gates.targets import Target
from tests.benchmarks.gates.thread_faults import Faults, Message, Thread, count_faults
from tests.perene import SECRET, name_of
from tests.proofs.posting import AT, MARIA, Event, message_event

PEOPLE = [MARIA, "5521977776666", "5531966665555", "14155550101", "351912345678"]
HIDDEN = "111222333@lid"
STATUSES = ("SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED")
REPETITIONS, FIRST, BURST, ENSURES, OURS = 3, 50, 100, 100, 20
UNDER_LOAD, STORED_BEFORE_KILL = 120, 20
CHANGES, SENDS, SENDERS = 5, 24, 4


class Gate(NamedTuple):
    """A scenario, and what holds after it if nothing went wrong."""

    claim: str
    run: Callable[[Target], Awaitable[Faults]]


async def repeat_and_shuffle(target: Target) -> Faults:
    """Post every message and status three times, in any order, some at once."""
    events, truth = _tell_story()
    arrivals = [(event, 0) for event in events] * REPETITIONS
    random.Random(19).shuffle(arrivals)
    return await _post_all(target, "shuffled", arrivals, truth)


async def write_first_at_once(target: Target) -> Faults:
    """Let a contact whom nobody knows write fifty messages at once."""
    texts = [f"first {at}" for at in range(FIRST)]
    events = [message_event(f"F{at}", text, AT + at) for at, text in enumerate(texts)]
    await target.ensure("first")
    poster = target.open_poster("first")
    await asyncio.gather(*map(poster.post, events))
    return count_faults(await target.read_threads("first"), [_received(texts)])


async def reverse_statuses(target: Target) -> Faults:
    """Post the statuses of own messages from the last to the first; of half, before the message."""
    await target.ensure("reversed")
    poster = target.open_poster("reversed")
    truth = []
    for at in range(OURS):
        jid, text = f"5521977{at:06}", f"ours {at}"
        message = _say(f"S{at}", text, AT + at, jid)
        statuses = [_tell_status(f"S{at}", jid, status) for status in reversed(STATUSES)]
        for event in [message, *statuses] if at % 2 else [*statuses, message]:
            await poster.post(event)
        truth.append(Thread([Message(text, "played")], 0, text))
    return count_faults(await target.read_threads("reversed"), truth)


async def share_ids(target: Target) -> Faults:
    """Let two tenants' lines receive messages with the same ids from the same contact."""
    tenants = ("ours", "theirs")
    for tenant in tenants:
        await target.ensure(tenant)
        for at in range(5):
            event = message_event(f"T{at}", f"{tenant} {at}", AT + at)
            await target.open_poster(tenant).post(event)
    faults = Faults()
    for tenant in tenants:
        truth = _received([f"{tenant} {at}" for at in range(5)])
        faults += count_faults(await target.read_threads(tenant), [truth])
    return faults


async def change_address(target: Target) -> Faults:
    """Let one contact write with a hidden number, and then with its number in both spellings."""
    number = f"{MARIA}@s.whatsapp.net"
    without_ninth = MARIA.replace("119", "11", 1)
    addresses = [
        (HIDDEN, {}),
        (HIDDEN, {"remoteJidAlt": number}),
        (MARIA, {}),
        (without_ninth, {}),
        (HIDDEN, {}),
    ]
    await target.ensure("addresses")
    poster = target.open_poster("addresses")
    texts = [f"address {at}" for at in range(len(addresses))]
    for at, (jid, more) in enumerate(addresses):
        await poster.post(message_event(f"A{at}", texts[at], AT + at, jid, **more))
    return count_faults(await target.read_threads("addresses"), [_received(texts)])


async def kill_under_load(target: Target) -> Faults:
    """Kill the process that is told messages, half of which come while it is away."""
    name, stage = name_of("killed"), target.stage
    await target.pair("killed", "5511999990001")
    texts = [f"load {at}" for at in range(UNDER_LOAD)]
    half = UNDER_LOAD // 2
    first = asyncio.create_task(_receive_all(target, name, texts[:half]))
    while await _count_told(target, name) < STORED_BEFORE_KILL:
        await asyncio.sleep(0.01)
    target.kill()
    await _receive_all(target, name, texts[half:])
    await first
    await target.revive()
    await stage.wait_until_posted()
    threads = await target.read_threads("killed")
    faults = count_faults(threads, [_received(texts)])
    for kind in ("out of place", "previews wrong"):  # they came at once: there is no right order
        del faults[kind]
    return faults


async def forge_token(target: Target) -> Faults:
    """Post messages without a token, and with tokens that aren't ours."""
    await target.ensure("forged")
    claims = {"sub": name_of("forged"), "born": 0}
    tokens = (None, "", "garbage", jwt.encode(claims, SECRET, "HS256"))
    faults, poster = Faults(), target.open_poster("forged")
    for at, token in enumerate(tokens):
        poster.headers = {} if token is None else {webhook_token.HEADER: token}
        status = await poster.post(message_event(f"X{at}", f"forged {at}", AT + at))
        faults["not refused"] += status not in (401, 403)
    threads = await target.read_threads("forged")
    faults["stored"] = sum(len(thread.messages) for thread in threads)
    return +faults


async def ensure_at_once(target: Target) -> Faults:
    """Ensure a new line a hundred times at once."""
    before = await _count_creates(target)
    await asyncio.gather(*(target.ensure("popular") for _ in range(ENSURES)))
    state = await target.stage.read_simulator_state()
    name = name_of("popular")
    instances = sum(instance["name"] == name for instance in state["instances"])
    faults = Faults()
    faults["creates too many"] = max(0, await _count_creates(target) - before - 1)
    faults["creates at once"] = max(0, state["creates_in_flight_peak"].get(name, 0) - 1)
    faults["instances missing"] = 1 - instances
    return +faults


async def write_in_one_second(target: Target) -> Faults:
    """Let a contact write a hundred messages within a second, which arrive in any order."""
    texts = [f"burst {at}" for at in range(BURST)]
    arrivals = [
        (message_event(f"{at * 37 % BURST:02}B", text, AT), AT * 1000 + 7 * at)
        for at, text in enumerate(texts)
    ]
    random.Random(19).shuffle(arrivals)
    return await _post_all(target, "burst", arrivals, [_received(texts)])


async def change_number(target: Target) -> Faults:
    """Send into a conversation again and again while its line is paired with another number."""
    faults = Faults()
    for turn in range(CHANGES):
        tenant, old, new = f"changed{turn}", f"551198000{turn:04}", f"551197000{turn:04}"
        await target.pair(tenant, old)
        await target.stage.receive_text(name_of(tenant), MARIA, "oi")
        await target.stage.wait_until_posted()
        (thread,) = await target.read_threads(tenant)
        texts = iter([f"{tenant} {at}" for at in range(SENDS)])
        await target.send(tenant, thread, next(texts))

        senders = [
            asyncio.create_task(_send_all(target, tenant, thread, texts)) for _ in range(SENDERS)
        ]
        await target.stage.call_simulator("POST", f"/instances/{name_of(tenant)}/unpair", {})
        await target.pair(tenant, new)
        await target.send(tenant, thread, f"{tenant} later")
        await asyncio.gather(*senders)

        sent = (await target.stage.read_simulator_state())["sent"]
        used = [one["sender"] for one in sent if one["text"].startswith(f"{tenant} ")]
        faults["not sent at all"] += old not in used
        faults["by the wrong number"] += sum(sender != old for sender in used)
    return +faults


GATES = {
    "shuffled": Gate(
        "every message and status three times, shuffled: each is stored once, in its place",
        repeat_and_shuffle,
    ),
    "first": Gate(
        f"{FIRST} first messages of one contact at once: one conversation, {FIRST} unread",
        write_first_at_once,
    ),
    "reversed": Gate(
        "statuses in reverse order, also before the message: the furthest one stays",
        reverse_statuses,
    ),
    "tenants": Gate(
        "the same message ids and contact on two tenants: each has its own messages", share_ids
    ),
    "addresses": Gate(
        "hidden number (lid), then the number, with and without the ninth digit: one conversation",
        change_address,
    ),
    "killed": Gate(
        "SIGKILL under load: every acknowledged message is stored once, and counted",
        kill_under_load,
    ),
    "forged": Gate("forged tokens: refused, nothing is stored", forge_token),
    "ensures": Gate(
        f"{ENSURES} ensures of one line at once: one create, one instance", ensure_at_once
    ),
    "burst": Gate(
        f"{BURST} messages of one second, shuffled: in the order in which they were said",
        write_in_one_second,
    ),
    "number": Gate(
        "number changed while sends are under way: none leaves by the new number", change_number
    ),
}


def _tell_story() -> tuple[list[Event], list[Thread]]:
    """Build what we say to people, how far it gets and what they say; return also the truth."""
    events: list[Event] = []
    said = defaultdict[str, list[Message]](list)
    for at in range(60):
        jid, text = PEOPLE[at % len(PEOPLE)], f"story {at}"
        is_ours = at < 20  # a later one would say that we have read what came before
        said[jid].append(Message(text, "read" if is_ours else None))
        if is_ours:
            events.append(_say(f"Y{at}", text, AT + at, jid))
            events += [_tell_status(f"Y{at}", jid, status) for status in STATUSES[:3]]
        else:
            events.append(message_event(f"Y{at}", text, AT + at, jid))
    truth = [
        Thread(messages, sum(one.delivery is None for one in messages), messages[-1].text)
        for messages in said.values()
    ]
    return events, truth


def _say(message: str, text: str, at: int, jid: str) -> Event:
    _, data = message_event(message, text, at, jid, fromMe=True)
    return "send.message", data | {"status": "PENDING"}


def _tell_status(message: str, jid: str, status: str) -> Event:
    key = {"keyId": message, "remoteJid": f"{jid}@s.whatsapp.net", "fromMe": True}
    return "messages.update", key | {"status": status}


def _received(texts: Sequence[str]) -> Thread:
    """Build the thread of one contact's messages."""
    return Thread([Message(text) for text in texts], len(texts), texts[-1])


async def _post_all(
    target: Target, tenant: str, arrivals: Sequence[tuple[Event, int]], truth: Sequence[Thread]
) -> Faults:
    await target.ensure(tenant)
    await target.open_poster(tenant).post_all(arrivals)
    return count_faults(await target.read_threads(tenant), truth)


async def _receive_all(target: Target, name: str, texts: Sequence[str]) -> None:
    for text in texts:
        await target.stage.receive_text(name, MARIA, text)


async def _count_told(target: Target, name: str) -> int:
    """Count the messages of an instance that were acknowledged."""
    posts = await target.stage.call_simulator("GET", "/posted")
    return sum(post["instance"] == name and post["outcome"] == "delivered" for post in posts)


async def _count_creates(target: Target) -> int:
    calls = (await target.stage.read_simulator_state())["calls"]
    return int(calls.get("POST /instance/create", 0))


async def _send_all(target: Target, tenant: str, thread: Thread, texts: Iterator[str]) -> None:
    for text in texts:
        await target.send(tenant, thread, text)
