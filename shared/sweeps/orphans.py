"""Make records and servers agree: mark what is missing, finish what was begun, repair what differs,
and delete what no line claims, after its time.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from shared import config, services
from shared.domain.fleet import brakes, invariants, plan
from shared.domain.fleet.candidates import Candidate
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.reports import Report, SweepKind, SweepStanding
from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Survey
from shared.sweeps import (
    backfill_lines,
    conversations,
    deletions,
    drift,
    late_quotes,
    old_media,
    reconcile_sends,
    runs,
    search_tokens,
    seats,
    surveying,
    unfinished,
)
from shared.sweeps.runs import Run, running

Step = Callable[[Run, Survey, Plan], Awaitable[None]]


async def sweep(capacity: SweepStanding | None = None) -> Report:
    """Run one sweep: survey, plan, carry out, report. Raises SweepRunning, StoreUnavailable.

    `capacity`: what sweeps of capacity remember, of outages of ours.
    """
    async with running(SweepKind.ORPHANS) as run:
        run.capacity = capacity or await services.store().sweeps.find_standing(SweepKind.CAPACITY)
        surveyed = await surveying.take(run.standing)
        planned = _planned(run, surveyed)
        for name, step in STEPS.items():
            await run.enter(name)
            await step(run, surveyed, planned)
        run.learned |= _next_standing(run, planned)
        report = _report(run, surveyed, planned)
        await services.store().sweeps.store_report(report)
    return report


async def rehearse() -> Report:
    """Show what a run would do now: the plan, as a report in which nothing was done."""
    run = runs.rehearsal(
        SweepKind.ORPHANS, await services.store().sweeps.find_standing(SweepKind.ORPHANS)
    )
    surveyed = await surveying.take(run.standing)
    planned = _planned(run, surveyed)
    for what in ("suspect", "quarantine", "clear", "delete"):
        for candidate in getattr(planned, what):
            _tell(run, "plan", what, candidate)
    for repair in planned.repairs:
        name = type(repair).__name__.lower()
        run.did("plan", name, instance=repair.line.name, server=repair.line.server)
    return _report(run, surveyed, planned)


def rules() -> Rules:
    """Read the rules from the settings."""
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
    candidates_to_move = (*planned.suspect, *planned.quarantine, *planned.refresh)
    await services.store().candidates.move(candidates_to_move, planned.clear)
    candidates_by_verb = {
        "suspected": planned.suspect,
        "quarantined": planned.quarantine,
        "cleared": planned.clear,
    }
    for what, candidates in candidates_by_verb.items():
        for candidate in candidates:
            _tell(run, "candidates", what, candidate)
    run.counts["held_back"] = planned.held_back


async def _delete(run: Run, seen: Survey, planned: Plan) -> None:
    """Delete one after the other: a deletion is the last thing to hurry with."""

    async def one(candidate: Candidate) -> None:
        await deletions.carry_out(run, candidate, rules())

    for candidate in planned.delete:
        if run.over():
            run.counts["held_back"] += 1
            continue
        await run.go_on()
        await runs.try_item(run, deletions.STEP, candidate, one, lambda each: each.name)


STEPS: dict[str, Step] = {
    "unfinished": unfinished.look_again,
    "candidates": _move_candidates,
    "deletions": _delete,
    "seats": seats.repair,
    "drift": drift.repair,
    "backfill": backfill_lines.recover,
    "sends": reconcile_sends.settle,
    "quotes": late_quotes.purge,
    "conversations": conversations.check,
    "search": search_tokens.give,
    "media": old_media.delete,
}
"""In this order: what was missed may be what reconciles uncertain sends, and may quote."""


# What is said of it --------------------------------------------------------------------------


def _planned(run: Run, seen: Survey) -> Plan:
    prefix = config.settings().instance_prefix
    return plan.plan_orphans(seen, prefix, rules(), run.id, services.now())


def _tell(run: Run, step: str, what: str, candidate: Candidate) -> None:
    about = {"instance": candidate.name, "server": candidate.server, "tenant": candidate.tenant}
    run.did(step, what, **about, why=candidate.cause)


def _next_standing(run: Run, planned: Plan) -> dict[str, Any]:
    """Return what the next run compares with: without what this one deleted itself.

    A run that was braked has learned nothing, and an operator's word still waits to be used.
    """
    if planned.braked:
        return {}
    deletions_of_run = [note for note in run.notes if note.what == "deleted"]
    carried = {
        server: count - sum(note.server == server for note in deletions_of_run)
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
        brakes=tuple(_brake_facts(brake) for brake in planned.brakes),
        invariants=invariants.report(seen, planned.keys, run.violations, services.now()),
        silent=tuple(sorted(seen.silent)),
        awaited=dict(planned.awaited),
        unclear=tuple(sorted(seen.unclear_servers)),
    )


def _brake_facts(brake: brakes.Brake) -> dict[str, Any]:
    facts = {"why": brake.why, "server": brake.server, "before": brake.before, "now": brake.now}
    return {name: value for name, value in facts.items() if value is not None}
