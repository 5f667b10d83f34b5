"""How full every server is, kept per day, and when it will be full."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shared import config, problems, services
from shared.domain import names
from shared.domain.fleet import capacity
from shared.domain.fleet.capacity import Census, Forecast
from shared.domain.fleet.reports import FLEET, Day, Report, SweepKind
from shared.domain.instances import Instance
from shared.domain.names import InstanceName, LineKey
from shared.domain.upstream import Sighting
from shared.store.server_rooms import ServerRoom
from shared.sweeps import backfill_lines, seats
from shared.sweeps.runs import Run, running

RECLAIMABLE = 50
"""Slots that a report names; the rest is a number."""


class Seen(NamedTuple):
    """What a run found: who answered and what, who didn't and why, and every line's record."""

    censuses: dict[str, Census]
    silent: dict[str, str]
    lines: list[Instance]
    sightings: dict[tuple[str, InstanceName], Sighting]

    def sighting_of(self, line: Instance) -> Sighting | None:
        """Find the line's instance in its server's census."""
        return self.sightings.get((line.server, line.name))


async def sweep() -> tuple[Report, Seen]:
    """Run one sweep: count, store, report. Raises SweepRunning, StoreUnavailable.

    Firestore: 1 read per line and per quarantined instance, a few per server; a few writes per
    server. Upstream: 1 call per server, and what lines that came back missed.
    """
    async with running(SweepKind.CAPACITY) as run:
        survey = await _take_survey(run)
        for server in config.settings().servers.values():
            census = survey.censuses.get(server.id)
            await services.store().servers.record_census(server, census, services.now())
        here = (line for line in survey.lines if line.server in survey.censuses)
        await backfill_lines.in_passing(run, here, survey.sighting_of)
        today = _day(survey, run.started)
        await services.store().sweeps.store_day(today)
        history = await services.store().sweeps.list_days(today.day - capacity.TREND_DAYS)
        report = _report(run, survey, history)
        await services.store().sweeps.store_report(report)
    return report, survey


async def _take_survey(run: Run) -> Seen:
    store, servers = services.store(), config.settings().servers
    looks, collected, quarantined = await asyncio.gather(
        asyncio.gather(*map(_census, servers)), _lines(), store.candidates.list_quarantined()
    )
    rooms, corrected = await _rooms(run, collected)
    censuses: dict[str, Census] = {}
    silent: dict[str, str] = {}
    for server, census_or_problem in zip(servers.values(), looks, strict=True):
        if isinstance(census_or_problem, str):
            silent[server.id] = census_or_problem
            continue
        suspects = frozenset(
            instance.name for instance in quarantined if instance.server == server.id
        )
        census = _counted(rooms[server.id], census_or_problem, collected, suspects)
        correction = corrected.get(server.id, 0)
        censuses[server.id] = census.model_copy(update={"corrected": correction})
    sightings = {
        (server.id, sighting.name): sighting
        for server, census_or_problem in zip(servers.values(), looks, strict=True)
        if not isinstance(census_or_problem, str)
        for sighting in census_or_problem
    }
    return Seen(censuses, silent, collected, sightings)


async def _rooms(
    run: Run, lines: Sequence[Instance]
) -> tuple[dict[str, ServerRoom], dict[str, int]]:
    """Tell every server's room once all its lines have slots, and how many slots that changed.

    Firestore: 2 reads per server. Where as many slots are taken as there are lines, nothing is
    compared.
    """
    servers = config.settings().servers.values()
    rooms = await services.store().servers.read_rooms(servers)
    placed = Counter(line.server for line in lines)
    doubtful = [
        server
        for server, room in rooms.items()
        if room.unseated or room.capacity.reserved != placed[server]
    ]
    if not doubtful:
        return rooms, {}
    corrected = {server: await seats.seat(run, server) for server in doubtful}
    return await services.store().servers.read_rooms(servers), corrected


def _counted(
    room: ServerRoom,
    seen: list[Sighting],
    lines: Sequence[Instance],
    quarantined: frozenset[InstanceName],
) -> Census:
    here = {line.name: line for line in lines if line.server == room.capacity.server}
    counted = capacity.count(seen, here, _keys(seen), quarantined)
    return Census(
        at=services.now(),
        limit=room.capacity.limit,
        reserved=room.capacity.reserved,
        **{standing.value: count for standing, count in counted.items()},
    )


def _keys(seen: list[Sighting]) -> dict[InstanceName, LineKey]:
    prefix = config.settings().instance_prefix
    return {
        sighting.name: key for sighting in seen if (key := names.line_key(prefix, sighting.name))
    }


async def _census(server: str) -> list[Sighting] | str:
    """Return what a server carries, or the problem with it."""
    try:
        return [sighting async for sighting in services.evolution(server).take_census()]
    except problems.Problem as problem:
        return problem.slug()


async def _lines() -> list[Instance]:
    return [
        line async for line in services.store().instances.iterate() if isinstance(line, Instance)
    ]


def _day(seen: Seen, now: datetime) -> Day:
    return Day(
        day=now.date().toordinal(),
        used={server: census.used for server, census in seen.censuses.items()},
        limit={server: census.limit for server, census in seen.censuses.items()},
        open={server: census.open for server, census in seen.censuses.items()},
    )


def _report(run: Run, seen: Seen, history: Sequence[Day]) -> Report:
    table = config.settings().capacity_memory_gb
    silent = [f"{server}: {why}" for server, why in sorted(seen.silent.items())]
    for server, why in seen.silent.items():
        run.did("census", "silent", server=server, why=why)
    slots = capacity.reclaimable(seen.lines, run.started, len(seen.lines))
    run.counts["reclaimable"] = len(slots)
    return run.report(
        censuses=seen.censuses,
        silent=tuple(silent),
        forecasts=_forecasts(seen, history),
        memory_gb={
            server: capacity.memory_gb(census.ours + census.foreign, table)
            for server, census in seen.censuses.items()
        },
        reclaimable=tuple(slots[:RECLAIMABLE]),
    )


def _forecasts(seen: Seen, history: Sequence[Day]) -> dict[str, Forecast]:
    """Forecast for each server that answered, and for the fleet."""
    forecasts = {
        server: capacity.forecast(
            [(day.day, day.used[server]) for day in history if server in day.used], census.limit
        )
        for server, census in seen.censuses.items()
    }
    servers = set(config.settings().servers)
    whole = [(day.day, sum(day.used.values())) for day in history if set(day.used) == servers]
    limit = sum(server.instance_max for server in config.settings().servers.values())
    return forecasts | ({FLEET: capacity.forecast(whole, limit)} if whole else {})
