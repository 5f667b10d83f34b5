"""One run of a sweep: the only one of its kind, for as long as it may last."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError

from shared import config, log, problems, services
from shared.domain.fleet.invariants import Violation
from shared.domain.fleet.reports import Report, ReportNote, SweepKind, SweepStanding
from shared.store import Unfit

MOST_NOTES = 300
AT_ONCE = 16
"""Lines that are worked at together: servers have people to serve too."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Run:
    """What is known of a run while it goes on."""

    kind: SweepKind
    id: str
    holder: str
    started: datetime
    standing: SweepStanding
    capacity: SweepStanding = field(default_factory=SweepStanding)
    """What sweeps of capacity remember, who are the ones to notice outages of ours."""
    dry: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[ReportNote] = field(default_factory=list)
    more_notes: int = 0
    stopped_at: dict[str, str] = field(default_factory=dict)
    learned: dict[str, Any] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    extended: datetime | None = None
    step: str | None = None

    def did(self, step: str, what: str, **about: str | None) -> None:
        """Count an action, and note it for the report's reader."""
        self.counts[what] += 1
        if len(self.notes) < MOST_NOTES:
            self.notes.append(ReportNote(step=step, what=what, **about))
        else:
            self.more_notes += 1

    def over(self) -> bool:
        """Tell whether its time is over: what isn't done yet is the next run's."""
        limit = timedelta(seconds=config.settings().sweep_seconds)
        return services.now() - self.started >= limit

    async def enter(self, step: str) -> None:
        """Say which step begins, for operators who watch. Raises as `go_on`. 1 read, 1 write."""
        self.step = step
        await self._extend(services.now())

    async def go_on(self) -> None:
        """Prolong the run's lease. Raises SweepRunning if another run took over."""
        now = services.now()
        if self.dry or now - (self.extended or self.started) < timedelta(minutes=1):
            return
        await self._extend(now)

    async def _extend(self, now: datetime) -> None:
        if not await services.store().sweeps.extend(self.kind, self.holder, now, self.step):
            raise problems.SweepRunning()
        self.extended = now

    def report(self, **more: Any) -> Report:
        """Write the run's report."""
        return Report(
            id=self.id,
            kind=self.kind,
            started_at=self.started,
            ended_at=services.now(),
            dry=self.dry,
            counts=dict(self.counts),
            stopped_at=self.stopped_at,
            notes=tuple(self.notes),
            more_notes=self.more_notes,
            **more,
        )


@asynccontextmanager
async def running(kind: SweepKind) -> AsyncIterator[Run]:
    """Hold the only run of that kind. Raises SweepRunning while another is going on.

    What it learned is kept when it ends well; however it ends, the next one may begin.
    """
    now = services.now()
    run = Run(kind, _id(now), secrets.token_hex(8), now, SweepStanding())
    standing = await services.store().sweeps.begin(kind, run.holder, run.id, now)
    if standing is None:
        raise problems.SweepRunning()
    run.standing = standing
    log.info("sweep.began", sweep=kind, run=run.id)
    standing_changes: dict[str, Any] = {}
    try:
        yield run
        standing_changes = run.learned | {"cursors": run.stopped_at, "ended_at": services.now()}
    finally:
        await services.store().sweeps.end(kind, run.holder, standing_changes)
    log.info("sweep.ended", sweep=kind, run=run.id, **run.counts)


def rehearsal(kind: SweepKind, standing: SweepStanding) -> Run:
    """Return a run that changes nothing."""
    now = services.now()
    return Run(kind, _id(now), "", now, standing, dry=True)


async def work_on_items(
    run: Run,
    step: str,
    items: Iterable[T],
    work: Callable[[T], Awaitable[T | None]],
    named: Callable[[T], str],
    *,
    most: timedelta | None = None,
    around: bool = False,
) -> None:
    """Do the work for every item, some at a time, until the run's time or `most` is over.

    Items come in the order of their names; with a cursor of the last run only those from there
    on; or first those, if it goes `around` because what was done isn't among them any more. One
    that fails is noted, and the others go on. What `work` returns is the rest of an item: its turn
    comes after all others had theirs. When only rests are left, the next run begins anew.
    """
    start, began = run.standing.cursors.get(step, ""), services.now()
    several = list(items)
    waiting = [item for item in several if named(item) >= start]
    waiting += [item for item in several if around and named(item) < start]
    fresh = len(waiting)
    while waiting:
        if run.over() or (most is not None and services.now() - began >= most):
            run.stopped_at[step] = named(waiting[0]) if fresh > 0 else ""
            return
        await run.go_on()
        together, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        fresh -= len(together)
        turns = [try_item(run, step, item, work, named) for item in together]
        rests = await asyncio.gather(*turns)
        waiting += [rest for rest in rests if rest is not None]


async def try_item(
    run: Run,
    step: str,
    item: T,
    work: Callable[[T], Awaitable[R]],
    named: Callable[[T], str],
) -> R | None:
    """Do the work for one item and return what it returns, or note why it failed."""
    try:
        return await work(item)
    except problems.Problem as problem:
        run.did(step, "failed", instance=named(item), why=problem.slug())
    except (ValidationError, Unfit, ValueError, OverflowError) as error:
        log.error("sweep.stumbled", error, step=step)
        run.did(step, "failed", instance=named(item), why="unreadable")
    return None


def _id(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
