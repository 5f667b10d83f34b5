"""What people say to what sweeps found: yes, not now, or never."""

import re
from collections.abc import Callable

from shared import problems, services
from shared.domain.fleet.candidates import Candidate, Stage
from shared.domain.fleet.reports import Kind, Report
from shared.sweeps import orphans

OPEN = (Stage.SUSPECTED, Stage.QUARANTINED)
LATEST, PLAN = "latest", "plan"
MOST_UNREADABLE = 20
"""So many reports that nobody understands are passed over for the latest one."""


async def approve(name: str, operator: str) -> Candidate:
    """It may be deleted when its time is over. Raises CandidateUnknown, CandidateGone."""
    now = services.now()

    def approved(known: Candidate) -> Candidate:
        return known.model_copy(update={"approved_by": operator, "approved_at": now})

    return await _change(name, approved, OPEN)


async def keep(name: str, operator: str) -> Candidate:
    """It stays, and isn't asked for again. Raises CandidateUnknown, CandidateGone."""
    now = services.now()

    def kept(known: Candidate) -> Candidate:
        change = {"stage": Stage.KEPT, "kept_by": operator, "kept_at": now}
        return known.model_copy(update={**change, "approved_by": None, "approved_at": None})

    return await _change(name, kept, (*OPEN, Stage.KEPT))


async def undo(name: str) -> Candidate:
    """There is nothing against it, until a sweep finds something. Raises as `keep`."""
    for _ in range(5):
        known = await _known(name)
        if known.stage not in (*OPEN, Stage.KEPT):
            raise problems.CandidateGone()
        if await services.store().undo(known):
            return known
    raise problems.StoreUnavailable("Too many callers at once.")


async def report(kind: str, name: str) -> Report:
    """One report, the last one, or the plan of the next. Raises ReportUnknown."""
    if (kind, name) == (Kind.ORPHANS, PLAN):
        return await orphans.rehearse()
    if kind not in set(Kind) or not re.fullmatch(r"[0-9A-Za-z-]{1,40}", name):
        raise problems.ReportUnknown()
    store = services.store()
    if name == LATEST:
        several = (await store.reports(Kind(kind), 1))[0] or (await store.reports(Kind(kind), 20))[
            0
        ]
        found = next(iter(several), None)
    else:
        found = await store.report(Kind(kind), name)
    if found is None:
        raise problems.ReportUnknown()
    return found


async def _change(
    name: str, decide: Callable[[Candidate], Candidate], stages: tuple[Stage, ...]
) -> Candidate:
    def changed(known: Candidate) -> Candidate | None:
        return decide(known) if known.stage in stages else None

    if found := await services.store().change_candidate(_checked(name), changed):
        return found
    await _known(name)
    raise problems.CandidateGone()


async def _known(name: str) -> Candidate:
    known = await services.store().candidate(_checked(name))
    if known is None:
        raise problems.CandidateUnknown()
    return known


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]{1,32}~[A-Za-z0-9._~-]{1,255}", name):
        raise problems.CandidateUnknown()
    return name
