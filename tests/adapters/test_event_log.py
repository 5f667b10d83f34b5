"""The log of events, as readers see it."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from shared import problems
from shared.domain.contacts import contact_of
from shared.domain.content import Kind
from shared.domain.event_types import EventType
from shared.domain.instances import State
from shared.domain.messages import Delivery, Message
from shared.domain.names import LineId, TenantId
from shared.outbound import event_log, event_views, log_positions
from shared.outbound.event_log import LogPage
from shared.outbound.log_positions import LogPosition, SourcePosition
from shared.store import LineScope, Store, logged
from shared.store.logged import LogPlace, LogSource
from tests.adapters.counting import Counted, counting
from tests.adapters.stores import settled
from tests.builders import LATER, a_code, a_content
from tests.cases import in_each
from tests.perene import Perene

ACME = TenantId("acme")
THROUGH = LineScope(ACME, LineId("default"), "5511999990001")
MARIA = contact_of("5511988887777@s.whatsapp.net")
MESSAGES = frozenset({kind for kind in EventType if kind.startswith("message.")})


def a_message(number: int = 0, **fields: Any) -> Message:
    """Build a message of Maria's."""
    default = {"id": f"3A{number:04}", "contact": MARIA, "from_me": False, "at": 1_795_302_085_000}
    content = a_content(Kind.TEXT, text=fields.pop("text", f"oi {number}"))
    return Message(**{**default, "content": content, **fields})


async def say(store: Store, *numbers: int, **fields: Any) -> None:
    for number in numbers:
        await store.messages.record(THROUGH, a_message(number, **fields), unread=True, now=1)


async def read_all(after: str = "", limit: int = 7, **wanted: Any) -> tuple[list[Any], LogPage]:
    """Read until the last page; return the events as (type, message's number)."""
    told = []
    for _ in range(1000):
        page = await event_log.read_log(ACME, after, limit, **wanted)
        told += page.events
        after = page.position
        if page.is_last:
            return told, page
    raise AssertionError("reading never ends")


def kinds(told: list[Any]) -> list[tuple[str, str]]:
    return [(event.type.value, event.data["id"]) for event in told]


def kinds_of(told: list[Any], number: int) -> list[str]:
    return [kind for kind, message in kinds(told) if message == f"3A{number:04}"]


async def test_new_messages_are_told_once(store: Store):
    await say(store, *range(10))

    told, page = await read_all(limit=3)
    again, _ = await read_all(page.position)

    assert kinds(told) == [("message.received", f"3A{n:04}") for n in range(10)]
    assert again == []


async def test_message_costs_one_read(store: Store):
    position = (await read_all())[1].position
    for number in range(3):
        await say(store, number)
        with counting(store.db.client) as counted:
            page = await event_log.read_log(ACME, position, 100, types=MESSAGES)
        assert counted == Counted(reads=1, round_trips=1)
        position = page.position


async def test_sources_after_the_first_are_read_at_once(store: Store, mocker):
    list_page, others = logged.LoggedDocuments.list_page, asyncio.Barrier(3)

    async def meet(documents: Any, source: LogSource, *arguments: Any, **options: Any) -> Any:
        if source is not LogSource.MESSAGES:
            await asyncio.wait_for(others.wait(), 5)
        return await list_page(documents, source, *arguments, **options)

    mocker.patch.object(logged.LoggedDocuments, "list_page", meet)
    await say(store, 1)

    assert kinds((await read_all())[0]) == [("message.received", "3A0001")]


async def test_changes_before_first_reading_are_told_as_both(store: Store):
    await say(store, 1)
    await store.messages.advance_delivery(THROUGH, "3A0001", Delivery.READ, 1)
    await say(store, 2)

    told, _ = await read_all()

    assert kinds(told) == [
        ("message.received", "3A0001"),
        ("message.updated", "3A0001"),
        ("message.received", "3A0002"),
    ]


async def test_updates_between_readings_are_one(store: Store):
    await say(store, 1)
    position = (await read_all())[1].position
    for delivery in (Delivery.DELIVERED, Delivery.READ):
        await store.messages.advance_delivery(THROUGH, "3A0001", delivery, 1)

    told, _ = await read_all(position)

    assert kinds(told) == [("message.updated", "3A0001")]


