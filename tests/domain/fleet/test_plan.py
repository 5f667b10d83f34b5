"""The plan: what is done, what is held back, and what holds it back."""

from dataclasses import replace
from typing import Any

import pytest

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

    assert [each.name for each in plan.delete] == [GHOST]
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
def test_whoever_does_not_see_the_world_whole_deletes_nothing(change: dict[str, Any], why: Why):
    plan = planned(doomed(**change), OVER)

    assert plan.delete == ()
    assert {brake.why for brake in plan.brakes} == {why}


@in_each("change", [{"tenants": None}, {"tenants": {}}])
def test_who_does_not_know_the_tenants_suspects_nobody(change: dict[str, Any]):
    plan = planned(doomed(seen("instance_new"), **change), OVER)

    assert (plan.suspect, plan.quarantine, plan.clear, plan.held_back) == ((), (), (), 0)


def test_a_few_clients_may_always_go():
    assert reasons(doomed(before=Before(1, 3, {"main": 4}))) == set()
    assert reasons(doomed(before=Before(1, 4, {"main": 2}))) == {Why.TENANTS_SHRANK}


def test_the_last_client_who_goes_stops_everything():
    gone = a_tenant("acme", "default", status=Status.CANCELLED)

    assert reasons(a_survey([fine()], [gone], before=Before(1, 1))) == {Why.TENANTS_SHRANK}
    assert reasons(a_survey([fine()], [gone], before=Before(1, 0))) == set()


def test_no_record_of_a_client_ever_goes_so_even_one_of_a_few_that_is_lost_stops_everything():
    assert reasons(doomed(before=Before(2, 1))) == {Why.TENANTS_SHRANK}


# What needs no history -----------------------------------------------------------------------


def left_over(count: int, lines: int, rules: Rules = RULES, **more: Any) -> Plan:
    """A plan for so many lines, and so many orphans in quarantine whose time is over."""
    ghosts = [f"instance_g{at}" for at in range(count)]
    waiting = [a_candidate(**{"name": name, **more}) for name in ghosts]
    known = [a_line(tenant=f"t{at}", open=True) for at in range(lines)]
    survey = a_survey(
        known,
        main=[*(opened(each.name) for each in known), *map(seen, ghosts)],
        candidates={each.id: each for each in waiting},
    )
    return planned(survey, OVER, rules)


def test_where_too_many_are_unclaimed_a_person_has_to_approve_each():
    plan = left_over(4, 12)

    assert plan.delete == ()
    assert [(each.doubtful, each.awaits_approval) for each in plan.refresh] == [(True, True)] * 4
    (brake,) = plan.brakes
    assert (brake.why, brake.server, brake.before, brake.now) == (
        Why.MANY_UNCLAIMED,
        "main",
        16,
        4,
    )
    assert not plan.braked


@in_each(("ghosts", "lines"), [(3, 1), (4, 16)], ids=["a few", "a small share"])
def test_a_few_or_a_small_share_may_be_unclaimed(ghosts: int, lines: int):
    plan = left_over(ghosts, lines, Rules(max_deletes=9))

    assert plan.brakes == ()
    assert len(plan.delete) == ghosts


def test_those_of_too_many_that_a_person_approved_go():
    plan = left_over(4, 4, doubtful=True, needs_approval=True, approved_at=OVER, approved_by="o")

    assert len(plan.delete) == 3
    assert plan.before == Before(4, 4, {"main": 8})


def test_an_approval_from_before_there_were_too_many_counts_no_more():
    plan = left_over(4, 4, approved_at=OVER, approved_by="o")

    assert plan.delete == ()
    assert {each.approved_at for each in plan.refresh} == {None}


def test_what_a_person_keeps_is_not_one_of_too_many():
    plan = left_over(4, 4, stage=Stage.KEPT)

    assert plan.brakes == ()


