"""Records and servers agree again: what is missing is said so, what was begun is finished, what
differs is repaired, and what nobody claims goes, after its time.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from shared import config, services
from shared.domain.fleet import brakes, invariants, plan
from shared.domain.fleet.candidates import Candidate
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.reports import Kind, Report, Standing
from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Survey
from shared.sweeps import (
    conversations,
    deletions,
    drift,
    missed,
    runs,
    seats,
    survey,
    unfinished,
    unsettled,
)
from shared.sweeps.runs import Run, running

Step = Callable[[Run, Survey, Plan], Awaitable[None]]


async def sweep(capacity: Standing | None = None) -> Report:
    """One run: surveyed, planned, carried out, reported. Raises SweepRunning, StoreUnavailable.

    `capacity`: what sweeps of capacity remember, of outages of ours.
    """
    async with running(Kind.ORPHANS) as run:
        run.capacity = capacity or await services.store().standing(Kind.CAPACITY)
        seen = await survey.take(run.standing)
        planned = _planned(run, seen)
        for step in STEPS:
            await step(run, seen, planned)
        run.learned |= _learned(run, planned)
        report = _report(run, seen, planned)
        await services.store().keep_report(report)
    return report


async def rehearse() -> Report:
    """What a run would do now: the plan, as a report in which nothing was done."""
    run = runs.rehearsal(Kind.ORPHANS, await services.store().standing(Kind.ORPHANS))
    seen = await survey.take(run.standing)
    planned = _planned(run, seen)
    for what in ("suspect", "quarantine", "clear", "delete"):
        for candidate in getattr(planned, what):
            _tell(run, "plan", what, candidate)
    for repair in planned.repairs:
        name = type(repair).__name__.lower()
        run.did("plan", name, instance=repair.line.name, server=repair.line.server)
    return _report(run, seen, planned)


def rules() -> Rules:
    """What the settings allow."""
    settings = config.settings()
    return Rules(
        grace=config.days(settings.orphan_grace_days),
        unpaired_grace=config.days(settings.never_paired_days),
        quarantine=config.days(settings.quarantine_days),
        max_deletes=settings.sweep_max_deletes,
        max_loss=settings.sweep_max_loss,
        approval=settings.sweep_approval,
    )


# The steps -----------------------------------------------------------------------------------


async def _move_candidates(run: Run, seen: Survey, planned: Plan) -> None:
    moved = (*planned.suspect, *planned.quarantine, *planned.refresh)
    await services.store().move_candidates(moved, planned.clear)
    told = {
        "suspected": planned.suspect,
        "quarantined": planned.quarantine,
        "cleared": planned.clear,
    }
    for what, candidates in told.items():
        for candidate in candidates:
            _tell(run, "candidates", what, candidate)
    run.counts["held_back"] = planned.held_back


async def _delete(run: Run, seen: Survey, planned: Plan) -> None:
    """One after the other: a deletion is the last thing to hurry with."""

    async def one(candidate: Candidate) -> None:
        await deletions.carry_out(run, candidate, rules())

    for candidate in planned.delete:
        if run.over():
            run.counts["held_back"] += 1
            continue
        await run.go_on()
        await runs.tried(run, deletions.STEP, candidate, one, lambda each: each.name)


STEPS: tuple[Step, ...] = (
    unfinished.look_again,
    _move_candidates,
    _delete,
    seats.repair,
    drift.repair,
    missed.recover,
    unsettled.settle,
    conversations.check,
)
"""In this order: what was missed may be the evidence for sends that nobody knows the outcome of."""


# What is said of it --------------------------------------------------------------------------


def _planned(run: Run, seen: Survey) -> Plan:
    prefix = config.settings().instance_prefix
    return plan.plan_orphans(seen, prefix, rules(), run.id, services.now())


def _tell(run: Run, step: str, what: str, candidate: Candidate) -> None:
    about = {"instance": candidate.name, "server": candidate.server, "tenant": candidate.tenant}
    run.did(step, what, **about, why=candidate.cause)


def _learned(run: Run, planned: Plan) -> dict[str, Any]:
    """What the next run compares with: without what this one took away itself.

    A run that was braked has learned nothing, and an operator's word still waits to be used.
    """
    if planned.braked:
        return {}
    gone = [each for each in run.notes if each.what == "deleted"]
    carried = {
        server: count - sum(each.server == server for each in gone)
        for server, count in planned.before.carried.items()
    }
    before = planned.before
    return {
        "tenants": before.tenants,
        "living": before.living,
        "carried": carried,
        "accept_next": False,
        "forgotten": False,
    }


def _report(run: Run, seen: Survey, planned: Plan) -> Report:
    return run.report(
        brakes=tuple(_told(brake) for brake in planned.brakes),
        invariants=invariants.report(seen, planned.keys, run.violations, services.now()),
        silent=tuple(sorted(seen.silent)),
        awaited=dict(planned.awaited),
        unclear=tuple(sorted(seen.unclear_servers)),
    )


def _told(brake: brakes.Brake) -> dict[str, Any]:
    facts = {"why": brake.why, "server": brake.server, "before": brake.before, "now": brake.now}
    return {name: value for name, value in facts.items() if value is not None}
