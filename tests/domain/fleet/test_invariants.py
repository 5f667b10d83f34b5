"""What must be true of a fleet, and each violation of it."""

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from shared.domain.fleet import findings, invariants
from shared.domain.fleet.candidates import Stage
from shared.domain.fleet.invariants import Rule
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Reason, State
from tests.builders import NOON, NUMBER, PREFIX, a_line, a_tenant
from tests.cases import in_each
from tests.domain.fleet.worlds import GHOST, a_candidate, a_survey, closed, fine, opened, seen

HERE = {"seats": {"main": (fine().name,)}}


def rules(survey: Survey) -> list[Rule]:
    violations = invariants.find_violations(survey, findings.ours(survey, PREFIX))
    return [violation.rule for violation in violations]


def test_sound_fleet_violates_nothing():
    assert rules(a_survey([fine()], **HERE, owners={NUMBER: fine().name})) == []


def on_two(**change: Any) -> Survey:
    name = fine().name
    carried = {"main": {name: opened()}, "other": {name: seen()}}
    both = frozenset({"main", "other"})
    return replace(a_survey([fine()], seen=carried, servers=both, **HERE), **change)


@in_each(
    ("survey", "rule"),
    [
        (a_survey([fine()], main=[opened(), seen(GHOST)], **HERE), Rule.INSTANCE_WITHOUT_LINE),
        (a_survey([fine()], main=[], **HERE), Rule.LINE_WITHOUT_INSTANCE),
        (a_survey([a_line(State.MISSING)], main=[], **HERE), Rule.LINE_WITHOUT_INSTANCE),
        (a_survey([a_line(open=True, server="away")]), Rule.LINE_ON_UNKNOWN_SERVER),
        (on_two(), Rule.LINE_ON_TWO_SERVERS),
        (
            on_two(seen={"main": {}, "other": {fine().name: opened()}}),
            Rule.LINE_ELSEWHERE,
        ),
        (a_survey([fine()], [a_tenant("acme")], **HERE), Rule.LINE_NOT_LISTED),
        (a_survey([fine()], [], **HERE), Rule.LINE_NOT_LISTED),
        (
            a_survey([fine()], [a_tenant("acme", "default", "lost")], **HERE),
            Rule.LISTED_WITHOUT_LINE,
        ),
        (a_survey([fine()], **HERE, owners={"1": GHOST}), Rule.NUMBER_WITHOUT_LINE),
        (a_survey([fine()]), Rule.SLOTS_WRONG),
        (a_survey([fine()], **HERE, unreadable=frozenset({"x"})), Rule.RECORD_UNREADABLE),
    ],
)
def test_each_rule_has_its_violation(survey: Survey, rule: Rule):
    counts = Counter(rules(survey))

    assert rule in counts
    assert set(counts) - {rule} <= {Rule.LINE_WITHOUT_INSTANCE}


def test_number_on_two_lines_violates_twice():
    two = [a_line(open=True), a_line(open=True, tenant="other")]

    assert (
        rules(a_survey(two, seats={"main": [line.name for line in two]}))
        == [Rule.NUMBER_ON_TWO_LINES] * 2
    )


def test_number_claimed_elsewhere_is_a_violation():
    line = a_line(open=True, claimed=NUMBER)
    other = closed(tenant="other")
    survey = a_survey([line, other], seats={"main": [line.name, other.name]})

    violated = rules(replace(survey, owners={NUMBER: closed(tenant="other").name}))

    assert violated == [Rule.NUMBER_ON_TWO_LINES]


@in_each(
    "line",
    [
        a_line(State.CREATING),
        a_line(State.RELEASING),
        a_line(State.CLOSED, reason=Reason.DISCONNECTED),
    ],
    ids=["being made", "being released", "disconnected"],
)
def test_line_may_lack_an_instance(line: Any):
    assert rules(a_survey([line], main=[], **HERE)) == []


def test_unseen_server_has_no_violations():
    survey = replace(a_survey([fine()], seen={}, **HERE), tenants=None)

    report = invariants.report(survey, {}, (), NOON)

    assert (report.count, report.unseen) == (0, ("main",))


def test_unreadable_record_is_reported_once():
    survey = a_survey(main=[seen(GHOST)], unreadable=frozenset({GHOST}))

    assert rules(survey) == [Rule.RECORD_UNREADABLE]


def test_what_a_person_keeps_violates_nothing():
    candidate = a_candidate(Stage.KEPT)

    assert rules(a_survey(main=[seen(GHOST)], candidates={candidate.id: candidate})) == []


def test_what_is_not_ours_violates_nothing():
    assert rules(a_survey(main=[seen("evo1")])) == []


def test_report_shows_a_bounded_number():
    survey = a_survey(main=[seen(f"instance_g{at}") for at in range(250)])
    keys = findings.ours(survey, PREFIX)

    report = invariants.report(survey, keys, (), NOON)

    assert (report.instances, report.lines) == (250, 0)
    assert (report.count, len(report.violations)) == (250, 200)
    assert report.by_rule == {Rule.INSTANCE_WITHOUT_LINE: 250}


@in_each(
    ("seats", "count"),
    [
        ([fine().name], 0),
        ([], 1),
        ([fine().name, fine().name], 1),
        ([GHOST, fine().name], 1),
        ([GHOST], 2),
    ],
)
def test_wrong_slots_are_counted(seats: list[Any], count: int):
    survey = a_survey([fine()], seats={"main": seats})

    assert invariants.misseated(survey) == ({"main": count} if count else {})


def test_slot_of_unreadable_record_is_right():
    survey = a_survey([], seats={"main": [GHOST]})

    assert invariants.misseated(replace(survey, unreadable=frozenset({GHOST}))) == {}


def test_report_of_earlier_version_is_read():
    assert Rule("counter_wrong") is Rule.SLOTS_WRONG
    with pytest.raises(ValueError, match="never"):
        Rule("never")
