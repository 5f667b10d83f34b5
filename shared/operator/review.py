"""What people say to what sweeps found: yes, not now, or never."""

import re
from collections.abc import Callable
from contextlib import suppress

from shared import config, problems, services
from shared.domain.fleet.candidates import Candidate, Stage
from shared.domain.fleet.incidents import Cause, Trouble
from shared.domain.fleet.plan import awaits_person
from shared.domain.fleet.reports import Report, SweepKind

OPEN = (Stage.SUSPECTED, Stage.QUARANTINED)
LATEST, PLAN = "latest", "plan"


async def approve(name: str, operator: str) -> Candidate:
    """Approve a candidate's deletion in its time. Raises CandidateUnknown, CandidateGone."""
    now = services.now()

    def approved(candidate: Candidate) -> Candidate:
        return candidate.model_copy(update={"approved_by": operator, "approved_at": now})

    return await _change(name, approved, OPEN)


async def keep(name: str, operator: str) -> Candidate:
    """Keep a candidate; no sweep proposes it again. Raises CandidateUnknown, CandidateGone."""
    now = services.now()

    def mark_kept(candidate: Candidate) -> Candidate:
        change = {"stage": Stage.KEPT, "kept_by": operator, "kept_at": now}
        return candidate.model_copy(update={**change, "approved_by": None, "approved_at": None})

    return await _change(name, mark_kept, (*OPEN, Stage.KEPT))


async def undo(name: str) -> Candidate:
    """Clear a candidate, until a sweep finds something against it again. Raises as `keep`."""
    for _ in range(5):
        candidate = await _require_candidate(name)
        if candidate.stage not in (*OPEN, Stage.KEPT):
            raise problems.CandidateGone()
        if await services.store().candidates.clear(candidate):
            return candidate
    raise problems.StoreUnavailable("Too many callers at once.")


async def recount_awaiting(server: str) -> None:
    """Let the incident of a server's instances that await a decision follow one at once.

    The next sweep delivers its news. Firestore: 1 read per quarantined instance of the server, 1
    more, and 1 write.
    """
    store, remind = services.store(), config.hours(config.settings().alert_remind_hours)
    with suppress(problems.StoreUnavailable):  # the next sweep counts too
        quarantined = await store.candidates.list_quarantined(server)
        count = sum(map(awaits_person, quarantined))
        trouble = Trouble(cause=Cause.APPROVAL_AWAITED, subject=server, count=count)
        await store.incidents.follow(trouble.id, trouble if count else None, services.now(), remind)


async def report(kind: str, name: str) -> Report:
    """Return one report, the last one, or the plan of the next. Raises ReportUnknown."""
    if (kind, name) == (SweepKind.ORPHANS, PLAN):
        from shared.sweeps import orphans  # and with it most of what sweeps do

        return await orphans.rehearse()
    if kind not in set(SweepKind) or not re.fullmatch(r"[0-9A-Za-z-]{1,40}", name):
        raise problems.ReportUnknown()
    store = services.store()
    if name == LATEST:
        several = (await store.sweeps.list_reports(SweepKind(kind), 1))[0] or (
            await store.sweeps.list_reports(SweepKind(kind), 20)
        )[0]
        requested = next(iter(several), None)
    else:
        requested = await store.sweeps.find_report(SweepKind(kind), name)
    if requested is None:
        raise problems.ReportUnknown()
    return requested


async def _change(
    name: str, decide: Callable[[Candidate], Candidate], stages: tuple[Stage, ...]
) -> Candidate:
    def decide_if_open(candidate: Candidate) -> Candidate | None:
        return decide(candidate) if candidate.stage in stages else None

    if updated := await services.store().candidates.change(
        _require_candidate_id(name), decide_if_open
    ):
        return updated
    await _require_candidate(name)
    raise problems.CandidateGone()


async def _require_candidate(name: str) -> Candidate:
    candidate = await services.store().candidates.find(_require_candidate_id(name))
    if candidate is None:
        raise problems.CandidateUnknown()
    return candidate


def _require_candidate_id(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]{1,32}~[A-Za-z0-9._~-]{1,255}", name):
        raise problems.CandidateUnknown()
    return name
