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


def test_a_line_and_its_instance_that_agree_need_nothing():
    assert repairs(fine()) == repairs(closed()) == []


def test_a_line_whose_instance_is_gone_is_missing():
    assert repairs(line := fine(), main=[]) == [Missing(line)]


@in_each(
    "line",
    [DISCONNECTED, a_line(State.MISSING), a_line(open=True, held_by="somebody", since=LONG)],
    ids=["disconnected", "missing already", "somebody is at it"],
)
def test_a_line_whose_instance_may_be_gone_is_not(line: Instance):
    assert repairs(line, NOON, main=[]) == []


def test_of_a_server_that_said_nothing_nothing_is_known():
    assert repairs(fine(), seen={}) == []


@in_each("connection", [Connection.CLOSED, Connection.CONNECTING])
def test_a_line_that_is_not_as_open_as_its_record_says_lies(connection: Connection):
    assert repairs(line := fine(), main=[seen(connection=connection)]) == [Liar(line)]


def test_a_line_that_is_more_open_than_its_record_says_lies_too():
    assert repairs(line := closed(), main=[opened()]) == [Liar(line)]


def test_a_line_that_was_missing_and_is_there_again_is_looked_at():
    assert repairs(line := a_line(State.MISSING), main=[seen()]) == [Liar(line)]


def test_a_line_in_conflict_is_connected():
    assert repairs(a_line(State.CONFLICT), main=[opened()]) == []


@in_each("state", [State.CREATING, State.RELEASING])
def test_what_nobody_finished_is_stuck_after_a_while(state: State):
    line = a_line(state)

    assert repairs(line, NOON + STUCK) == []
    assert repairs(line, LONG) == [Stuck(line)]


def test_a_lease_that_is_over_counts_from_its_end():
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
def test_the_record_says_what_was_seen(
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


def test_a_line_that_somebody_is_changing_stays():
    assert decide_looked(a_line(open=True, held_by="x"), None, None, NOON) is None


def test_the_number_is_what_the_census_says():
    changed = decide_looked(closed(number=None), Connection.OPEN, NUMBER, LATER)

    assert changed
    assert changed.number == NUMBER