async def test_page_is_not_told_before_what_changed_since(store: Store):
    await say(store, *range(6))
    await store.messages.advance_delivery(THROUGH, "3A0000", Delivery.READ, 1)

    told, _ = await read_all(limit=2)

    assert kinds(told) == [
        *(("message.received", f"3A{number:04}") for number in range(6)),
        ("message.updated", "3A0000"),
    ]


async def test_history_of_one_moment_is_told_whole(store: Store):
    await store.messages.record_history(THROUGH, [a_message(n) for n in range(60)], now=1)
    await store.messages.advance_delivery(THROUGH, "3A0007", Delivery.READ, 1)

    told, _ = await read_all(limit=7)

    new = [event for event in told if event.type == "message.received"]
    assert sorted(event.data["id"] for event in new) == [f"3A{n:04}" for n in range(60)]
    assert all(event.data["from_history"] for event in new)
    assert kinds(told)[-1] == ("message.updated", "3A0007")


async def test_message_that_arrives_after_history_is_no_longer_historys(store: Store):
    await store.messages.record_history(THROUGH, [a_message(1)], now=1)
    position = (await read_all())[1].position
    await say(store, 1)

    (event,) = (await read_all(position))[0]

    assert (event.type.value, event.data["from_history"]) == ("message.updated", False)


async def test_late_commit_is_told_in_order(store: Store, mocker):
    """What is young isn't told, so that an earlier message that isn't visible yet comes first."""
    position = (await read_all())[1].position
    await say(store, 1)
    late = store.db.messages(ACME).document("default~3A0001")
    fields = (await late.get()).to_dict()
    await late.delete()
    await say(store, 2, 3)
    mocker.patch.object(event_log, "LATENESS", 60)
    for limit in (2, 7):
        page = await event_log.read_log(ACME, position, limit)
        assert (page.events, page.position, page.is_last) == ([], position, True)
        assert page.has_young
    mocker.patch.object(event_log, "LATENESS", 0)
    await late.set(fields)

    told, page = await read_all(page.position)

    assert kinds(told) == [("message.received", f"3A000{number}") for number in (1, 2, 3)]
    assert not page.has_young


def test_wait_outlasts_commits_and_is_short():
    assert 2 * 0.041 < event_log.LATENESS < 0.3  # the longest measured (0029), and what P13 allows


async def test_young_change_holds_back_no_message(store: Store, mocker):
    """And the message that changed is told as new before a later one of its conversation."""
    await say(store, 1, 2)
    await asyncio.sleep(0.2)
    await store.messages.advance_delivery(THROUGH, "3A0001", Delivery.READ, 1)
    mocker.patch.object(event_log, "LATENESS", 0.15)

    told, page = await read_all()
    await asyncio.sleep(0.15)
    later, _ = await read_all(page.position)

    assert kinds(told) == [("message.received", "3A0001"), ("message.received", "3A0002")]
    assert kinds(later) == [("message.updated", "3A0001")]


async def test_late_commit_is_found_when_nothing_follows(store: Store):
    position = (await read_all())[1].position
    await say(store, 1)
    late = store.db.messages(ACME).document("default~3A0001")
    fields = (await late.get()).to_dict()
    await late.delete()
    await say(store, 2)
    told, page = await read_all(position)
    assert kinds(told) == [("message.received", "3A0002")]
    await late.set(fields)

    told, page = await read_all(page.position)

    assert kinds(told)[0] == ("message.received", "3A0001")
    assert (await read_all(page.position))[0] == []


async def test_late_commit_is_found_behind_an_event_within_a_page(store: Store):
    """Whoever stops within a page goes on from there, and misses no more than at its end."""
    position = (await read_all())[1].position
    await say(store, 1)
    late = store.db.messages(ACME).document("default~3A0001")
    fields = (await late.get()).to_dict()
    await late.delete()
    await say(store, 2, 3, 4)
    page = await event_log.read_log(ACME, position, 25)
    await late.set(fields)

    for index in (1, 2):
        told, following = await read_all(page.locate(index))
        later, _ = await read_all(following.position)
        names = [name for _, name in kinds(told + later)]
        assert names[: 3 - index] == [f"3A000{number}" for number in range(2 + index, 5)]
        assert "3A0001" in names[3 - index :]


async def test_replay_until_a_moment_tells_what_changed_later(store: Store):
    await say(store, 1)
    until = datetime.now(UTC)
    await asyncio.sleep(0.05)
    await store.messages.advance_delivery(THROUGH, "3A0001", Delivery.READ, 1)
    await say(store, 2)

    told, _ = await read_all(until=until)

    assert kinds(told) == [("message.received", "3A0001")]


