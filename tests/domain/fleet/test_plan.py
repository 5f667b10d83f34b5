"""The plan: what is done, what is held back, and what holds it back."""

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from shared.domain.fleet.brakes import Why
from shared.domain.fleet.candidates import CandidateCause, Stage
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Before, Survey
from shared.domain.tenants import Status
from tests.builders import NOON, a_line, a_tenant
from tests.cases import in_each
from tests.domain.fleet.worlds import (
    DAY,
    GHOST,
    RULES,
    a_candidate,
    a_survey,
    fine,
    opened,
    planned,
    seen,
)

OVER = NOON + RULES.quarantine


def doomed(*more: Any, **change: Any) -> Survey:
    """A fleet with one line, and an orphan whose time is over."""
    candidate = a_candidate()
    main = [opened(), seen(GHOST), *more]
    survey = a_survey([fine()], main=main, candidates={candidate.id: candidate})
    return replace(survey, **change)


def reasons(survey: Survey, now: Any = OVER) -> set[Why]:
    return {brake.why for brake in planned(survey, now).brakes}


def test_whose_time_is_over_is_deleted():
    plan = planned(doomed(), OVER)

    assert [candidate.name for candidate in plan.delete] == [GHOST]
    assert (plan.brakes, plan.held_back) == ((), 0)


@in_each(
    ("change", "why"),
    [
        pytest.param({"tenants": None}, Why.TENANTS_FAILED, id="nobody could say who there is"),
        pytest.param({"tenants": {}}, Why.TENANTS_EMPTY, id="there is nobody"),
        pytest.param({"before": Before(forgotten=True)}, Why.FORGOTTEN, id="what was is forgotten"),
        pytest.param({"before": Before(tenants=10)}, Why.TENANTS_SHRANK, id="many are gone"),
        pytest.param({"before": Before(living=10)}, Why.TENANTS_SHRANK, id="many are cancelled"),
        pytest.param(
            {"servers": frozenset({"main", "other"})}, Why.CENSUS_FAILED, id="a server is silent"
        ),
        pytest.param(
            {"before": Before(carried={"main": 10})}, Why.CENSUS_SHRANK, id="a census shrank"
        ),
    ],
)
def test_incomplete_survey_deletes_nothing(change: dict[str, Any], why: Why):
    plan = planned(doomed(**change), OVER)

    assert plan.delete == ()
    assert {brake.why for brake in plan.brakes} == {why}


@in_each("change", [{"tenants": None}, {"tenants": {}}])
def test_missing_tenants_raise_no_suspicion(change: dict[str, Any]):
    plan = planned(doomed(seen("instance_new"), **change), OVER)

    assert (plan.suspect, plan.quarantine, plan.clear, plan.held_back) == ((), (), (), 0)


def test_a_few_clients_may_always_go():
    assert reasons(doomed(before=Before(1, 3, {"main": 4}))) == set()
    assert reasons(doomed(before=Before(1, 4, {"main": 2}))) == {Why.TENANTS_SHRANK}


def test_cancelling_last_tenant_brakes_the_sweep():
    gone = a_tenant("acme", "default", status=Status.CANCELLED)

    assert reasons(a_survey([fine()], [gone], before=Before(1, 1))) == {Why.TENANTS_SHRANK}
    assert reasons(a_survey([fine()], [gone], before=Before(1, 0))) == set()


def test_lost_tenant_record_brakes_the_sweep():
    assert reasons(doomed(before=Before(2, 1))) == {Why.TENANTS_SHRANK}


# What needs no history -----------------------------------------------------------------------


def left_over(count: int, lines: int, rules: Rules = RULES, **more: Any) -> Plan:
    """A plan for so many lines, and so many orphans in quarantine whose time is over."""
    ghosts = [f"instance_g{at}" for at in range(count)]
    waiting = [a_candidate(**{"name": name, **more}) for name in ghosts]
    instances = [a_line(tenant=f"t{at}", open=True) for at in range(lines)]
    survey = a_survey(
        instances,
        main=[*(opened(instance.name) for instance in instances), *map(seen, ghosts)],
        candidates={candidate.id: candidate for candidate in waiting},
    )
    return planned(survey, OVER, rules)


def test_many_unclaimed_instances_need_approval():
    plan = left_over(4, 12)

    assert plan.delete == ()
    assert [(candidate.doubtful, candidate.awaits_approval) for candidate in plan.refresh] == [
        (True, True)
    ] * 4
    (brake,) = plan.brakes
    assert (brake.why, brake.server, brake.before, brake.now) == (
        Why.MANY_UNCLAIMED,
        "main",
        16,
        4,
    )
    assert not plan.braked


@in_each(("ghosts", "lines"), [(3, 1), (4, 16)], ids=["a few", "a small share"])
def test_few_unclaimed_instances_are_deleted(ghosts: int, lines: int):
    plan = left_over(ghosts, lines, Rules(max_deletes=9))

    assert plan.brakes == ()
    assert len(plan.delete) == ghosts


