"""What is told again, and documents and cursors that are odd."""

import time
from typing import Any

import pytest

from tests.journeys.test_odd_intake import MARIA, inbox, kept, post, said
from tests.journeys.test_who_changed_it import ANA, an_order
from tests.perene import Perene

NOW = int(time.time())
BY_MARIA = {"participant": f"{MARIA}@s.whatsapp.net"}


async def test_status_told_with_message_again_counts(on_2: Perene):
    name = await on_2.pair()
    first = said("O1", me=True, status="PENDING")
    later = said("O1", me=True, status="READ")

    await post(on_2, name, "send.message", first)
    await post(on_2, name, "messages.upsert", later)

    assert kept(on_2)["default~O1"]["progress"] == 4


async def test_a_status_told_by_history_counts(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "send.message", said("O1", me=True, status="PENDING"))
    await post(on_2, name, "messages.set", [said("O1", me=True, status="READ")])

    assert kept(on_2)["default~O1"]["progress"] == 4


@pytest.mark.parametrize(
    "odd",
    [
        {"preview": {"message": "S1", "at": NOW * 1000, "kind": "of a newer version"}},
        {"contact": None},
        {"unread": "3"},
    ],
)
async def test_odd_conversation_spares_the_inbox(on_2: Perene, odd: dict[str, Any]):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("A1", jid=ANA))
    await post(on_2, name, "messages.upsert", said("S1"))
    odd_one = kept(on_2)["default~S1"]["conversation"]
    on_2.write(f"tenants/acme/conversations/{odd_one}", **odd)

    answer = await on_2.call("GET", "/conversations")

    assert answer.status_code == 200
    assert len(answer.json()["conversations"]) >= 1


async def test_odd_message_spares_its_page(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("S1"))
    await post(on_2, name, "messages.upsert", said("S2"))
    on_2.write("tenants/acme/messages/default~S1", kind="of a newer version")
    (conversation,) = await inbox(on_2)

    answer = await on_2.call("GET", f"/conversations/{conversation['id']}/messages")
    webhook = await post(on_2, name, "messages.upsert", {**said("RV"), "message": an_order("S1")})

    assert (answer.status_code, webhook.status_code) == (200, 204)
