"""A message that WhatsApp never acknowledged stays so, whoever looks at the server's records."""

from datetime import timedelta

import pytest

from tests.journeys.test_odd_intake import MARIA
from tests.journeys.test_who_changed_it import thread
from tests.perene import Perene

LATER = timedelta(minutes=6)


async def send(perene: Perene, key: str = "k1") -> None:
    """Send a text that WhatsApp will not acknowledge."""
    perene.evolution.faults.turn_on("send_unacknowledged")
    body = {"line": "default", "to": MARIA, "text": "oi"}
    answer = await perene.call("POST", "/send-message", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code in (200, 201, 202), answer.text
    await perene.evolution.drain()


@pytest.mark.parametrize("echo", ["heard", "lost"])
async def test_sweep_leaves_delivery_unconfirmed(perene: Perene, echo: str):
    await perene.pair()
    if echo == "lost":
        perene.evolution.faults.turn_on("webhook_lost")
    await send(perene)
    perene.clock.advance(LATER)

    for _ in range(2):
        await perene.sweep()
        (message,) = (await thread(perene))["messages"]
        assert (message["delivery"], message["unacknowledged"]) == ("pending", True)


async def test_reconciling_never_claims_delivery(on_2: Perene):
    await on_2.pair()
    on_2.evolution.faults.turn_on("webhook_lost")
    on_2.evolution.faults.turn_on("cut_after", route="sendText", count=1)
    await send(on_2)
    on_2.clock.advance(timedelta(seconds=15))

    answer = await on_2.call("GET", "/send-message/k1")

    on_2.clock.advance(LATER)
    (message,) = (await thread(on_2))["messages"]
    assert answer.json()["state"] == "sent"
    assert (message["delivery"], message["unacknowledged"]) == ("pending", True)


async def test_phone_message_is_acknowledged(on_2: Perene):
    name = await on_2.pair()
    on_2.evolution.faults.turn_on("webhook_lost")
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True}
    event = {"key": key, "message": {"conversation": "do celular"}}
    await on_2.evolution.receive_message(name, event)
    on_2.clock.advance(LATER)

    await on_2.sweep()

    (message,) = (await thread(on_2))["messages"]
    assert (message["delivery"], message["unacknowledged"]) == ("sent", False)
