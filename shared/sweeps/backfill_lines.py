"""Messages that no webhook told: those of lines that came back first, then of all the others."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec import Struct, field

from shared import services
from shared.domain.fleet import gaps
from shared.domain.fleet.gaps import Outage
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.reports import SweepStanding
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Instance, epoch_ms
from shared.domain.upstream import Sighting
from shared.sweeps.runs import Run, work_on_items

STEP = "gaps"
FIRST = "gaps_of_those_back"

QUICK = timedelta(seconds=60)
"""A look in passing lasts no longer; the next one goes on."""

NEAREST, FARTHEST = 1.0, 7 * 24 * 3600.0
"""Seconds between two looks in passing: anything else was a clock's doing."""

LONG = timedelta(minutes=10)
"""Between two looks in passing that are usually nearer to each other we may have been away."""

MOST_OUTAGES = 20
"""Of ours that are remembered."""

SightingOf = Callable[[Instance], Sighting | None]
"""A line's instance in the last census of its server."""


async def recover(run: Run, seen: Survey, planned: Plan) -> None:
    """Fetch for every line what its server knows.

    Upstream: 1 call per line and 50 messages, and 1 more per line that has any.
    """
    looks = _Looks(run, outages_of(run.capacity, services.now()), seen.sighting_of)
    await looks.recover(line for line in seen.lines.values() if seen.sighting_of(line))


async def in_passing(run: Run, lines: Iterable[Instance], sighting_of: SightingOf) -> None:
    """Fetch what lines missed that came back since the last look; after an outage of ours, what all
    lines missed.

    What there was no time for is done by the next look.
    """
    is_unfinished = bool({FIRST, STEP} & run.standing.cursors.keys())
    others_due = is_unfinished or was_away(run.standing, run.started)
    run.learned["outages"] = outages = outages_of(run.standing, run.started)
    await _Looks(run, outages, sighting_of).recover(lines, QUICK, others=others_due)
    if run.standing.ended_at and run.started > run.standing.ended_at:
        apart = (run.started - run.standing.ended_at).total_seconds()
        usually = run.standing.usually_apart or apart
        run.learned["usually_apart"] = min(max(apart, NEAREST), max(2 * usually, NEAREST), FARTHEST)


def was_away(standing: SweepStanding, now: datetime) -> bool:
    """Tell whether the last look is much longer ago than usual: we were away, or weren't called."""
    if standing.ended_at is None or standing.usually_apart is None:
        return False
    if not NEAREST <= standing.usually_apart <= FARTHEST:
        return False
    usually = timedelta(seconds=standing.usually_apart)
    return now - standing.ended_at > max(3 * usually, LONG)


def outages_of(standing: SweepStanding, now: datetime) -> tuple[Outage, ...]:
    """List the outages of ours since which a line may not have been looked at, the last one too."""
    eldest = epoch_ms(now - 2 * gaps.LONGEST)
    recent = [outage for outage in standing.outages if outage.until > eldest]
    if standing.ended_at and was_away(standing, now):
        recent.append(Outage(since=epoch_ms(standing.ended_at), until=epoch_ms(now)))
    return tuple(recent[-MOST_OUTAGES:])


class _Looks(Struct, frozen=True):
    """The looks of one run at what servers keep."""

    run: Run
    outages: tuple[Outage, ...]
    sighting_of: SightingOf
    doubts: Counter[str] = field(default_factory=Counter)
    doubtful: set[str] = field(default_factory=set)

    async def recover(
        self, lines: Iterable[Instance], most: timedelta | None = None, *, others: bool = True
    ) -> None:
        """Recover what lines missed: first those that came back, then the others if they shall."""
        ordered, now = sorted(lines, key=_name), services.now()
        back = [line for line in ordered if gaps.came_back(line, now)]
        await work_on_items(self.run, FIRST, back, self._one, _name, most=most, around=True)
        if others:
            rest = [line for line in ordered if not gaps.came_back(line, now)]
            await work_on_items(self.run, STEP, rest, self._one, _name, most=most)
        earlier_doubts = self.run.standing.doubts
        self.run.learned["doubts"] = gaps.add_doubts(earlier_doubts, self.doubts, services.now())

    async def _one(self, line: Instance) -> Instance | None:
        run = self.run
        from shared.inbound import backfill  # most runs find no line that missed anything

        recovered = await backfill.backfill_line(line, self.sighting_of(line), self.outages)
        about = {"instance": line.name, "server": line.server, "tenant": line.tenant}
        if recovered.messages:
            run.did(STEP, "gap", **about, why=f"{recovered.messages} recovered")
            run.counts["recovered"] += recovered.messages
        if not recovered.complete:
            run.did(STEP, "gap_incomplete", **about, why="its server tells no more")
        if recovered.doubtful and line.name not in self.doubtful:
            self.doubtful.add(line.name)
            run.did(STEP, "gap_possibly_incomplete", **about, why="its server may have restarted")
            self.doubts[line.server] += 1
        return recovered.rest


def _name(line: Instance) -> str:
    return line.name