def test_two_servers_that_carry_the_same_instance_stop_everything():
    line, other = a_line(open=True), seen("somebody-elses")
    carried = {"main": [opened(line.name), other], "blue": [opened(line.name), other]}
    same = {
        server: {each.name: replace(each, uid=f"uid of {each.name}") for each in several}
        for server, several in carried.items()
    }
    survey = a_survey([line], seen=same, servers=frozenset(same))

    assert reasons(survey) == {Why.SERVERS_ALIKE}
    assert planned(survey).braked


def test_a_share_may_go_however_many_that_is():
    tenants = [a_tenant(f"t{at}") for at in range(81)]
    many = replace(a_survey(tenants=tenants), before=Before(tenants=100, living=100))

    assert reasons(many) == set()
    assert reasons(replace(many, before=Before(tenants=102, living=100))) == {Why.TENANTS_SHRANK}


def test_tenants_that_are_cancelled_at_once_stop_everything():
    gone = [a_tenant(f"t{at}", status=Status.CANCELLED) for at in range(9)]
    survey = a_survey(tenants=[a_tenant("acme", "default"), *gone])

    assert reasons(replace(survey, before=Before(10, 10))) == {Why.TENANTS_SHRANK}


def test_nothing_is_decided_of_what_a_silent_server_carries():
    candidate = a_candidate(server="other", id="other~instance_ghost")
    survey = doomed(servers=frozenset({"main", "other"}), candidates={candidate.id: candidate})

    plan = planned(survey, OVER)

    assert (plan.clear, plan.delete) == ((), ())
    assert [each.name for each in plan.suspect] == [GHOST]


def test_no_more_are_deleted_than_may_be_in_one_sweep_the_oldest_first():
    ghosts = [f"instance_g{at}" for at in range(3)]
    candidates = [
        a_candidate(name=name, suspected_at=NOON - (9 - at) * DAY) for at, name in enumerate(ghosts)
    ]
    survey = a_survey(
        [fine()],
        main=[opened(), *map(seen, ghosts)],
        candidates={each.id: each for each in candidates},
    )

    plan = planned(survey, OVER, Rules(max_deletes=2))

    assert [each.name for each in plan.delete] == ghosts[:2]
    assert plan.held_back == 1


def test_none_at_all_may_be_deleted_if_a_deployment_says_so():
    assert planned(doomed(), OVER, Rules(max_deletes=0)).delete == ()


def test_the_next_sweep_compares_with_what_this_one_saw():
    assert planned(doomed(), OVER).before == Before(1, 1, {"main": 2})


def test_a_sweep_that_was_braked_teaches_nothing():
    before = Before(9, 9, {"main": 9})

    assert planned(doomed(before=before), OVER).before == before


def test_each_goes_its_own_way():
    gone = a_candidate(name="instance_gone", id="main~instance_gone")
    again = a_candidate(Stage.SUSPECTED, name="instance_two", id="main~instance_two")
    survey = doomed(seen("instance_two"), seen("instance_new"))
    known = {**survey.candidates, gone.id: gone, again.id: again}

    plan = planned(replace(survey, candidates=known), NOON)

    assert [each.name for each in plan.suspect] == ["instance_new"]
    assert [each.name for each in plan.quarantine] == ["instance_two"]
    assert [each.name for each in plan.clear] == ["instance_gone"]
    assert (plan.delete, plan.refresh) == ((), ())


def test_what_is_learned_of_a_candidate_is_noted():
    survey = doomed(strangers=frozenset({("main", GHOST)}))

    (refreshed,) = planned(survey, OVER).refresh

    assert refreshed.needs_approval


def test_a_cancelled_tenants_line_is_released_once_its_time_is_over():
    candidate = a_candidate(
        name="instance_acme", id="main~instance_acme", cause=CandidateCause.CANCELLED, paired=True
    )
    gone = a_tenant("acme", "default", status=Status.CANCELLED)
    survey = a_survey([a_line(open=True)], [gone, a_tenant("other")])

    plan = planned(replace(survey, candidates={candidate.id: candidate}), OVER)

    assert [each.name for each in plan.delete] == ["instance_acme"]
