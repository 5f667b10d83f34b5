"""The sweep settles what nobody asked for: sends whose outcome nobody knows."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.test_sending import OWN, said, send, talk, thread
from tests.perene import Perene


async def unanswered(perene: Perene, fault: str) -> str:
    """Send a message without an answer or an echo, and return its conversation."""
    await perene.pair(number=OWN)
    conversation = await talk(perene)
    perene.evolution.faults.turn_on("webhook_lost", events="send.message")
    perene.evolution.faults.turn_on(fault, route="sendText", count=1)
    await send(perene, "k1", conversation=conversation, text="chegou?")
    return conversation


async def test_sweep_reconciles_send_from_history(perene: Perene):
    conversation = await unanswered(perene, "cut_after")

    perene.clock.advance(timedelta(minutes=3))
    report = await perene.sweep()

    assert perene.documents("tenants/acme/sends")["k1"]["state"] == "sent"
    assert report["counts"].get("uncertain") is None
    assert [message["text"] for message in await thread(perene, conversation)] == ["chegou?", "oi"]
    assert len(said(perene)) == 1


async def test_unseen_send_is_counted(perene: Perene):
    await unanswered(perene, "cut_before")

    perene.clock.advance(timedelta(minutes=3))
    first, again = await perene.sweep(), await perene.sweep()

    assert (first["counts"]["uncertain"], again["counts"]["uncertain"]) == (1, 1)
    assert perene.documents("tenants/acme/sends")["k1"]["state"] == "uncertain"
    assert said(perene) == []


async def test_unseen_send_to_somebody_new_breaks_no_rule(on_2: Perene):
    await on_2.pair(number=OWN)
    on_2.evolution.faults.turn_on("cut_before", route="sendText", count=1)

    await send(on_2, "k1", to="5521977700001", text="chegou?")

    assert (await on_2.sweep())["invariants"]["violations"] == []


async def test_conversation_that_begins_while_counting_breaks_no_rule(
    on_2: Perene, monkeypatch: pytest.MonkeyPatch
):
    await on_2.pair(number=OWN)
    count = on_2.store.db.count

    async def count_and_begin(query: Any) -> int:
        counted: int = await count(query)
        on_2.write(f"tenants/acme/conversations/{uuid4().hex}", line="default")
        return counted

    monkeypatch.setattr(on_2.store.db, "count", count_and_begin)

    assert (await on_2.sweep())["invariants"]["violations"] == []


async def test_sweep_settles_abandoned_send(on_2: Perene):
    await unanswered(on_2, "cut_after")
    on_2.write("tenants/acme/sends/k1", state="sending", why=None)  # as if it had died just then
    conversation = on_2.documents("tenants/acme/sends")["k1"]["conversation"]
    on_2.write(f"tenants/acme/conversations/{conversation}", unsettled=0)

    on_2.clock.advance(timedelta(minutes=3))
    await on_2.sweep()

    assert on_2.documents("tenants/acme/sends")["k1"]["state"] == "sent"
    assert on_2.documents("tenants/acme/conversations")[conversation]["unsettled"] == 0