def test_approved_ones_of_many_are_deleted():
    plan = left_over(4, 4, doubtful=True, needs_approval=True, approved_at=OVER, approved_by="o")

    assert len(plan.delete) == 3
    assert plan.before == Before(4, 4, {"main": 8})


def test_earlier_approval_expires_with_many_unclaimed():
    plan = left_over(4, 4, approved_at=OVER, approved_by="o")

    assert plan.delete == ()
    assert {candidate.approved_at for candidate in plan.refresh} == {None}


def test_kept_candidates_are_not_counted():
    plan = left_over(4, 4, stage=Stage.KEPT)

    assert plan.brakes == ()


def test_identical_servers_brake_the_sweep():
    line, other = a_line(open=True), seen("somebody-elses")
    carried = {"main": [opened(line.name), other], "blue": [opened(line.name), other]}
    same = {
        server: {
            sighting.name: dataclasses.replace(sighting, uid=f"uid of {sighting.name}")
            for sighting in several
        }
        for server, several in carried.items()
    }
    survey = a_survey([line], seen=same, servers=frozenset(same))

    assert reasons(survey) == {Why.SERVERS_ALIKE}
    assert planned(survey).braked


def test_small_share_of_tenants_may_go():
    tenants = [a_tenant(f"t{at}") for at in range(81)]
    many = replace(a_survey(tenants=tenants), before=Before(tenants=100, living=100))

    assert reasons(many) == set()
    assert reasons(replace(many, before=Before(tenants=102, living=100))) == {Why.TENANTS_SHRANK}


def test_cancelling_many_tenants_brakes_the_sweep():
    gone = [a_tenant(f"t{at}", status=Status.CANCELLED) for at in range(9)]
    survey = a_survey(tenants=[a_tenant("acme", "default"), *gone])

    assert reasons(replace(survey, before=Before(10, 10))) == {Why.TENANTS_SHRANK}


def test_silent_servers_candidates_stay_undecided():
    candidate = a_candidate(server="other", id="other~instance_ghost")
    survey = doomed(servers=frozenset({"main", "other"}), candidates={candidate.id: candidate})

    plan = planned(survey, OVER)

    assert (plan.clear, plan.delete) == ((), ())
    assert [candidate.name for candidate in plan.suspect] == [GHOST]


def test_sweep_deletes_few_oldest_first():
    ghosts = [f"instance_g{at}" for at in range(3)]
    candidates = [
        a_candidate(name=name, suspected_at=NOON - (9 - at) * DAY) for at, name in enumerate(ghosts)
    ]
    survey = a_survey(
        [fine()],
        main=[opened(), *map(seen, ghosts)],
        candidates={candidate.id: candidate for candidate in candidates},
    )

    plan = planned(survey, OVER, Rules(max_deletes=2))

    assert [candidate.name for candidate in plan.delete] == ghosts[:2]
    assert plan.held_back == 1


def test_zero_limit_deletes_nothing():
    assert planned(doomed(), OVER, Rules(max_deletes=0)).delete == ()


def test_sweep_remembers_its_counts():
    assert planned(doomed(), OVER).before == Before(1, 1, {"main": 2})


def test_braked_sweep_keeps_earlier_counts():
    before = Before(9, 9, {"main": 9})

    assert planned(doomed(before=before), OVER).before == before


def test_each_goes_its_own_way():
    gone = a_candidate(name="instance_gone", id="main~instance_gone")
    again = a_candidate(Stage.SUSPECTED, name="instance_two", id="main~instance_two")
    survey = doomed(seen("instance_two"), seen("instance_new"))
    candidates = {**survey.candidates, gone.id: gone, again.id: again}

    plan = planned(replace(survey, candidates=candidates), NOON)

    assert [candidate.name for candidate in plan.suspect] == ["instance_new"]
    assert [candidate.name for candidate in plan.quarantine] == ["instance_two"]
    assert [candidate.name for candidate in plan.clear] == ["instance_gone"]
    assert (plan.delete, plan.refresh) == ((), ())


def test_new_fact_refreshes_the_candidate():
    survey = doomed(strangers=frozenset({("main", GHOST)}))

    (refreshed,) = planned(survey, OVER).refresh

    assert refreshed.needs_approval


def test_cancelled_tenants_line_goes_after_quarantine():
    candidate = a_candidate(
        name="instance_acme", id="main~instance_acme", cause=CandidateCause.CANCELLED, paired=True
    )
    gone = a_tenant("acme", "default", status=Status.CANCELLED)
    survey = a_survey([a_line(open=True)], [gone, a_tenant("other")])

    plan = planned(replace(survey, candidates={candidate.id: candidate}), OVER)

    assert [candidate.name for candidate in plan.delete] == ["instance_acme"]
