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