async def test_reader_of_new_messages_reads_no_changes(store: Store):
    await say(store, 1)
    wanted = {"types": frozenset({EventType.MESSAGE_RECEIVED})}
    page = await event_log.read_log(ACME, "", 9, **wanted)
    await store.messages.advance_delivery(THROUGH, "3A0001", Delivery.READ, 1)
    await say(store, 2)

    with counting(store.db.client) as counted:
        page = await event_log.read_log(ACME, page.position, 9, **wanted)

    assert (kinds(page.events), counted.reads) == ([("message.received", "3A0002")], 1)


async def test_full_page_costs_a_read_for_each_event_and_one(store: Store):
    await say(store, *range(8))

    with counting(store.db.client) as counted:
        page = await event_log.read_log(ACME, "", 5, types=MESSAGES)

    assert (len(page.events), counted.reads) == (5, 6)


async def test_who_wants_nothing_is_told_nothing(store: Store):
    await say(store, 1)

    page = await event_log.read_log(ACME, "", 5, types=frozenset())

    assert (page.events, page.is_last) == ([], True)


async def test_full_page_reads_no_later_change_of_others(store: Store):
    await say(store, *range(8))
    others = [contact_of(f"55119777{n:05}@s.whatsapp.net") for n in range(3)]
    for number, contact in enumerate(others, 8):
        await say(store, number, contact=contact)
        await store.conversations.update(ACME, THROUGH.conversation_id(contact), archived=True)

    with counting(store.db.client) as counted:
        page = await event_log.read_log(ACME, "", 5)

    a_query_without_results = 1
    assert len(page.events) == 5
    assert counted.reads == 6 + len(("sends", "conversations", "lines")) * a_query_without_results


async def test_refused_message_is_told_as_failed(store: Store):
    await say(store, 1, from_me=True, delivery=Delivery.PENDING)
    position = (await read_all())[1].position
    await store.messages.record_refusal(THROUGH, "3A0001", 1)

    told, _ = await read_all(position)

    assert kinds(told) == [("message.failed", "3A0001")]


@in_each("limit", [1, 2, 3, 7])
@in_each("margin", [0, event_log.MARGIN], ids=["long after", "soon"])
async def test_page_may_end_between_two_facts_of_a_message(
    store: Store, mocker, limit: int, margin: int
):
    mocker.patch.object(event_log, "MARGIN", margin)
    for number in range(9):
        await store.messages.record_refusal(THROUGH, f"3A{number:04}", 1)
    past = [a_message(number, from_me=True) for number in range(8)]
    await store.messages.record_history(THROUGH, past, now=1)
    await say(store, 8, from_me=True)
    last = (await store.db.read(store.db.message(THROUGH, "3A0008")))[0].get("stored_at")

    told, page = await read_all(limit=limit, types=MESSAGES)
    again, _ = await read_all(page.position, limit=limit, types=MESSAGES)
    ending, _ = await read_all(event_log.position_at(last), limit=limit, types=MESSAGES)

    both = ["message.sent", "message.failed"]
    assert [kinds_of(told, number) for number in range(9)] == [both] * 9
    assert (kinds_of(ending, 8), again) == (both, [])


async def test_two_facts_divided_at_the_beginning_are_told_once(store: Store):
    await settled(store)
    await store.messages.record_refusal(THROUGH, "3A0000", 1)
    await say(store, 0, from_me=True)
    of_line = frozenset({kind for kind in EventType if kind.startswith("line.")})
    before = len((await read_all(types=of_line))[0])

    told, page = await read_all(limit=before + 1)
    again, _ = await read_all(page.position)

    types = [event.type.value for event in told if "id" in event.data]
    assert (types, again) == (["message.sent", "message.failed"], [])


async def test_revoked_message_is_told_without_words(store: Store):
    await say(store, 1, text="segredo", from_me=False)
    await store.messages.record_revocation(THROUGH, "3A0001", 5, (MARIA.key,), 1)
    await store.messages.refresh_preview(THROUGH, "3A0001", 1)

    told, _ = await read_all()

    assert [event.data["revoked"] for event in told] == [True, True]
    assert "segredo" not in "".join(event.model_dump_json() for event in told)


