"""What an attempt means for the events that wait."""

from datetime import UTC, datetime
from typing import Any

from shared.domain.endpoints import MOST_HELD, Attempt, Endpoint
from shared.domain.event_types import EventType
from shared.domain.names import TenantId
from shared.outbound.delivery_attempts import (
    Down,
    Suspicious,
    Try,
    Unsubscribed,
    Up,
    find_suspect,
    judge_attempt,
)
from shared.outbound.facts import Event

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def an_event(number: int, conversation: str | None = None) -> Event:
    home = conversation or f"c{number}"
    fields = {"timestamp": NOON, "data": {}, "tenant": TenantId("acme"), "conversation": home}
    return Event.model_validate(
        {"id": f"evt_{number}", "type": EventType.MESSAGE_RECEIVED, **fields}
    )


def an_attempt(status: int) -> Attempt:
    return Attempt(event="evt_1", type="message.received", at=NOON, ms=3, status=status)


def an_endpoint(held: int = 0, **change: Any) -> Endpoint:
    times = {"created_at": NOON, "moved_at": NOON}
    entry = {"position": "p", "event": "e", "tries": 1, "since": NOON, "retry_at": NOON}
    entries = [{"conversation": f"held {number}", **entry} for number in range(held)]
    fields = {"id": "ep_1", "tenant": "acme", "url": "https://a.test", "secret": "whsec_YQ=="}
    return Endpoint.model_validate({**fields, **times, "cursor": "here", "held": entries, **change})


SUSPECT = Try(an_event(0), 0, 1, an_attempt(500))


def judge(status: int, suspect: Try | None = None, endpoint: Endpoint | None = None) -> Any:
    return judge_attempt(an_event(1), 1, an_attempt(status), suspect, endpoint or an_endpoint())


def test_one_failure_says_nothing_yet():
    this = Try(an_event(1), 1, 1, an_attempt(500))

    assert judge(500) == Suspicious(this)
    assert judge(500, endpoint=an_endpoint(failures=1)) == Down(this)


def test_second_attempt_decides_where_to_wait():
    assert judge(204, SUSPECT) == Up(SUSPECT)
    assert judge(503, SUSPECT) == judge(400, SUSPECT) == Down(SUSPECT)
    assert judge(204) == Up()


def test_endpoint_that_holds_as_many_as_it_may_is_down():
    assert judge(204, SUSPECT, an_endpoint(held=MOST_HELD - 1)) == Up(SUSPECT)
    assert judge(204, SUSPECT, an_endpoint(held=MOST_HELD)) == Down(SUSPECT)
    assert judge(204, None, an_endpoint(held=MOST_HELD)) == Up()


def test_gone_is_gone_whatever_failed_before():
    assert judge(410) == judge(410, SUSPECT) == Unsubscribed()


def test_another_conversation_is_tried_every_other_time():
    events = [an_event(0, "held 0"), an_event(1, "a"), an_event(2, "a"), an_event(3, "b")]
    suspects = [find_suspect(events, an_endpoint(1, failures=failures)) for failures in range(4)]

    assert suspects == [None, Try(events[1], 1, 1, None), None, Try(events[1], 1, 3, None)]
    assert find_suspect(events[:3], an_endpoint(1, failures=1)) is None
