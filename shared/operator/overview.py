"""The fleet at a glance, from what sweeps left: a read per server and per incident."""

import asyncio

from shared import config, services
from shared.alerts import words
from shared.domain.fleet.incidents import Incident, Severity
from shared.domain.fleet.reports import FLEET, Report, SweepKind
from shared.operator.fleet_views import (
    Attention,
    FleetView,
    Totals,
    attention_view,
    report_view,
    server_view,
)
from shared.store.server_rooms import ServerRoom
from shared.sweeps import overdue

SWEEPS = 5
INCIDENTS = 100


async def now() -> FleetView:
    """Show the fleet. Firestore: 1 read per server, and at most 120 more."""
    store, servers = services.store(), config.settings().servers
    rooms, counted, agreed, incidents, awaiting, late = await asyncio.gather(
        store.servers.read_rooms(servers.values()),
        store.sweeps.list_reports(SweepKind.CAPACITY, SWEEPS),
        store.sweeps.list_reports(SweepKind.ORPHANS, SWEEPS),
        store.incidents.list_open(INCIDENTS),
        store.candidates.count_awaiting_approval(),
        overdue.now(),
    )
    (capacities, _), (orphans, _) = counted, agreed
    last: Report | None = capacities[0] if capacities else None
    invariants = orphans[0].invariants if orphans else None
    recent = sorted((*capacities, *orphans), key=lambda report: report.started_at, reverse=True)
    return FleetView(
        totals=_totals(rooms),
        servers=[server_view(room, last) for room in rooms.values()],
        attention=_attention(incidents),
        invariants=invariants,
        sentence=words.write_agreement(invariants, config.settings().alert_language),
        trend=last.forecasts.get(FLEET) if last else None,
        sweeps=[report_view(report) for report in recent],
        awaiting_approval=awaiting,
        overdue=tuple(SweepKind(trouble.subject) for trouble in late),
    )


def _totals(rooms: dict[str, ServerRoom]) -> Totals:
    censuses = [room.census for room in rooms.values() if room.census]
    names = ("open", "pairing", "closed", "never_paired", "quarantined", "foreign")
    counted = {name: sum(getattr(census, name) for census in censuses) for name in names}
    return Totals(
        servers=len(rooms),
        answering=sum(room.failed_since is None for room in rooms.values()),
        limit=sum(room.capacity.limit for room in rooms.values()),
        reserved=sum(room.capacity.reserved for room in rooms.values()),
        free=sum(max(room.capacity.free, 0) for room in rooms.values()),
        counted_at=min((census.at for census in censuses), default=None),
        **counted,
    )


def _attention(incidents: list[Incident]) -> list[Attention]:
    """Order attention: critical first, then what concerns most lines, then the oldest."""
    ranked = sorted(
        incidents,
        key=lambda incident: (
            incident.severity is not Severity.CRITICAL,
            -incident.count,
            incident.raised_at,
        ),
    )
    return [attention_view(incident) for incident in ranked]
