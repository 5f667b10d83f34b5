"""Events of an instance that is no more, of clocks that were set, and of bodies that are odd."""

import json
from datetime import datetime, timedelta
from typing import Any

from tests.cases import in_each
from tests.perene import Perene, name_of

NUMBER = "5511999990001"
NAME = name_of("acme")
OPEN = {"state": "open", "wuid": f"{NUMBER}@s.whatsapp.net", "statusReason": 200}
CLOSED = {"state": "close", "statusReason": 401}


async def test_released_instances_event_is_ignored(perene: Perene):
    await perene.pair(number=NUMBER)
    events = Told(perene, OPEN, perene.clock())
    await perene.call("DELETE", "/instances/default")
    perene.evolution.faults.turn_on("webhook_lost")
    await perene.ensure()

    await events.arrives()

    assert await state(perene) == "pairing"
    assert perene.documents("numbers") == {}


async def test_removed_instances_event_opens_nothing(perene: Perene):
    await perene.pair(number=NUMBER)
    events = Told(perene, OPEN, perene.clock())
    await perene.call("POST", "/instances/default/disconnect")

    await events.arrives()

    assert await state(perene) == "closed"


@in_each("hours", [1, 3])
async def test_slow_server_clock_hides_no_event(perene: Perene, hours: int):
    await perene.pair(number=NUMBER)
    await perene.evolution.vanish(NAME)

    await Told(perene, CLOSED, perene.clock() - timedelta(hours=hours)).arrives()

    assert await state(perene) == "missing"


async def test_future_event_hides_no_other(perene: Perene):
    await perene.pair(number=NUMBER)
    await Told(perene, OPEN, datetime.fromisoformat("9999-12-31T23:59:59+00:00")).arrives()

    await perene.evolution.unpair(NAME)
    await perene.evolution.drain()

    assert await state(perene) == "closed"


@in_each("when", ["", "yesterday", "2026-11-22T01:00:00", [], {}])
async def test_odd_time_counts_from_receipt(perene: Perene, when: Any):
    await perene.pair(number=NUMBER)
    await perene.evolution.vanish(NAME)

    await Told(perene, CLOSED, when).arrives()

    assert await state(perene) == "missing"


ODD = {
    "an event that is a list": {"event": []},
    "an event that is an object": {"event": {}},
    "half a character": {
        "event": "qrcode.updated",
        "data": {"qrcode": {"code": "\ud800", "base64": "data:"}},
    },
    "a number of 3000 digits": {
        "event": "connection.update",
        "data": {"state": "open", "wuid": "1" * 3000 + "@s.whatsapp.net"},
    },
}


@in_each("case", ODD)
async def test_odd_body_is_accepted(perene: Perene, case: str):
    await perene.pair(number=NUMBER)
    body = json.dumps({"instance": NAME, **ODD[case]}).encode()

    answer = await perene.http.post("/webhook", content=body, headers=perene.webhook_headers(NAME))

    assert answer.status_code == 204


class Told:
    """An event as it left its server; it arrives when it arrives."""

    def __init__(self, perene: Perene, data: dict[str, Any], when: Any) -> None:
        at = when.isoformat() if isinstance(when, datetime) else when
        self.perene, self.headers = perene, perene.webhook_headers(NAME)
        self.body = {
            "event": "connection.update",
            "instance": NAME,
            "date_time": at,
            "data": {"instance": NAME, **data},
        }

    async def arrives(self) -> None:
        answer = await self.perene.http.post("/webhook", json=self.body, headers=self.headers)
        assert answer.status_code in (204, 401)


async def state(perene: Perene) -> Any:
    """Return what a frontend is shown."""
    return (await perene.call("GET", "/instances/default")).json()["state"]
