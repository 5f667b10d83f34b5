"""What the benchmark of intake counts on: its webhooks, its judge, and how it lets them come."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice

import pytest

from shared import webhook_token
from shared.domain.contacts import fold
from shared.domain.events import DeliveryMoved, Said
from shared.domain.names import InstanceName
from shared.domain.positions import second_of
from shared.evolution.events.envelope import read_envelope
from tests.benchmarks import load, rates
from tests.benchmarks.arrivals import Arrival
from tests.benchmarks.delay import serve
from tests.benchmarks.judge import Kept, KeptConversation, KeptMessage, judge
from tests.benchmarks.kept import read_ours
from tests.benchmarks.mix import CONTACTS, LINES, Webhook, generate_mix
from tests.benchmarks.rates import Trial
from tests.perene import Perene

BEGAN = 1_795_302_085


def a_mix(count: int, seed: int = 1) -> list[Webhook]:
    return list(islice(generate_mix(seed, BEGAN), count))


def a_right_store(arrivals: list[Arrival]) -> Kept:
    """Store what was posted as simply as possible."""
    messages, farthest = dict[str, Arrival](), Counter[str]()
    for arrival in arrivals:
        farthest[arrival.message] = max(farthest[arrival.message], arrival.delivery)
        if not arrival.is_status:
            messages[arrival.message] = arrival
    chats = defaultdict[str, list[Arrival]](list)
    for arrival in sorted(messages.values(), key=lambda arrival: arrival.at):
        chats[f"{arrival.tenant}/{arrival.line}/{arrival.contact}"].append(arrival)
    return Kept(
        [
            KeptMessage(arrival.message, chat, farthest[arrival.message])
            for chat, said in chats.items()
            for arrival in said
        ],
        {
            chat: KeptConversation(len(list(_list_unread(said))), said[-1].message)
            for chat, said in chats.items()
        },
    )


def _list_unread(said: list[Arrival]) -> Iterator[Arrival]:
    for arrival in reversed(said):
        if arrival.delivery:
            return
        yield arrival


def test_mix_has_its_shares():
    arrivals = [webhook.arrival for webhook in a_mix(2000)]

    kinds = Counter(arrival.shape.partition(" ")[0] for arrival in arrivals)
    chats = Counter(arrival.shape.partition(" ")[2] for arrival in arrivals)
    repeated = len(arrivals) - len(set(arrivals))
    contacts = Counter((arrival.tenant, arrival.line, arrival.contact) for arrival in arrivals)
    assert 0.68 < kinds["text"] / 2000 < 0.72
    assert 0.18 < kinds["status"] / 2000 < 0.22
    assert min(chats[chat] for chat in ("by lid", "of a group", "of ours")) > 80
    assert 0.04 < repeated / 2000 < 0.08  # that something was read is told again at times
    assert {arrival[:2] for arrival in contacts} == set(LINES)
    assert contacts.most_common(1)[0][1] > 200
    assert len(contacts) > CONTACTS * 0.6


def test_mix_has_what_comes_early():
    arrivals = [webhook.arrival for webhook in a_mix(2000)]

    messages, early, behind, latest = set(), 0, 0, Counter[str]()
    for arrival in dict.fromkeys(arrivals):
        if arrival.is_status:
            early += arrival.message not in messages
            continue
        messages.add(arrival.message)
        behind += arrival.at < latest[arrival.contact]
        latest[arrival.contact] = max(latest[arrival.contact], arrival.at)
    assert early > 10
    assert behind > 25


def test_webhooks_say_what_their_arrivals_say():
    for webhook in a_mix(300):
        envelope, arrival = read_envelope(webhook.body), webhook.arrival
        assert envelope
        match envelope.events():
            case (Said(message),):
                contact = message.contact
                assert (message.id, message.delivery or 0) == (arrival.message, arrival.delivery)
                assert contact.group or contact.key == fold(arrival.contact)
                assert contact.group == arrival.shape.endswith("of a group")
                assert second_of(message.at) == arrival.at
            case (DeliveryMoved(message, delivery),):
                assert (message, int(delivery)) == (arrival.message, arrival.delivery)
            case events:
                raise AssertionError(events)


def test_one_seed_gives_one_mix():
    assert a_mix(50) == a_mix(50) != a_mix(50, seed=2)


def test_right_store_has_no_fault():
    arrivals = [webhook.arrival for webhook in a_mix(500)]

    assert judge(arrivals, a_right_store(arrivals)) == Counter()


def test_judge_finds_every_fault():
    arrivals = [webhook.arrival for webhook in a_mix(500)]
    messages, conversations = a_right_store(arrivals)
    ours = next(arrival.message for arrival in arrivals if arrival.delivery)
    by_id = {message.id: message for message in messages}
    (one, first), (two, second), *_ = conversations.items()
    stores = {
        "missing": (messages[1:], conversations),
        "twice": ([*messages, messages[0]], conversations),
        "unknown": ([*messages, messages[0]._replace(id="3A")], conversations),
        "delivery": ({**by_id, ours: by_id[ours]._replace(delivery=1)}.values(), conversations),
        "conversation": (
            [m._replace(conversation=one) if m.conversation == two else m for m in messages],
            conversations,
        ),
        "unread": (messages, {**conversations, one: first._replace(unread=first.unread + 1)}),
        "last": (messages, {**conversations, one: first._replace(last=second.last)}),
    }
    for fault, (some, others) in stores.items():
        assert judge(arrivals, Kept(list(some), others))[fault] >= 1, fault


def test_judge_finds_one_contact_in_two_conversations():
    arrivals = [webhook.arrival for webhook in a_mix(500)]
    (first, *others), conversations = a_right_store(arrivals)

    split = [first._replace(conversation="another"), *others]

    assert judge(arrivals, Kept(split, conversations)) == {"conversation": 1}


async def test_our_store_is_read_as_the_inbox_shows_it(perene: Perene):
    webhooks = a_mix(60)
    for webhook in webhooks:
        token = webhook_token.sign(InstanceName(webhook.instance), 0)
        headers = {webhook_token.HEADER: token, "content-type": "application/json"}
        answer = await perene.http.post("/webhook", content=webhook.body, headers=headers)
        assert answer.status_code == 204

    arrivals = [webhook.arrival for webhook in webhooks]
    client = perene.store.db.client
    assert judge(arrivals, await read_ours(client)) == Counter()

    (message, *_), (conversation, *_) = (
        perene.database.collection("tenants", LINES[0][0], kind).list_documents()
        for kind in ("messages", "conversations")
    )
    conversation.update({"unread_at": {str(BEGAN * 2000): 77}})
    assert judge(arrivals, await read_ours(client)) == {"unread": 1}
    message.delete()
    assert judge(arrivals, await read_ours(client))["missing"] == 1


def test_highest_rate_is_found():
    trials, tried = list[Trial](), 0
    while rate := rates.choose_rate(trials, 100):
        trials.append(Trial(rate, rate <= 430))
        tried += 1

    best = rates.find_best(trials)
    assert best
    assert 430 / rates.PRECISION <= best <= 430
    assert tried < 12


def test_rate_is_lowered_until_one_passes():
    trials = [Trial(100, False), Trial(80, False)]

    assert rates.choose_rate(trials, 100) == pytest.approx(64)
    assert rates.find_best(trials) is None


async def test_waiting_for_a_lane_counts():
    async def answer_slowly() -> None:
        await asyncio.sleep(0.05)

    due = load.list_due(time.monotonic(), rate=1000, seconds=0.003)

    assert sorted(await load.send_when_due([answer_slowly], due))[-1] >= 0.147


async def test_delayed_calls_do_not_wait_for_each_other():
    calls, seconds = 50, 0.05

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as echoing:
        host, port = echoing.sockets[0].getsockname()
        async with await serve(0, f"{host}:{port}", seconds) as delaying:
            reader, writer = await asyncio.open_connection(*delaying.sockets[0].getsockname())
            started = time.monotonic()
            for call in range(calls):
                writer.write(f"{call}\n".encode())
                await asyncio.sleep(0.001)
            answers = [await reader.readline() for _ in range(calls)]
            took = time.monotonic() - started
            writer.close()
    assert [int(answer) for answer in answers] == list(range(calls))
    assert seconds <= took < calls * seconds