async def test_changes_of_conversation_are_told_and_messages_are_not(store: Store):
    await say(store, 1)
    home = THROUGH.conversation_id(MARIA)
    await store.conversations.update(ACME, home, archived=True)
    await store.conversations.rename(THROUGH, MARIA, "Maria")

    told, page = await read_all(types=frozenset({EventType.CONVERSATION_UPDATED}))
    await say(store, 2)
    later, _ = await read_all(page.position, types=frozenset({EventType.CONVERSATION_UPDATED}))

    assert [(event.data["id"], event.data["archived"]) for event in told] == [(home, True)]
    assert (told[0].data["contact"]["name"], later) == ("Maria", [])


async def test_line_tells_every_state_its_code_and_restriction(store: Store):
    now = datetime.now(UTC)
    position = event_log.position_at(now - timedelta(seconds=1))
    instance = await settled(store)
    for change in (
        lambda line: line.showing(a_code(born=now), now),
        lambda line: line.with_state(State.OPEN, None, now, code=line.code),
        lambda line: line.found_restricted(now),
    ):
        await store.instances.change(instance.name, change, now)

    told, page = await read_all(position)
    again, _ = await read_all(page.position)

    assert sorted((event.type.value, event.data["state"]) for event in told) == [
        ("line.code_changed", "open"),
        ("line.restricted", "open"),
        ("line.state_changed", "open"),
        ("line.state_changed", "pairing"),
    ]
    assert all("png" not in event.data.get("code", {}) for event in told)
    assert again == []


@pytest.mark.parametrize("many", [1, 3])
async def test_change_of_nothing_visible_is_no_event_of_line(store: Store, many: int):
    instance = await settled(store)
    position = event_log.position_at(datetime.now(UTC))
    for turn in range(many):
        held = await store.instances.find(instance.name)
        await store.instances.replace(held, held.granted(f"caller {turn}", LATER))

    assert (await read_all(position))[0] == []


def test_long_event_is_cut_and_says_so():
    long = {"id": "x" * 128, "text": "é" * 70_000, "reactions": {f"p{n}": "👍" for n in range(900)}}

    fitted = event_views.fit(long, EventType.MESSAGE_RECEIVED)

    assert len(json.dumps(fitted, ensure_ascii=False).encode()) < event_views.LARGEST
    assert (fitted["cut"], fitted["id"]) == (True, long["id"])
    short = {"id": "x", "text": "oi"}
    assert event_views.fit(short, EventType.MESSAGE_RECEIVED) == short


async def test_event_tells_no_number_in_its_id_and_is_the_same_twice(store: Store):
    await say(store, 1)

    (one,), _ = await read_all()
    (other,), _ = await read_all()
    after, _ = await read_all(one.id)

    assert (one, after) == (other, [])
    assert not {"5511988887777", "3A0001"} & set(re.split(r"[_~]", one.id))


def test_full_position_can_be_read():
    at, share = 1_795_302_085_123_456, event_log.MOST_TOLD // len(LogSource)
    told = {256**5 - 1 - number: at + number * 7_001 for number in range(share)}
    start = SourcePosition(LogPlace(at), at)
    sources = {source: replace(start, told=told) for source in LogSource}

    text = log_positions.write(LogPosition(start, sources), ACME)
    position = log_positions.read(text, ACME)

    assert {frozenset(position.of(source).told) for source in LogSource} == {frozenset(told)}
    assert log_positions.write(position, ACME) == text


async def test_full_position_waits_until_it_may_forget(store: Store, mocker):
    mocker.patch.multiple(event_log, MOST_TOLD=4, REMEMBERED=0)
    await say(store, *range(3))
    await asyncio.sleep(0.25)  # times are remembered in tenths of a second, rounded up
    await say(store, *range(3, 6))

    page = await event_log.read_log(ACME, "", 25)
    full = await event_log.read_log(ACME, page.position, 25)
    mocker.patch.object(event_log, "MARGIN", -1_000_000)  # as if it were a second later than that
    rest, _ = await read_all(page.position)

    assert (len(page.events), page.is_last, page.is_waiting) == (4, True, True)
    assert (full.events, full.is_waiting) == ([], True)
    assert kinds(page.events + rest) == [("message.received", f"3A{n:04}") for n in range(6)]


