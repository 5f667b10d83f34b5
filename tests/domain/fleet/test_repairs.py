"""Where records and servers disagree, and what the record says after a look."""

from typing import Any

import pytest

from shared.domain.fleet.repairs import (
    STUCK,
    Liar,
    Missing,
    Repair,
    Stuck,
    decide_looked,
    find_repairs,
)
from shared.domain.instances import Instance, Reason, State
from shared.domain.upstream import Connection
from tests.builders import LATER, NOON, NUMBER, SECOND, a_line
from tests.cases import in_each
from tests.domain.fleet.worlds import a_survey, closed, fine, opened, seen

LONG = NOON + STUCK + SECOND
DISCONNECTED = a_line(State.CLOSED, reason=Reason.DISCONNECTED)


def repairs(line: Instance, now: Any = LONG, **more: Any) -> list[Repair]:
    return list(find_repairs(a_survey([line], **more), now))


def test_matching_line_needs_no_repair():
    assert repairs(fine()) == repairs(closed()) == []


def test_line_without_instance_is_missing():
    assert repairs(line := fine(), main=[]) == [Missing(line)]


@in_each(
    "line",
    [DISCONNECTED, a_line(State.MISSING), a_line(open=True, held_by="somebody", since=LONG)],
    ids=["disconnected", "missing already", "somebody is at it"],
)
def test_line_with_uncertain_instance_is_kept(line: Instance):
    assert repairs(line, NOON, main=[]) == []


def test_silent_server_needs_no_repair():
    assert repairs(fine(), seen={}) == []


@in_each("connection", [Connection.CLOSED, Connection.CONNECTING])
def test_closed_line_recorded_open_is_repaired(connection: Connection):
    assert repairs(line := fine(), main=[seen(connection=connection)]) == [Liar(line)]


def test_open_line_recorded_closed_is_repaired():
    assert repairs(line := closed(), main=[opened()]) == [Liar(line)]


def test_reappeared_line_is_repaired():
    assert repairs(line := a_line(State.MISSING), main=[seen()]) == [Liar(line)]


def test_a_line_in_conflict_is_connected():
    assert repairs(a_line(State.CONFLICT), main=[opened()]) == []


@in_each("state", [State.CREATING, State.RELEASING])
def test_unfinished_line_is_stuck_later(state: State):
    line = a_line(state)

    assert repairs(line, NOON + STUCK) == []
    assert repairs(line, LONG) == [Stuck(line)]


def test_stuck_time_counts_from_lease_end():
    line = a_line(State.CREATING, held_by="somebody")

    assert line.lease
    assert repairs(line, LONG) == []
    assert repairs(line, line.lease.until + STUCK + SECOND) == [Stuck(line)]


# After a look --------------------------------------------------------------------------------


@in_each(
    ("line", "connection", "state", "reason"),
    [
        pytest.param(fine(), None, State.MISSING, Reason.VANISHED, id="gone"),
        pytest.param(a_line(State.CREATING), None, State.MISSING, Reason.VANISHED, id="never made"),
        pytest.param(
            fine(), Connection.CLOSED, State.CLOSED, Reason.CONNECTION_LOST, id="not open"
        ),
        pytest.param(
            fine(), Connection.CONNECTING, State.CLOSED, Reason.RECONNECTING, id="on its way"
        ),
        pytest.param(closed(), Connection.OPEN, State.OPEN, None, id="open after all"),
        pytest.param(a_line(State.MISSING), Connection.OPEN, State.OPEN, None, id="back, open"),
        pytest.param(
            a_line(State.MISSING),
            Connection.CLOSED,
            State.CLOSED,
            Reason.CONNECTION_LOST,
            id="back, closed",
        ),
        pytest.param(
            a_line(State.CREATING),
            Connection.CONNECTING,
            State.PAIRING,
            Reason.NO_CODE,
            id="made, and pairing",
        ),
    ],
)
def test_look_corrects_the_record(
    line: Instance, connection: Connection | None, state: State, reason: Reason | None
):
    changed = decide_looked(line, connection, None, LATER)

    assert changed
    assert (changed.state, changed.reason, changed.since) == (state, reason, LATER)


@in_each(
    ("line", "connection"),
    [
        pytest.param(fine(), Connection.OPEN, id="open as it says"),
        pytest.param(closed(), Connection.CLOSED, id="closed as it says"),
        pytest.param(closed(), Connection.CONNECTING, id="closed, and trying"),
        pytest.param(a_line(State.PAIRING), Connection.CONNECTING, id="pairing"),
        pytest.param(a_line(State.PAIRING), Connection.CLOSED, id="pairing, between two codes"),
        pytest.param(DISCONNECTED, None, id="disconnected"),
        pytest.param(a_line(State.MISSING), None, id="missing still"),
        pytest.param(fine(), Connection.UNKNOWN, id="nobody can tell"),
        pytest.param(a_line(State.RELEASING), Connection.OPEN, id="being released"),
    ],
)
def test_a_record_that_was_right_stays(line: Instance, connection: Connection | None):
    assert decide_looked(line, connection, None, LATER) is None


def test_leased_line_stays():
    assert decide_looked(a_line(open=True, held_by="x"), None, None, NOON) is None


def test_census_gives_the_number():
    changed = decide_looked(closed(number=None), Connection.OPEN, NUMBER, LATER)

    assert changed
    assert changed.number == NUMBER
