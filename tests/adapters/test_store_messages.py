"""Messages whose news came first, and what happens in between."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore

from shared.domain.contacts import contact_of
from shared.domain.conversations import Edit
from shared.domain.messages import Delivery, Kind, Message
from shared.domain.names import LineId, TenantId
from shared.store import LineScope, Store
from tests.perene import Perene

THROUGH = LineScope(TenantId("acme"), LineId("default"), "5511999990001")
OI = Message(
    id="3A1",
    kind=Kind.TEXT,
    text="segredo",
    contact=contact_of("5511988887777@s.whatsapp.net"),
    from_me=False,
    at=1_795_302_085_000,
)


class Disturbed(Store):
    """Before its n-th commit, something else happens."""

    def __init__(self, store: Store, at: int, between: Callable[[], Awaitable[Any]]) -> None:
        super().__init__(store._client)
        self.commits_left, self.between = at, between

    async def _commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        self.commits_left -= 1
        if self.commits_left == 0:
            await self.between()
        return await super()._commit(batch)


class Contended(Store):
    """Its first commits are aborted: others write to the same documents."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._client)
        self.aborted = 2

    async def _commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        self.aborted -= 1
        if self.aborted >= 0:
            raise exceptions.Aborted("contention")
        return await super()._commit(batch)


def summary(perene: Perene) -> dict[str, Any]:
    (only,) = perene.documents("tenants/acme/conversations").values()
    return only


async def test_a_message_that_takes_its_stubs_place_twice_at_once_counts_once(
    perene: Perene, store: Store
):
    await store.advance_delivery(THROUGH, OI.id, Delivery.READ, 1)

    disturbed = Disturbed(store, 2, lambda: store.record_message(THROUGH, OI, unread=True, now=1))

    assert not await disturbed.record_message(THROUGH, OI, unread=True, now=1)
    assert summary(perene)["unread"] == 1


async def test_a_message_that_is_taken_back_while_it_is_stored_is_shown_nowhere(
    perene: Perene, store: Store
):
    await store.advance_delivery(THROUGH, OI.id, Delivery.READ, 1)

    async def taken_back() -> None:
        await store.record_revocation(THROUGH, OI.id, 5, (OI.contact.key,), 1)
        await store.refresh_preview(THROUGH, OI.id, 1)

    assert await Disturbed(store, 2, taken_back).record_message(THROUGH, OI, unread=True, now=1)
    assert summary(perene)["preview"]["text"] == ""


async def test_a_preview_is_told_again_though_somebody_writes_meanwhile(
    perene: Perene, store: Store
):
    await store.record_message(THROUGH, OI, unread=True, now=1)
    await store.record_edit(THROUGH, OI.id, "k", Edit(text="mudou", at=1, by={"?": True}), 1)
    named = Disturbed(store, 1, lambda: store.rename_conversation(THROUGH, OI.contact, "Maria"))

    await named.refresh_preview(THROUGH, OI.id, 1)

    assert (summary(perene)["preview"]["text"], summary(perene)["name"]) == ("mudou", "Maria")


@pytest.mark.parametrize("what", ["record", "move", "bury"])
async def test_what_others_write_at_the_same_time_only_delays(
    perene: Perene, store: Store, what: str
):
    contended = Contended(store)
    if what == "record":
        assert await contended.record_message(THROUGH, OI, unread=True, now=1)
    elif what == "move":
        await contended.advance_delivery(THROUGH, OI.id, Delivery.READ, 1)
    else:
        await contended.store_dead_letter("instance_acme", "raw", "why", perene.clock())

    kept = perene.documents("dead_letters" if what == "bury" else "tenants/acme/messages")
    assert len(kept) == 1


async def test_a_message_that_was_taken_back_before_it_came_is_kept_without_words(
    perene: Perene, store: Store
):
    await store.record_edit(
        THROUGH, OI.id, "k", Edit(text="segredo maior", at=1, by={"?": True}), 1
    )
    await store.record_revocation(THROUGH, OI.id, 5, (OI.contact.key,), 1)

    await store.record_message(THROUGH, OI, unread=True, now=1)

    assert "segredo" not in str(perene.documents("tenants/acme/messages"))
    assert "segredo" not in str(perene.documents("tenants/acme/conversations"))


async def test_an_edit_that_comes_after_the_message_was_taken_back_is_not_kept(
    perene: Perene, store: Store
):
    await store.record_message(THROUGH, OI, unread=True, now=1)
    await store.record_revocation(THROUGH, OI.id, 5, (OI.contact.key,), 1)
    await store.refresh_preview(THROUGH, OI.id, 1)

    await store.record_edit(
        THROUGH, OI.id, "k", Edit(text="segredo maior", at=1, by={"?": True}), 1
    )
    await store.refresh_preview(THROUGH, OI.id, 1)

    assert "segredo" not in str(perene.documents("tenants/acme/messages"))


async def test_messages_of_one_contact_at_once_are_all_counted(perene: Perene, store: Store):
    several = [OI.model_copy(update={"id": f"3A{at}"}) for at in range(20)]

    await asyncio.gather(
        *(store.record_message(THROUGH, each, unread=True, now=1) for each in several)
    )

    assert summary(perene)["unread"] == 20
