"""Messages of one second, whose copies arrive in any order."""

import asyncio
import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.contacts import contact_of
from shared.domain.fleet.gaps import Window
from shared.domain.kept_messages import Edit
from shared.domain.messages import Delivery, Kind, Message, asked_at
from shared.domain.names import LineId, TenantId
from shared.domain.positions import place
from shared.store import LineScope, Store
from shared.store.conversations import ConversationFilter

SECOND = 1_795_302_085_000
NUMBER = "5511999990001"
CONTACT = contact_of("5511988887777@s.whatsapp.net")
SERIAL = itertools.count()
"""Every example has a tenant of its own: the emulator forgets nothing."""


class Chat:
    """A conversation with one contact."""

    def __init__(self, store: Store) -> None:
        self.store = store
        tenant = TenantId(f"t{next(SERIAL)}")
        self.scope = LineScope(tenant, LineId("default"), NUMBER)

    def build(self, number: int, emitted: int | None, **more: Any) -> Message:
        """Build a copy of the n-th message that was emitted so long after the second began."""
        clock = None if emitted is None else SECOND + emitted
        assert CONTACT
        return Message(
            id=f"3A{9 - number}",
            kind=Kind.TEXT,
            text=str(number),
            contact=CONTACT,
            from_me=more.pop("from_me", False),
            at=place(SECOND, clock, more.pop("index", 0)),
            emitted=clock,
            **more,
        )

    async def record(self, message: Message) -> None:
        await self.store.messages.record(self.scope, message, unread=True, now=SECOND)

    async def record_history(self, *messages: Message) -> None:
        await self.store.messages.record_history(self.scope, messages, now=SECOND)

    async def backfill(self, *messages: Message) -> None:
        window = Window(NUMBER, SECOND, SECOND + 1000)
        await self.store.missed_windows.backfill(self.scope, messages, window, now=SECOND)

    async def read(self, limit: int = 100) -> tuple[list[str], str]:
        """Read the texts, oldest first and page by page, and the preview's."""
        listed = ConversationFilter(), 9, None, SECOND
        await self.store.conversations.list_page(self.scope.tenant, *listed)  # heals the preview
        page = await self.store.conversations.list_page(self.scope.tenant, *listed)
        (conversation,) = page.records
        assert conversation.preview
        texts, after = list[str](), None
        while True:
            page = await self.store.messages.list_page(
                self.scope.tenant, conversation, limit, after
            )
            texts += [message.text or "" for message in page.records]
            after = page.end
            if after is None:
                break
        assert not conversation.stale
        assert conversation.last_at == conversation.preview.at
        return texts[::-1], conversation.preview.text


patient = settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
copies = st.permutations([(number, late) for number in range(4) for late in (0, 40, 300_000)])


@patient
@given(copies, st.integers(1, 4), st.integers(1, 4))
async def test_order_of_copies_does_not_matter(
    store: Store, arrivals: list[tuple[int, int]], at_once: int, limit: int
):
    chat = Chat(store)
    messages = [chat.build(number, 100 + 7 * number + late) for number, late in arrivals]

    for start in range(0, len(messages), at_once):
        await asyncio.gather(*map(chat.record, messages[start : start + at_once]))

    assert await chat.read(limit) == (["0", "1", "2", "3"], "3")


@patient
@given(st.permutations(range(6)), st.sets(st.integers(0, 5), min_size=1))
async def test_sends_stand_as_they_were_asked(store: Store, order: list[int], early: set[int]):
    chat = Chat(store)
    echoes = [chat.build(number, 500 - 9 * number, from_me=True) for number in order]
    sent = [
        asked_at(echo, SECOND + 10 * number) for number, echo in zip(order, echoes, strict=True)
    ]

    for number in early:
        await chat.record(echoes[number])
    for message in sent:
        await chat.record(message)
    for echo in echoes:
        await chat.record(echo)

    assert await chat.read() == (["0", "1", "2", "3", "4", "5"], "5")


async def test_history_leaves_live_messages_in_place(store: Store):
    chat = Chat(store)
    messages = [chat.build(number, 100 + number) for number in range(3)]
    for message in messages:
        await chat.record(message)

    listed = [chat.build(number, 90_000, index=2 - number) for number in range(3)]
    await chat.record_history(*listed[::-1])
    await chat.backfill(*[chat.build(number, None, index=2 - number) for number in range(3)])

    assert await chat.read() == (["0", "1", "2"], "2")


async def test_missing_message_follows_history_order(store: Store):
    chat = Chat(store)
    for number in (0, 3):
        await chat.record(chat.build(number, 100 + number))

    await chat.backfill(*[chat.build(number, None, index=number) for number in range(5)])
    await chat.record(chat.build(2, 50))

    assert await chat.read(2) == (["0", "1", "2", "3", "4"], "4")


async def test_history_alone_stands_as_listed(store: Store):
    chat = Chat(store)

    await chat.record_history(*[chat.build(number, 3_600_000, index=number) for number in range(9)])

    assert (await chat.read(2))[0] == [str(number) for number in range(9)]


async def test_unknown_order_is_that_of_arrival(store: Store):
    chat = Chat(store)

    for number in range(6):
        await chat.record(chat.build(number, 60_000))

    assert await chat.read() == (["0", "1", "2", "3", "4", "5"], "5")


async def test_message_of_an_earlier_version_stays(store: Store):
    chat = Chat(store)
    old = chat.build(0, None)
    await chat.record(old)
    reference = store.db.message(chat.scope, old.id)
    await reference.update({"at": SECOND, "emitted": None})

    await chat.record(chat.build(1, 20))
    await chat.record(chat.build(0, 30))

    assert await chat.read() == (["0", "1"], "1")


async def test_edit_and_delivery_move_nothing(store: Store):
    chat = Chat(store)
    messages = [chat.build(number, 100 + number) for number in range(3)]
    for message in messages:
        await chat.record(message)
    before = [(await store.db.message(chat.scope, one.id).get()).get("at") for one in messages]

    edit = Edit(text="0", at=SECOND + 999_999, by={"?": True})
    await store.messages.record_edit(chat.scope, messages[0].id, "k", edit, SECOND)
    await store.messages.refresh_preview(chat.scope, messages[0].id, SECOND)
    await store.messages.advance_delivery(chat.scope, messages[1].id, Delivery.READ, SECOND)

    after = [(await store.db.message(chat.scope, one.id).get()).get("at") for one in messages]
    assert before == after
    assert await chat.read() == (["0", "1", "2"], "2")


async def test_odd_message_hides_no_other_of_ours(store: Store):
    chat = Chat(store)
    messages = [chat.build(number, 100 + number, from_me=True) for number in range(2)]
    for message in messages:
        await chat.record(message)
    await store.db.message(chat.scope, messages[0].id).update({"contact": 7})
    page = await store.conversations.list_page(
        chat.scope.tenant, ConversationFilter(), 9, None, SECOND
    )

    own = await store.messages.list_own(chat.scope.tenant, page.records[0], 0, SECOND + 1000)

    assert [message.id for message in own] == [messages[1].id]
