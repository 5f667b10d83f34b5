"""Messages whose news came first, and what happens in between."""

import asyncio
from typing import Any

import pytest

from shared.domain.contacts import contact_of
from shared.domain.content import Kind
from shared.domain.kept_messages import Edit
from shared.domain.messages import Delivery, Message
from shared.domain.names import LineId, TenantId
from shared.store import LineScope, Store
from tests.adapters.stores import Contended, Interrupted
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


def summary(perene: Perene) -> dict[str, Any]:
    (only,) = perene.documents("tenants/acme/conversations").values()
    return only


async def test_stub_completed_twice_counts_once(perene: Perene, store: Store):
    await store.messages.advance_delivery(THROUGH, OI.id, Delivery.READ, 1)

    disturbed = Store(
        Interrupted(store, lambda: store.messages.record(THROUGH, OI, unread=True, now=1), 2)
    )

    assert not await disturbed.messages.record(THROUGH, OI, unread=True, now=1)
    assert summary(perene)["unread"] == 1


async def test_revocation_during_storing_hides_message(perene: Perene, store: Store):
    await store.messages.advance_delivery(THROUGH, OI.id, Delivery.READ, 1)

    async def taken_back() -> None:
        await store.messages.record_revocation(THROUGH, OI.id, 5, (OI.contact.key,), 1)
        await store.messages.refresh_preview(THROUGH, OI.id, 1)

    assert await Store(Interrupted(store, taken_back, 2)).messages.record(
        THROUGH, OI, unread=True, now=1
    )
    assert summary(perene)["preview"]["text"] == ""


async def test_preview_heals_despite_other_writes(perene: Perene, store: Store):
    await store.messages.record(THROUGH, OI, unread=True, now=1)
    await store.messages.record_edit(
        THROUGH, OI.id, "k", Edit(text="mudou", at=1, by={"?": True}), 1
    )
    named = Store(
        Interrupted(store, lambda: store.conversations.rename(THROUGH, OI.contact, "Maria"), 1)
    )

    await named.messages.refresh_preview(THROUGH, OI.id, 1)

    assert (summary(perene)["preview"]["text"], summary(perene)["name"]) == ("mudou", "Maria")


@pytest.mark.parametrize("what", ["record", "move", "bury"])
async def test_concurrent_writes_only_delay(perene: Perene, store: Store, what: str):
    contended = Store(Contended(store))
    if what == "record":
        assert await contended.messages.record(THROUGH, OI, unread=True, now=1)
    elif what == "move":
        await contended.messages.advance_delivery(THROUGH, OI.id, Delivery.READ, 1)
    else:
        await contended.dead_letters.store("instance_acme", "raw", "why", perene.clock())

    documents = perene.documents("dead_letters" if what == "bury" else "tenants/acme/messages")
    assert len(documents) == 1


async def test_early_revoked_message_keeps_no_content(perene: Perene, store: Store):
    await store.messages.record_edit(
        THROUGH, OI.id, "k", Edit(text="segredo maior", at=1, by={"?": True}), 1
    )
    await store.messages.record_revocation(THROUGH, OI.id, 5, (OI.contact.key,), 1)

    await store.messages.record(THROUGH, OI, unread=True, now=1)

    assert "segredo" not in str(perene.documents("tenants/acme/messages"))
    assert "segredo" not in str(perene.documents("tenants/acme/conversations"))


async def test_edit_after_revocation_is_dropped(perene: Perene, store: Store):
    await store.messages.record(THROUGH, OI, unread=True, now=1)
    await store.messages.record_revocation(THROUGH, OI.id, 5, (OI.contact.key,), 1)
    await store.messages.refresh_preview(THROUGH, OI.id, 1)

    await store.messages.record_edit(
        THROUGH, OI.id, "k", Edit(text="segredo maior", at=1, by={"?": True}), 1
    )
    await store.messages.refresh_preview(THROUGH, OI.id, 1)

    assert "segredo" not in str(perene.documents("tenants/acme/messages"))


async def test_concurrent_messages_are_all_counted(perene: Perene, store: Store):
    several = [OI.model_copy(update={"id": f"3A{at}"}) for at in range(20)]

    await asyncio.gather(
        *(store.messages.record(THROUGH, message, unread=True, now=1) for message in several)
    )

    assert summary(perene)["unread"] == 20