async def test_long_words_hold_up_no_reader(store: Store, mocker):
    """Pages end early where texts are long, also those of what is looked at again."""
    mocker.patch.object(event_log, "MOST_WORDS", 2000)
    mocker.patch.object(logged, "MOST_WORDS", 2000)
    await say(store, *range(9), text="x" * 500)
    for number in range(9):
        await store.messages.advance_delivery(THROUGH, f"3A{number:04}", Delivery.READ, 1)

    told, page = await read_all()
    again, _ = await read_all(page.position)

    assert {name for _, name in kinds(told)} == {f"3A{number:04}" for number in range(9)}
    assert again == []


async def test_forged_position_costs_no_more_than_a_page(store: Store, mocker):
    """Whoever claims that nothing was checked begins there, and isn't read the whole log for."""
    mocker.patch.object(event_log, "MOST_TOLD", 4)
    await say(store, *range(20))
    told, page = await read_all(limit=2)
    for number in range(20):
        await store.messages.advance_delivery(THROUGH, f"3A{number:04}", Delivery.READ, 1)
    late, middle = LogPlace(2**52), LogPlace(event_log.micros_of(told[-1].timestamp))

    for place, until in ((late, None), (middle, told[-1].timestamp)):
        forged = log_positions.write(LogPosition(SourcePosition(place, 0)), ACME)
        with counting(store.db.client) as counted:
            page = await event_log.read_log(ACME, forged, 2, types=MESSAGES, until=until)
        assert counted.reads <= 2 * (2 + 2 + 4 + 4), place
        assert not page.is_last


async def test_tenants_position_is_no_others(store: Store):
    await say(store, 1)
    position = (await read_all())[1].position

    for text in (position, "x", "W10", "evt_", "é", "a" * (log_positions.LONGEST + 1)):
        with pytest.raises(problems.CursorInvalid):
            await event_log.read_log(TenantId("other"), text, 9)
    assert (await event_log.read_log(TenantId("other"), "", 9)).events == []


def test_position_names_only_documents_that_can_be():
    for name in (".", "..", "__x__", "a/b", "", "\U0001f600" * 400):
        place = LogPlace(5, f"tenants/acme/messages/{name}")
        position = LogPosition(SourcePosition(LogPlace(5), 5)).at(
            LogSource.MESSAGES, SourcePosition(place, 5)
        )
        with pytest.raises(problems.CursorInvalid):
            log_positions.read(log_positions.write(position, ACME), ACME)


async def test_operators_log_has_all_tenants(store: Store):
    other = THROUGH._replace(tenant=TenantId("other"))
    await say(store, 1)
    await store.messages.record(other, a_message(2), unread=True, now=1)

    page = await event_log.read_log(None, "", 9)
    again = await event_log.read_log(None, page.position, 9)

    assert [event.tenant for event in page.events] == ["acme", "other"]
    assert again.events == []


async def test_route_tells_own_events_and_operators_all(perene: Perene, store: Store):
    await say(store, 1)

    own = (await perene.call("GET", "/events?types=message.received")).json()
    other = (await perene.call("GET", "/events", tenant="other")).json()
    every = (await perene.operate("GET", "/events?all=true&limit=5")).json()
    chosen = (await perene.operate("GET", "/events?tenant=other")).json()
    refused = await perene.call("GET", "/events?tenant=other")
    wrong = [
        (await perene.call("GET", f"/events?{query}")).status_code
        for query in ("types=nothing", "limit=0", "after=forged", "x=1")
    ]

    assert [event["data"]["text"] for event in own["events"]] == ["oi 1"]
    assert (other["events"], chosen["events"], len(every["events"])) == ([], [], 1)
    assert (refused.status_code, wrong) == (403, [422, 422, 400, 422])
    assert not own["more"]
    later = await perene.call("GET", f"/events?after={own['next']}")
    assert later.json()["events"] == []


async def test_settled_send_is_told_with_its_message(perene: Perene):
    await perene.pair(number=THROUGH.number)
    body = {"to": "5511988887777", "text": "oi"}
    headers = {"idempotency-key": "k1"}
    sent = (await perene.call("POST", "/send-message", json=body, headers=headers)).json()

    told, _ = await read_all()

    settled_sends = [event for event in told if event.type == "send.settled"]
    messages = [event for event in told if event.type == "message.sent"]
    assert [(event.data["key"], event.data["state"]) for event in settled_sends] == [("k1", "sent")]
    assert settled_sends[0].data["message_id"] == sent["message"]["id"]
    assert [event.data["send"] for event in messages] == ["k1"]
