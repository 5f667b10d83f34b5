"""The fleet at a glance, from what sweeps left: a read per server and per incident."""

import asyncio

from shared import config, services
from shared.alerts import words
from shared.domain.fleet.incidents import Incident, Severity
from shared.domain.fleet.invariants import Invariants
from shared.domain.fleet.reports import Kind, Report
from shared.store.fleet import Room
from shared.sweeps import overdue
from shared.sweeps.capacity import ALL
from shared.sweeps.views import (
    Attention,
    FleetView,
    Totals,
    report_view,
    server_view,
)

SWEEPS = 5
INCIDENTS = 100


async def now() -> FleetView:
    """How it is. Firestore: 1 read per server, and at most 120 more."""
    store, servers = services.store(), config.settings().servers
    rooms, counted, agreed, incidents, awaiting, late = await asyncio.gather(
        store.rooms(servers.values()),
        store.reports(Kind.CAPACITY, SWEEPS),
        store.reports(Kind.ORPHANS, SWEEPS),
        store.open_incidents(INCIDENTS),
        store.awaiting_approval(),
        overdue.now(),
    )
    (capacities, _), (orphans, _) = counted, agreed
    last: Report | None = capacities[0] if capacities else None
    found = orphans[0].invariants if orphans else None
    recent = sorted((*capacities, *orphans), key=lambda each: each.started_at, reverse=True)
    return FleetView(
        totals=_totals(rooms),
        servers=[server_view(room, last) for room in rooms.values()],
        attention=_attention(incidents),
        invariants=found,
        sentence=_sentence(found),
        trend=last.forecasts.get(ALL) if last else None,
        sweeps=[report_view(each) for each in recent],
        awaiting_approval=awaiting,
        overdue=tuple(Kind(each.subject) for each in late),
    )


def _totals(rooms: dict[str, Room]) -> Totals:
    censuses = [room.census for room in rooms.values() if room.census]
    names = ("open", "pairing", "closed", "never_paired", "quarantined", "foreign")
    counted = {name: sum(getattr(each, name) for each in censuses) for name in names}
    return Totals(
        servers=len(rooms),
        answering=sum(room.failed_since is None for room in rooms.values()),
        limit=sum(room.capacity.limit for room in rooms.values()),
        reserved=sum(room.capacity.reserved for room in rooms.values()),
        free=sum(max(room.capacity.free, 0) for room in rooms.values()),
        **counted,
    )


def _attention(incidents: list[Incident]) -> list[Attention]:
    """What is critical first, then what concerns most, then what is oldest."""
    ranked = sorted(
        incidents,
        key=lambda each: (each.severity is not Severity.CRITICAL, -each.count, each.raised_at),
    )
    language = config.settings().alert_language
    return [
        Attention(
            severity=each.severity,
            cause=each.cause,
            subject=each.subject,
            count=each.count,
            sentence=words.SENTENCES[language][each.cause](each),
            since=each.raised_at,
            address=each.facts.get("address"),
        )
        for each in ranked
    ]


def _sentence(found: Invariants | None) -> str:
    """In the words of the promise."""
    if found is None:
        return "No sweep of orphans has run yet"
    return f"{found.count} violations in {found.instances} instances"
