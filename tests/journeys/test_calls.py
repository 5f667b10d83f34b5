"""A call is one line in its conversation, and one that we took is an answer."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.journeys.test_reported import shown
from tests.journeys.test_sending import MARIA, OWN
from tests.perene import Perene, name_of

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
JID = f"{MARIA}@s.whatsapp.net"


async def tell(line: Perene, event: str, data: dict[str, Any], second: int) -> None:
    date = (BEGAN + timedelta(seconds=second, milliseconds=40)).isoformat().replace("+00:00", "Z")
    body = {"event": event, "instance": name_of("acme"), "data": data, "date_time": date}
    raw = json.dumps(body | {"sender": f"{OWN}@s.whatsapp.net"}).encode()
    headers = line.webhook_headers(name_of("acme"))
    assert (await line.http.post("/webhook", content=raw, headers=headers)).status_code == 204


async def ring(line: Perene, status: str, second: int) -> None:
    date = (BEGAN + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")
    call = {"chatId": JID, "from": JID, "id": "CALL1", "date": date, "status": status}
    await tell(line, "call", call, second)


async def log(line: Perene, outcome: str, second: int, name: str = "CALL1") -> None:
    content = {"callLogMesssage": {"callOutcome": outcome, "durationSecs": "61"}}
    at = int(BEGAN.timestamp()) + second
    key = {"remoteJid": JID, "fromMe": False, "id": name}
    await tell(
        line, "messages.upsert", {"key": key, "message": content, "messageTimestamp": at}, second
    )


ANSWERED = [("offer", 0), ("accept", 7), ("terminate", 68)]


@pytest.fixture
async def line(on_2: Perene) -> Perene:
    await on_2.pair(number=OWN)
    return on_2


@pytest.mark.parametrize("order", [*permutations(range(3)), (2, 0, 1, 2)])
async def test_call_that_we_took_is_not_unread(line: Perene, order: tuple[int, ...]):
    for index in order:
        await ring(line, *ANSWERED[index])

    ((conversation, (message,)),) = await shown(line)

    assert (message["call"]["outcome"], conversation["unread"]) == ("answered", 0)
    assert message["at"] == conversation["last_at"] == int(BEGAN.timestamp()) * 1000
    (summary,) = line.documents("tenants/acme/conversations").values()
    assert summary["read_until"] == (int(BEGAN.timestamp()) + 68) * 1000


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_call_that_ended_unanswered_is_unread_once(line: Perene, order: tuple[int, ...]):
    for index in order:
        await ring(line, *[("offer", 0), ("terminate", 30)][index])

    ((conversation, (message,)),) = await shown(line)

    assert (message["call"]["outcome"], conversation["unread"]) == ("missed", 1)


@pytest.mark.parametrize("first", ["events", "log"])
@pytest.mark.parametrize("name", ["CALL1", "3ALOG"])
async def test_log_of_a_call_is_the_same_line(line: Perene, name: str, first: str):
    if first == "log":
        await log(line, "CONNECTED", 2, name)
    await ring(line, "offer", 0)
    if first == "events":
        await log(line, "CONNECTED", 2, name)

    ((_, (message,)),) = await shown(line)

    assert message["id"] == "CALL1"
    call = message["call"]
    assert (call["outcome"], call["seconds"], call["logged"]) == ("answered", 61, False)


async def test_another_call_is_another_line(line: Perene):
    await ring(line, "timeout", 0)
    await log(line, "MISSED", 60, "3ALOG")

    ((conversation, messages),) = await shown(line)

    assert (len(messages), conversation["unread"]) == (2, 2)
