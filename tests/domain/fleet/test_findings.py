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


def test_there_is_nothing_against_a_line_that_is_open():
    assert found(a_survey([fine()]), GRACE + DAY) == {}


def test_what_no_line_claims_is_an_orphan():
    survey = a_survey([fine()], main=[opened(), seen(GHOST)])

    (finding,) = found(survey).values()

    assert (finding.cause, finding.name, finding.paired) == (CandidateCause.ORPHAN, GHOST, False)


@in_each("name", ["evo1", "Instance_acme", "instance_", "instance_a~~default"])
def test_what_is_not_ours_by_name_is_nobodys_business(name: str):
    assert found(a_survey([fine()], main=[seen(name)])) == {}


def test_a_line_that_its_tenant_lists_is_claimed_though_its_record_is_lost():
    survey = a_survey(tenants=[a_tenant("ghost", "default")], main=[seen(GHOST)])

    assert found(survey) == {}


@in_each("unreadable", [GHOST, "ghost"], ids=["its record", "its tenant"])
def test_what_nobody_understands_is_left_alone(unreadable: str):
    survey = a_survey(main=[seen(GHOST)], unreadable=frozenset({unreadable}))

    assert found(survey) == {}


@in_each("state", [State.OPEN, State.CLOSED, State.PAIRING, State.MISSING])
def test_a_cancelled_tenants_line_has_to_go_however_it_is(state: State):
    line = a_line(state)
    gone = a_tenant("acme", "default", status=Status.CANCELLED, cancelled_at=NOON)

    (finding,) = found(a_survey([line], [gone])).values()

    assert (finding.cause, finding.since) == (CandidateCause.CANCELLED, NOON)


@in_each("status", [Status.ACTIVE, Status.SUSPENDED])
def test_a_tenant_that_may_come_back_keeps_its_lines(status: Status):
    assert found(a_survey([fine()], [a_tenant("acme", "default", status=status)])) == {}


def test_a_line_whose_tenant_has_no_record_is_a_riddle():
    assert causes(a_survey([fine()], tenants=[])) == [CandidateCause.TENANT_UNKNOWN]


@in_each(
    "busy",
    [
        pytest.param(a_line(State.RELEASING), id="being released"),
        pytest.param(a_line(open=True, held_by="somebody"), id="leased"),
    ],
)
def test_whom_somebody_is_changing_is_left_alone(busy: Instance):
    gone = a_tenant("acme", "default", status=Status.CANCELLED)

    assert found(a_survey([busy], [gone])) == {}


# Idle, and never paired ----------------------------------------------------------------------


def test_a_line_is_idle_after_so_many_days_by_our_own_record():
    assert found(a_survey([closed()]), GRACE) == {}
    (finding,) = found(a_survey([closed()]), GRACE + SECOND).values()
    assert (finding.cause, finding.since, finding.paired) == (CandidateCause.IDLE, NOON, True)


def test_trying_to_pair_again_does_not_make_a_line_less_idle():
    tried = closed(reason=Reason.QR_LIMIT, since=GRACE - DAY)

    assert causes(a_survey([tried]), GRACE + SECOND) == [CandidateCause.IDLE]


def test_a_line_that_was_logged_out_before_we_took_notes_counts_from_then():
    old = closed(closed_since=None, since=NOON + DAY)

    assert found(a_survey([old]), GRACE + SECOND) == {}
    assert causes(a_survey([old]), GRACE + DAY + SECOND) == [CandidateCause.IDLE]


def test_a_line_that_nobody_paired_is_so_sooner():
    assert found(a_survey([unpaired()]), SOON) == {}
    (finding,) = found(a_survey([unpaired()]), SOON + SECOND).values()
    assert (finding.cause, finding.paired) == (CandidateCause.NEVER_PAIRED, False)


def test_what_a_server_knows_a_number_of_was_paired():
    survey = a_survey([unpaired()], main=[seen(number="5511999990001")])

    assert found(survey, SOON + SECOND) == {}
    assert causes(survey, GRACE + SECOND) == [CandidateCause.IDLE]


@in_each(
    "line",
    [closed(), unpaired(), a_line(State.OPEN), a_line(State.CONFLICT), a_line(State.MISSING)],
    ids=["closed", "unpaired", "open", "in conflict", "missing"],
)
def test_what_is_connected_upstream_is_neither(line: Instance):
    assert found(a_survey([line], main=[opened()]), GRACE + DAY) == {}


@in_each("state", [State.OPEN, State.CONFLICT, State.MISSING, State.CREATING])
def test_what_our_record_says_otherwise_of_is_neither(state: State):
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


def test_the_one_that_the_record_does_not_name_is_the_duplicate():
    (finding,) = two(Connection.OPEN, Connection.CLOSED, State.OPEN)

    assert (finding.cause, finding.server) == (CandidateCause.DUPLICATE, "other")
    assert not finding.doubtful


def test_of_two_that_are_connected_the_records_one_stays():
    (finding,) = two(Connection.OPEN, Connection.OPEN, State.OPEN)

    assert (finding.cause, finding.server) == (CandidateCause.DUPLICATE, "other")


@in_each("own", [Connection.CLOSED, Connection.CONNECTING, Connection.UNKNOWN])
@in_each("copy", list(Connection))
def test_unless_the_records_one_is_connected_nobody_can_tell(own: Connection, copy: Connection):
    (finding,) = two(own, copy)

    assert (finding.cause, finding.doubtful) == (CandidateCause.DUPLICATE, True)


def test_the_only_one_there_is_is_no_duplicate():
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


def test_an_instance_that_posts_to_somebody_else_is_a_stranger():
    survey = a_survey(main=[seen(GHOST)], strangers=frozenset({("main", GHOST)}))

    assert [finding.stranger for finding in found(survey).values()] == [True]
