"""From suspicion to deletion: one step a sweep, and never without what it takes."""

from typing import Any

from shared.domain.fleet.candidates import (
    Candidate,
    CandidateCause,
    CandidateWait,
    Clear,
    Delete,
    Finding,
    Move,
    Quarantine,
    Refresh,
    Stage,
    Suspect,
    decide_move,
)
from shared.domain.fleet.rules import Approval, Rules
from tests.builders import NOON, SECOND
from tests.cases import in_each
from tests.domain.fleet.worlds import DAY, RULES, a_candidate, a_finding

OVER = NOON + RULES.quarantine


def move(
    finding: Finding | None,
    candidate: Candidate | None,
    now: Any = OVER,
    rules: Rules = RULES,
    run: str = "this",
) -> Move:
    return decide_move(finding, candidate, rules, run, now)


def test_first_finding_is_only_suspected():
    decision = move(a_finding(), None, NOON)

    assert isinstance(decision, Suspect)
    assert decision.candidate.stage is Stage.SUSPECTED
    assert decision.candidate.id == "main~instance_ghost"


def test_what_is_found_again_is_quarantined():
    decision = move(a_finding(), a_candidate(Stage.SUSPECTED), NOON)

    assert isinstance(decision, Quarantine)
    assert decision.candidate.quarantined_at == NOON


@in_each("stage", [Stage.SUSPECTED, Stage.QUARANTINED])
def test_one_sweep_never_takes_two_steps(stage: Stage):
    none = Rules(quarantine=0 * DAY)

    assert move(a_finding(), a_candidate(stage, run="this"), OVER, none) == CandidateWait()


def test_quarantined_candidate_waits_its_time():
    assert move(a_finding(), a_candidate(), OVER - SECOND) == CandidateWait()
    assert move(a_finding(), a_candidate(), OVER) == Delete(a_candidate())


@in_each("stage", [Stage.SUSPECTED, Stage.QUARANTINED], ids=lambda stage: stage.value)
def test_candidate_without_cause_is_cleared(stage: Stage):
    assert move(None, a_candidate(stage)) == Clear(a_candidate(stage))


@in_each("stage", [Stage.DELETED, Stage.KEPT], ids=lambda stage: stage.value)
def test_finished_and_kept_candidates_stay(stage: Stage):
    assert move(None, a_candidate(stage)) == CandidateWait()


def test_no_finding_needs_no_candidate():
    assert move(None, None) == CandidateWait()


def test_reappearing_instance_is_suspected_again():
    decision = move(a_finding(), a_candidate(Stage.DELETED, version=7))

    assert isinstance(decision, Suspect)
    assert decision.candidate.version == 7


def test_begun_deletion_goes_on():
    begun = a_candidate(Stage.DELETING)

    assert move(None, begun) == move(a_finding(CandidateCause.CANCELLED), begun) == Delete(begun)


def test_kept_candidate_is_left_alone():
    assert move(a_finding(), a_candidate(Stage.KEPT)) == CandidateWait()


def test_another_cause_reopens_kept_candidate():
    candidate = a_candidate(Stage.KEPT, cause=CandidateCause.IDLE)

    assert isinstance(move(a_finding(CandidateCause.CANCELLED), candidate), Suspect)


def test_another_cause_resets_the_approval():
    approved = a_candidate(cause=CandidateCause.IDLE, approved_at=NOON, approved_by="olga")

    decision = move(a_finding(CandidateCause.ORPHAN), approved)

    assert isinstance(decision, Suspect)
    assert decision.candidate.approved_at is None


@in_each(
    "cause",
    [CandidateCause.IDLE, CandidateCause.NEVER_PAIRED, CandidateCause.TENANT_UNKNOWN],
)
def test_possibly_used_instance_needs_approval(cause: CandidateCause):
    waiting = a_candidate(cause=cause, needs_approval=True)
    approved = waiting.model_copy(update={"approved_at": NOON})

    assert move(a_finding(cause), waiting) == CandidateWait()
    assert move(a_finding(cause), approved) == Delete(approved)


def test_a_stranger_waits_for_a_person():
    decision = move(a_finding(stranger=True), None)

    assert isinstance(decision, Suspect)
    assert decision.candidate.needs_approval


@in_each(
    ("approval", "cause", "paired", "needs_approval"),
    [
        (Approval.ACTIVE, CandidateCause.CANCELLED, True, False),
        (Approval.ACTIVE, CandidateCause.ORPHAN, False, False),
        (Approval.ACTIVE, CandidateCause.ORPHAN, True, True),
        (Approval.ACTIVE, CandidateCause.DUPLICATE, True, True),
        (Approval.PAIRED, CandidateCause.CANCELLED, True, True),
        (Approval.PAIRED, CandidateCause.ORPHAN, None, True),
        (Approval.PAIRED, CandidateCause.ORPHAN, False, False),
        (Approval.ALL, CandidateCause.ORPHAN, False, True),
    ],
)
def test_setting_decides_who_needs_approval(
    approval: Approval, cause: CandidateCause, paired: bool | None, needs_approval: bool
):
    finding = a_finding(paired=paired, cause=cause)
    decision = move(finding, None, rules=Rules(approval=approval))

    assert isinstance(decision, Suspect)
    assert decision.candidate.needs_approval is needs_approval


def test_new_fact_delays_candidate_one_sweep():
    decision = move(a_finding(paired=True), a_candidate())

    assert isinstance(decision, Refresh)
    assert decision.candidate.paired is True


@in_each("learned", [{"paired": True}, {"stranger": True}, {"paired": None}])
def test_approval_expires_with_new_facts(learned: dict[str, Any]):
    approved = a_candidate(cause=CandidateCause.IDLE, approved_at=NOON, needs_approval=True)

    decision = move(a_finding(CandidateCause.IDLE, **learned), approved)

    assert isinstance(decision, Refresh)
    assert decision.candidate.awaits_approval
