"""What messages cost in billed document operations: told by webhooks, and read by people."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.names import InstanceName
from tests.adapters import posted
from tests.adapters.counting import Counted
from tests.adapters.posted import AT, GROUP, LID, MARIA, a_key, a_message
from tests.cases import in_each
from tests.journeys.test_costs import costs, tell
from tests.perene import Perene, name_of

NEW = Counted(writes=2, round_trips=1)
ONE_WRITE = Counted(writes=1, round_trips=1)

SAID = [
    "messages.upsert.in-conversation.json",
    "messages.upsert.in-group-conversation.json",
    "messages.upsert.in-fromMe-other-device.json",
    "messages.upsert.in-image.json",
    "messages.upsert.in-audio-ptt.json",
    "messages.upsert.in-extendedText-quoted.json",
    "messages.upsert.in-lid.json",
    "messages.upsert.in-pn-with-sender-lid.json",
    "v1.messages.upsert.json",
]
CHANGED = ["messages.edited.in-edited.json", "messages.delete.in-revoke.json"]


@pytest.fixture
async def line(perene: Perene) -> Perene:
    """Open a line with the number that the recordings were made with."""
    await perene.pair(number=posted.OWN.partition("@")[0])
    return perene


async def post(line: Perene, body: dict[str, Any]) -> None:
    """The server posts this of the one line."""
    name = InstanceName(name_of("acme"))
    envelope = {**body, "instance": name}
    answer = await line.http.post("/webhook", json=envelope, headers=line.webhook_headers(name))
    assert answer.status_code == 204, answer.text


async def say(line: Perene, *ids: str, jid: str = MARIA, event: str = "messages.upsert") -> None:
    """Messages with these ids, one after the other."""
    messages = [
        a_message(key=a_key(jid, id=name), messageTimestamp=AT // 1000 + index)
        for index, name in enumerate(ids)
    ]
    await post(line, posted.an_event(event, messages))


async def recorded(line: Perene, name: str, **change: Any) -> None:
    await post(line, posted.body(name) | change)


async def listed(line: Perene, query: str = "") -> list[dict[str, Any]]:
    answer = await line.call("GET", f"/conversations?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["conversations"]


async def paths(line: Perene) -> list[str]:
    return [f"/conversations/{conversation['id']}" for conversation in await listed(line)]


# Told by webhooks ----------------------------------------------------------------------------


@in_each("recording", SAID)
async def test_new_message_costs_two_writes(line: Perene, recording: str):
    with costs(line) as first:
        await recorded(line, recording, sender=posted.OWN)
    with costs(line) as repetition:
        await recorded(line, recording, sender=posted.OWN)

    assert first == NEW
    assert (repetition.reads, repetition.writes) == (1, 0)


async def test_next_message_costs_two_writes(line: Perene):
    await say(line, "A")

    with costs(line) as counted:
        await say(line, "B")

    assert counted == NEW


async def test_bare_lid_costs_read_more(line: Perene):
    with costs(line) as counted:
        await say(line, "A", jid=LID)

    assert counted == Counted(reads=1, writes=2, round_trips=2)


async def test_known_lid_costs_one_more_read(line: Perene):
    await recorded(line, "messages.upsert.in-lid.json")

    with costs(line) as counted:
        await say(line, "A", jid=LID)

    assert counted == Counted(reads=1, writes=2, round_trips=2)


@pytest.mark.parametrize("is_stored", [True, False], ids=["of a message", "before its message"])
async def test_a_delivery_costs_a_write(line: Perene, is_stored: bool):
    read = posted.body("messages.update.sendText-READ.json")
    if is_stored:
        own = a_message(key=a_key(fromMe=True, id=read["data"]["keyId"]))
        await post(line, posted.an_event("messages.upsert", own))

    with costs(line) as counted:
        await post(line, read)

    assert counted == ONE_WRITE


async def test_a_reaction_costs_a_write(line: Perene):
    await recorded(line, "messages.upsert.in-conversation.json")

    with costs(line) as counted:
        await recorded(line, "messages.upsert.in-reaction.json")

    assert counted == ONE_WRITE


async def test_notice_of_a_group_costs_a_write(line: Perene):
    with costs(line) as counted:
        await recorded(line, "group-participants.update.group-participants-add.json")

    assert counted == ONE_WRITE


async def test_new_subject_costs_a_read_and_two_writes(line: Perene):
    with costs(line) as counted:
        await recorded(line, "groups.update.json")

    assert (counted.reads, counted.writes) == (1, 2)


async def test_edit_costs_two_writes(line: Perene):
    await recorded(line, "messages.upsert.in-conversation.json")

    with costs(line) as counted:
        await recorded(line, "messages.edited.in-edited.json")

    assert (counted.reads, counted.writes) == (3, 2)


async def test_revocation_costs_three_writes(line: Perene):
    await recorded(line, "messages.upsert.in-conversation.json")

    with costs(line) as counted:
        await recorded(line, "messages.delete.in-revoke.json")

    assert (counted.reads, counted.writes) == (4, 3)


@pytest.mark.parametrize("change", CHANGED)
async def test_early_change_costs_read_and_write(line: Perene, change: str):
    with costs(line) as counted:
        await recorded(line, change)

    assert (counted.reads, counted.writes) == (1, 1)


async def test_unchanged_connection_costs_one_read(line: Perene):
    with costs(line) as counted:
        await tell(line, "connection.update", state="open", wuid=posted.OWN)

    assert counted == Counted(reads=1, round_trips=1)


@in_each("past", [1, 7, 130])
async def test_history_costs_read_and_write_each(line: Perene, past: int):
    with costs(line) as counted:
        await say(line, *(f"H{past}-{index}" for index in range(past)), event="messages.set")

    chunks = -(-past // 100)
    assert counted == Counted(reads=past + chunks, writes=past + chunks, round_trips=2 * chunks)


async def test_repeated_history_costs_read_each(line: Perene):
    await say(line, "H1", "H2", "H3", event="messages.set")

    with costs(line) as counted:
        await say(line, "H1", "H2", "H3", event="messages.set")

    assert (counted.reads, counted.writes) == (4, 0)


async def test_what_nobody_understands_costs_a_write(line: Perene):
    with costs(line) as counted:
        await post(line, posted.an_event("messages.upsert", "what?"))

    assert counted == ONE_WRITE


# Read by people ------------------------------------------------------------------------------


@in_each("query", ["", "line=default", "unread=true", "search=maria"])
async def test_conversations_page_costs_read_each(line: Perene, query: str):
    for number in range(5):
        await say(line, f"A{number}", jid=f"551198888777{number}@s.whatsapp.net")

    with costs(line) as counted:
        assert len(await listed(line, f"{query}&limit=4")) == 4

    assert counted == Counted(reads=4 + 1, round_trips=2)


async def test_rarer_word_is_searched(line: Perene):
    for number in range(5):
        name = "Maria do Carmo" if number == 2 else "Maria"
        key = a_key(f"551198888777{number}@s.whatsapp.net", id=f"A{number}")
        message = a_message(key=key, pushName=name)
        await post(line, posted.an_event("messages.upsert", message))

    with costs(line) as counted:
        assert len(await listed(line, "search=maria carmo&limit=4")) == 1

    assert counted.reads == 1 + 1 + 2


async def test_healing_costs_three_more_reads(line: Perene):
    people = [f"551198888777{number}@s.whatsapp.net" for number in range(5)]
    for number, jid in enumerate(people):
        await say(line, f"old{number}", f"new{number}", jid=jid)
        late = a_message(key=a_key(jid, id=f"late{number}"), messageTimestamp=AT // 1000 - 60)
        await post(line, posted.an_event("messages.upsert", late))

    with costs(line) as healing:
        assert len(await listed(line)) == 5
    await listed(line)
    with costs(line) as healed:
        assert all(conversation["last"] for conversation in await listed(line))

    assert healing.reads <= 5 + 1 + 3
    assert healed == Counted(reads=5 + 1, round_trips=2)


async def test_no_conversations_cost_two_reads(line: Perene):
    with costs(line) as counted:
        assert await listed(line) == []

    assert counted == Counted(reads=2, round_trips=2)


@in_each("history", [4, 40])
async def test_messages_page_costs_read_each(line: Perene, history: int):
    await say(line, *(f"M{index}" for index in range(history)))
    (path,) = await paths(line)

    with costs(line) as counted:
        answer = await line.call("GET", f"{path}/messages?limit=4")

    assert len(answer.json()["messages"]) == 4
    assert counted.reads == 4 + 2
    assert counted.writes == 0


async def test_group_costs_as_much_as_person(line: Perene):
    author = {"participant": MARIA}
    for name in ("A", "B"):
        message = a_message(key=a_key(GROUP, id=name, **author))
        await post(line, posted.an_event("messages.upsert", message))
    (path,) = await paths(line)

    with costs(line) as counted:
        assert len((await line.call("GET", f"{path}/messages")).json()["messages"]) == 2

    assert (counted.reads, counted.writes) == (2 + 2, 0)


async def test_empty_poll_costs_four_reads(line: Perene):
    await say(line, "A")
    (path,) = await paths(line)
    since = (await line.call("GET", f"{path}/messages")).json()["since"]
    await say(line, *(f"M{index}" for index in range(9)))
    for _ in range(2):
        line.clock.advance(timedelta(minutes=1))
        polled = await line.call("GET", f"{path}/messages?since={since}")
        since = polled.json()["since"]

    with costs(line) as counted:
        seen = {"if-none-match": polled.headers["etag"]}
        await line.call("GET", f"{path}/messages?since={since}", headers=seen)

    assert counted.reads <= 4
    assert counted.writes == 0


@in_each("change", [{"read": True}, {"archived": True}])
async def test_marking_costs_three_reads_and_write(line: Perene, change: dict[str, bool]):
    await say(line, "A")
    (path,) = await paths(line)

    with costs(line) as counted:
        assert (await line.call("PATCH", path, json=change)).status_code == 200

    assert (counted.reads, counted.writes) == (3, 1)


# Said by us ----------------------------------------------------------------------------------


async def say_to_maria(line: Perene, key: str = "k1", **fields: Any) -> Any:
    headers = {"idempotency-key": key}
    answer = await line.call("POST", "/send-message", json=fields, headers=headers)
    await line.evolution.drain()
    return answer


async def in_conversation(line: Perene) -> str:
    """Maria wrote; her conversation."""
    await line.evolution.receive(name_of("acme"), MARIA.partition("@")[0], "oi")
    await line.evolution.drain()
    (path,) = await paths(line)
    return path.rpartition("/")[2]


async def test_send_costs_three_reads_five_writes(line: Perene):
    conversation = await in_conversation(line)
    line.evolution.faults.turn_on("webhook_lost")

    with costs(line) as counted:
        answer = await say_to_maria(line, conversation=conversation, text="oi")

    assert answer.status_code == 201
    assert (counted.reads, counted.writes) == (3, 5)


async def test_second_send_at_once_costs_same(line: Perene):
    conversation = await in_conversation(line)
    line.evolution.faults.turn_on("webhook_lost")
    await say_to_maria(line, conversation=conversation, text="oi")

    with costs(line) as counted:
        await say_to_maria(line, "k2", conversation=conversation, text="tudo bem?")

    assert (counted.reads, counted.writes) == (3, 5)
    line.clock.advance(timedelta(minutes=5))
    with costs(line) as counted:
        await say_to_maria(line, "k3", conversation=conversation, text="depois")
    assert (counted.reads, counted.writes) == (3, 5)


async def test_send_to_number_costs_no_more(line: Perene):
    await in_conversation(line)
    line.evolution.faults.turn_on("webhook_lost")

    with costs(line) as counted:
        await say_to_maria(line, to=MARIA.partition("@")[0], text="oi")

    assert (counted.reads, counted.writes) == (3, 5)


async def test_echo_costs_what_message_does(line: Perene):
    conversation = await in_conversation(line)
    answer = await say_to_maria(line, conversation=conversation, text="oi")
    own = a_message(key=a_key(fromMe=True, id=answer.json()["message"]["id"]))

    with costs(line) as counted:
        await post(line, posted.an_event("send.message", own))

    assert (counted.reads, counted.writes) == (1, 0)


async def test_repeated_send_costs_few_reads(line: Perene):
    conversation = await in_conversation(line)
    await say_to_maria(line, conversation=conversation, text="oi")

    with costs(line) as counted:
        await say_to_maria(line, conversation=conversation, text="oi")
    with costs(line) as calls:
        await line.call("GET", "/send-message/k1")

    assert (counted.reads, counted.writes) == (5, 0)
    assert (calls.reads, calls.writes) == (3, 0)
