"""A person says what became of an uncertain send; nothing is sent by that, and evidence wins."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.journeys.test_conversations import send as send_through_server
from tests.journeys.test_sending import OWN, outcome, said, send, talk, thread
from tests.perene import Perene, name_of


@pytest.fixture
async def conversation(on_2: Perene) -> str:
    """Open a line, and lose the answer to the first send of `k1` into its conversation."""
    await on_2.pair(number=OWN)
    return await talk(on_2)


async def lose(perene: Perene, fault: str, conversation: str) -> None:
    perene.evolution.faults.turn_on("webhook_lost")
    perene.evolution.faults.turn_on(fault, route="sendText", count=1)
    await send(perene, "k1", conversation=conversation, text="chegou?")
    perene.evolution.faults.turn_off("webhook_lost")


async def settle(perene: Perene, *, sent: bool) -> httpx.Response:
    return await perene.call("POST", "/send-message/k1/settle", json={"sent": sent})


async def sends_in(perene: Perene, conversation: str) -> list[Any]:
    answer = await perene.call("GET", f"/conversations/{conversation}/messages")
    sends: list[Any] = answer.json()["sends"]
    return sends


async def test_unsent_is_sent_again_by_person_alone(on_2: Perene, conversation: str):
    await lose(on_2, "cut_before", conversation)
    early = await settle(on_2, sent=False)
    on_2.clock.advance(timedelta(minutes=3))

    settled = await settle(on_2, sent=False)

    assert (early.status_code, early.json()["type"].rpartition(":")[2]) == (
        409,
        "settled-too-early",
    )
    assert 0 < int(early.headers["retry-after"]) <= 120
    assert (settled.json()["state"], settled.json()["why"]) == ("failed", "person_said_so")
    assert (await settle(on_2, sent=True)).json()["state"] == "failed"
    assert await sends_in(on_2, conversation) == []
    assert said(on_2) == []
    again = await send(on_2, "k1", conversation=conversation, text="chegou?")
    assert (again.status_code, len(said(on_2))) == (201, 1)


async def test_echo_takes_place_of_persons_word(on_2: Perene, conversation: str):
    await lose(on_2, "cut_before", conversation)
    on_2.clock.advance(timedelta(minutes=3))

    settled = (await settle(on_2, sent=True)).json()

    assert (settled["state"], settled["said"], settled.get("message")) == ("sent", True, None)
    (shown,) = await sends_in(on_2, conversation)
    assert (shown["text"], shown["state"]) == ("chegou?", "sent")
    repeated = await send(on_2, "k1", conversation=conversation, text="chegou?")
    assert (repeated.status_code, said(on_2)) == (201, [])
    echoed = await send_through_server(on_2, name_of("acme"), "chegou?")
    assert (await outcome(on_2, "k1")).json()["message"]["id"] == echoed
    assert await sends_in(on_2, conversation) == []
    assert [message["text"] for message in await thread(on_2, conversation)] == ["chegou?", "oi"]


async def test_evidence_counts_more_than_word(on_2: Perene, conversation: str):
    await lose(on_2, "cut_after", conversation)
    on_2.clock.advance(timedelta(minutes=3))

    settled = (await settle(on_2, sent=False)).json()

    assert (settled["state"], settled["message"]["text"]) == ("sent", "chegou?")
    assert (await outcome(on_2, "k1")).json()["state"] == "sent"
    assert [message["text"] for message in await thread(on_2, conversation)] == ["chegou?", "oi"]
