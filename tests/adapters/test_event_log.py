"""The log of events, as readers see it."""

from typing import Any

from shared.domain.contacts import contact_of
from shared.domain.content import Kind
from shared.domain.messages import Delivery, Message
from shared.domain.names import LineId, TenantId
from shared.outbound import event_log
from shared.outbound.event_log import EventType, LogPage
from shared.store import LineScope, Store
from tests.adapters.counting import Counted, counting
from tests.builders import a_content

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
