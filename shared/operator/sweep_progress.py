"""Start a sweep for an operator, and show how far it is."""

from datetime import datetime

from pydantic import AwareDatetime, Field

from shared import problems, services
from shared.domain.fleet.reports import SweepKind, SweepStanding
from shared.domain.record import Record


class SweepProgress(Record):
    """What a kind of sweep is doing, or did last."""

    kind: SweepKind
    running: bool
    run: str | None = Field(default=None, description="The id of its report, once it has ended")
    step: str | None = None
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = Field(
        default=None, description="When a run last ended as it should"
    )


async def start(kind: str, authorization: str) -> SweepProgress:
    """Start a sweep now. Raises ReportUnknown (no such sweep), SweepRunning, SweepNotStarted."""
    known, now = _require_kind(kind), services.now()
    standing = await services.store().sweeps.find_standing(known)
    if standing.is_running(now):
        raise problems.SweepRunning()
    from shared import scheduler  # and what it calls Google with: only who starts one needs it

    await scheduler.start_sweep(known, authorization)
    return _progress(known, standing, now)


async def read(kind: str) -> SweepProgress:
    """Show how far a sweep is. Raises ReportUnknown (no such sweep). Firestore: 1 read."""
    known = _require_kind(kind)
    standing = await services.store().sweeps.find_standing(known)
    return _progress(known, standing, services.now())


def _require_kind(kind: str) -> SweepKind:
    if kind not in set(SweepKind):
        raise problems.ReportUnknown()
    return SweepKind(kind)


def _progress(kind: SweepKind, standing: SweepStanding, now: datetime) -> SweepProgress:
    is_running = standing.is_running(now)
    return SweepProgress(
        kind=kind,
        running=is_running,
        run=standing.run,
        step=standing.step if is_running else None,
        started_at=standing.began_at,
        ended_at=standing.ended_at,
    )
