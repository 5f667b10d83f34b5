"""Messages that no webhook told: those of lines that came back first, then of all the others."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared import services
from shared.domain.fleet import gaps
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.reports import Standing
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Instance
from shared.lines import recover as recovering
from shared.sweeps.runs import Run, each

STEP = "gaps"
FIRST = "gaps_of_those_back"

QUICK = timedelta(seconds=60)
"""A look in passing lasts no longer; the next one goes on."""

NEAREST, FARTHEST = 1.0, 7 * 24 * 3600.0
"""Seconds between two looks in passing: anything else was a clock's doing."""

LONG = timedelta(minutes=10)
"""Between two looks in passing that are usually nearer to each other we may have been away."""


async def recover(run: Run, seen: Survey, planned: Plan) -> None:
    """Every line knows what its server knows. Upstream: 1 call per line and 50 messages."""
    await _recover(run, (line for line in seen.lines.values() if seen.sighting_of(line)))


async def in_passing(run: Run, lines: Iterable[Instance]) -> None:
    """Those that came back since they were last looked at know what their server knows; after an
    outage of ours, all do.

    What there was no time for is done by the next look.
    """
    owed = STEP in run.standing.cursors or was_away(run.standing, run.started)
    await _recover(run, lines, QUICK, others=owed)
    if run.standing.ended_at and run.started > run.standing.ended_at:
        apart = (run.started - run.standing.ended_at).total_seconds()
        usually = run.standing.usually_apart or apart
        run.learned["usually_apart"] = min(max(apart, NEAREST), max(2 * usually, NEAREST), FARTHEST)


def was_away(standing: Standing, now: datetime) -> bool:
    """Nobody looked for much longer than usual: we were away, or nobody called us."""
    if standing.ended_at is None or standing.usually_apart is None:
        return False
    if not NEAREST <= standing.usually_apart <= FARTHEST:
        return False
    usually = timedelta(seconds=standing.usually_apart)
    return now - standing.ended_at > max(3 * usually, LONG)


async def _recover(
    run: Run, lines: Iterable[Instance], most: timedelta | None = None, *, others: bool = True
) -> None:
    async def one(line: Instance) -> None:
        recovered = await recovering.recover(line)
        about = {"instance": line.name, "server": line.server, "tenant": line.tenant}
        if recovered.messages:
            run.did(STEP, "gap", **about, why=f"{recovered.messages} recovered")
            run.counts["recovered"] += recovered.messages
        if not recovered.complete:
            run.did(STEP, "gap_incomplete", **about, why="its server tells no more")

    ordered, now = sorted(lines, key=_name), services.now()
    back = [line for line in ordered if gaps.came_back(line, now)]
    await each(run, FIRST, back, one, _name, most=most, around=True)
    if others:
        rest = [line for line in ordered if not gaps.came_back(line, now)]
        await each(run, STEP, rest, one, _name, most=most)


def _name(line: Instance) -> str:
    return line.name
