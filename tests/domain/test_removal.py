"""A removal is final, in whichever order its server tells of it."""

import pytest

from shared.domain import connecting, events
from shared.domain.connecting import decide_outage
from shared.domain.events import ConnectionEvent
from shared.domain.instances import Instance, Reason, State
from shared.domain.upstream import Connection
from tests.builders import LATER, NUMBER, a_line, code_shown

CLOSES = [
    events.LoggedOut(),
    events.Banned(),
    events.ConnectionLost(),
    events.CodesExhausted(),
]
every_close = pytest.mark.parametrize("event", CLOSES, ids=lambda event: type(event).__name__)


def decide_event(line: Instance, event: ConnectionEvent, at: int) -> Instance | None:
    return connecting.decide_event(line, event, line.born, at, LATER)


@every_close
def test_removal_counts_after_later_close(event: ConnectionEvent):
    closed = decide_event(a_line(open=True), event, 30)
    assert closed

    removed = decide_event(closed, events.Removed(), 1)

    assert removed
    assert (removed.state, removed.reason) == (State.MISSING, Reason.VANISHED)
    assert removed.heard_at == 30


@every_close
def test_close_after_removal_is_no_news(event: ConnectionEvent):
    gone = decide_event(a_line(open=True), events.Removed(), 1)
    assert gone

    assert decide_event(gone, event, 30) is None


@pytest.mark.parametrize("event", [events.Opened(NUMBER), code_shown()], ids=["opened", "a code"])
def test_code_or_opening_undoes_removal(event: ConnectionEvent):
    gone = decide_event(a_line(open=True), events.Removed(), 1)
    assert gone

    back = decide_event(gone, event, 30)

    assert back
    assert back.state in (State.OPEN, State.PAIRING)


def test_removal_of_earlier_instance_says_nothing():
    line = a_line(open=True)

    assert connecting.decide_event(line, events.Removed(), line.born - 1, 30, LATER) is None


@pytest.mark.parametrize(
    ("seen", "means"),
    [
        pytest.param(Connection.OPEN, None, id="open after all"),
        pytest.param(None, events.Removed(), id="gone"),
        pytest.param(Connection.CLOSED, events.LoggedOut(), id="closed"),
        pytest.param(Connection.CONNECTING, events.LoggedOut(), id="connecting"),
        pytest.param(Connection.UNKNOWN, events.LoggedOut(), id="nobody could look"),
    ],
)
def test_look_explains_an_outage(seen: Connection | None, means: ConnectionEvent | None):
    assert decide_outage(events.LoggedOut(), seen) == means
