"""What a survey finds against instances, and what it never does."""

from typing import Any

import pytest

from shared.domain.fleet.candidates import CandidateCause
from shared.domain.instances import Instance, Reason, State
from shared.domain.tenants import Status
from shared.domain.upstream import Connection
from tests.builders import NOON, SECOND, a_line, a_tenant
from tests.cases import in_each
from tests.domain.fleet.worlds import (
    DAY,
    GHOST,
    RULES,
    a_survey,
    closed,
    fine,
    found,
    opened,
    seen,
    unpaired,
)

GRACE = NOON + RULES.grace
SOON = NOON + RULES.unpaired_grace


def causes(*given: Any, **more: Any) -> list[CandidateCause]:
    return [finding.cause for finding in found(*given, **more).values()]


def test_open_line_has_no_finding():
    assert found(a_survey([fine()]), GRACE + DAY) == {}


def test_unclaimed_instance_is_an_orphan():
    survey = a_survey([fine()], main=[opened(), seen(GHOST)])

    (finding,) = found(survey).values()

    assert (finding.cause, finding.name, finding.paired) == (CandidateCause.ORPHAN, GHOST, False)


@in_each("name", ["evo1", "Instance_acme", "instance_", "instance_a~~default"])
def test_foreign_name_has_no_finding(name: str):
    assert found(a_survey([fine()], main=[seen(name)])) == {}


def test_tenant_list_claims_lost_line():
    survey = a_survey(tenants=[a_tenant("ghost", "default")], main=[seen(GHOST)])

    assert found(survey) == {}


@in_each("unreadable", [GHOST, "ghost"], ids=["its record", "its tenant"])
def test_unreadable_record_has_no_finding(unreadable: str):
    survey = a_survey(main=[seen(GHOST)], unreadable=frozenset({unreadable}))

    assert found(survey) == {}


@in_each("state", [State.OPEN, State.CLOSED, State.PAIRING, State.MISSING])
def test_line_of_cancelled_tenant_goes(state: State):
    line = a_line(state)
    gone = a_tenant("acme", "default", status=Status.CANCELLED, cancelled_at=NOON)

    (finding,) = found(a_survey([line], [gone])).values()

    assert (finding.cause, finding.since) == (CandidateCause.CANCELLED, NOON)


@in_each("status", [Status.ACTIVE, Status.SUSPENDED])
def test_paused_tenant_keeps_its_lines(status: Status):
    assert found(a_survey([fine()], [a_tenant("acme", "default", status=status)])) == {}


def test_line_without_tenant_is_a_finding():
    assert causes(a_survey([fine()], tenants=[])) == [CandidateCause.TENANT_UNKNOWN]


@in_each(
    "busy",
    [
        pytest.param(a_line(State.RELEASING), id="being released"),
        pytest.param(a_line(open=True, held_by="somebody"), id="leased"),
    ],
)
def test_busy_line_has_no_finding(busy: Instance):
    gone = a_tenant("acme", "default", status=Status.CANCELLED)

    assert found(a_survey([busy], [gone])) == {}


# Idle, and never paired ----------------------------------------------------------------------


def test_line_is_idle_after_grace():
    assert found(a_survey([closed()]), GRACE) == {}
    (finding,) = found(a_survey([closed()]), GRACE + SECOND).values()
    assert (finding.cause, finding.since, finding.paired) == (CandidateCause.IDLE, NOON, True)


def test_pairing_attempt_leaves_line_idle():
    tried = closed(reason=Reason.QR_LIMIT, since=GRACE - DAY)

    assert causes(a_survey([tried]), GRACE + SECOND) == [CandidateCause.IDLE]


def test_old_line_counts_from_last_change():
    old = closed(closed_since=None, since=NOON + DAY)

    assert found(a_survey([old]), GRACE + SECOND) == {}
    assert causes(a_survey([old]), GRACE + DAY + SECOND) == [CandidateCause.IDLE]


def test_unpaired_line_is_found_sooner():
    assert found(a_survey([unpaired()]), SOON) == {}
    (finding,) = found(a_survey([unpaired()]), SOON + SECOND).values()
    assert (finding.cause, finding.paired) == (CandidateCause.NEVER_PAIRED, False)


def test_known_number_proves_pairing():
    survey = a_survey([unpaired()], main=[seen(number="5511999990001")])

    assert found(survey, SOON + SECOND) == {}
    assert causes(survey, GRACE + SECOND) == [CandidateCause.IDLE]


@in_each(
    "line",
    [closed(), unpaired(), a_line(State.OPEN), a_line(State.CONFLICT), a_line(State.MISSING)],
    ids=["closed", "unpaired", "open", "in conflict", "missing"],
)
def test_connected_line_has_no_finding(line: Instance):
    assert found(a_survey([line], main=[opened()]), GRACE + DAY) == {}


@in_each("state", [State.OPEN, State.CONFLICT, State.MISSING, State.CREATING])
def test_other_states_are_never_idle(state: State):
    line = a_line(state, closed_since=NOON)

    assert found(a_survey([line], main=[seen()]), GRACE + DAY) == {}


# Two of one line -----------------------------------------------------------------------------


def two(own: Connection | None, copy: Connection, state: State = State.CLOSED) -> Any:
    """A line on `main`, and another instance of its name on `other`."""
    line = a_line(state, reason=Reason.LOGGED_OUT)
    name = line.name
    carried = {"main": {name: seen(name, own)} if own else {}, "other": {name: seen(name, copy)}}
    servers = frozenset({"main", "other"})
    return found(a_survey([line], seen=carried, servers=servers)).values()


def test_unrecorded_copy_is_the_duplicate():
    (finding,) = two(Connection.OPEN, Connection.CLOSED, State.OPEN)

    assert (finding.cause, finding.server) == (CandidateCause.DUPLICATE, "other")
    assert not finding.doubtful


def test_recorded_instance_stays_when_both_connected():
    (finding,) = two(Connection.OPEN, Connection.OPEN, State.OPEN)

    assert (finding.cause, finding.server) == (CandidateCause.DUPLICATE, "other")


@in_each("own", [Connection.CLOSED, Connection.CONNECTING, Connection.UNKNOWN])
@in_each("copy", list(Connection))
def test_duplicate_is_doubtful_without_recorded_connection(own: Connection, copy: Connection):
    (finding,) = two(own, copy)

    assert (finding.cause, finding.doubtful) == (CandidateCause.DUPLICATE, True)


def test_single_copy_is_no_duplicate():
    assert not two(None, Connection.CLOSED)


# Whether it was paired -----------------------------------------------------------------------


@in_each(
    ("sighting", "vague", "paired"),
    [
        pytest.param(seen(GHOST), (), False, id="never"),
        pytest.param(seen(GHOST, number="1"), (), True, id="it has a number"),
        pytest.param(opened(GHOST), (), True, id="it is connected"),
        pytest.param(seen(GHOST), ("main",), None, id="a server that doesn't tell"),
    ],
)
def test_whether_an_orphan_was_paired(sighting: Any, vague: tuple[str, ...], paired: bool | None):
    survey = a_survey(main=[sighting], vague=frozenset(vague))

    assert [finding.paired for finding in found(survey).values()] == [paired]


def test_instance_posting_elsewhere_is_a_stranger():
    survey = a_survey(main=[seen(GHOST)], strangers=frozenset({("main", GHOST)}))

    assert [finding.stranger for finding in found(survey).values()] == [True]
