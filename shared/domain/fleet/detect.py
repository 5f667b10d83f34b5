"""What sweeps saw, as troubles: grouped by what caused them, so that one cause is one alert."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime, timedelta

from shared.domain.endpoints import EVERYBODY, Endpoint
from shared.domain.fleet import gaps
from shared.domain.fleet.capacity import Census
from shared.domain.fleet.incidents import Cause, Trouble
from shared.domain.fleet.invariants import MENDED, Invariants, Rule
from shared.domain.fleet.reports import Report, SweepKind, SweepStanding
from shared.domain.instances import Instance, Reason, State
from shared.domain.names import TenantId

FLEET = "fleet"
"""The subject of what is about no server and no tenant."""

OF_CAPACITY = frozenset(
    {
        Cause.SERVER_DOWN,
        Cause.SERVER_KEY_REFUSED,
        Cause.SERVER_NOT_LICENSED,
        Cause.SERVER_FULL,
        Cause.SERVER_FILLING,
        Cause.LINES_DISCONNECTED,
        Cause.LINES_BANNED,
        Cause.SWEEP_OVERDUE,
        Cause.WRONG_NUMBER,
        Cause.ENDPOINTS_LATE,
        Cause.MESSAGES_MAY_BE_LOST,
    }
)
OF_WHOLE = frozenset({Cause.VIOLATIONS, Cause.APPROVAL_AWAITED})
"""Causes that only a sweep can tell to be over that saw everything."""

OF_ORPHANS = OF_WHOLE | {Cause.SWEEP_BRAKED, Cause.SWEEP_OVERDUE, Cause.MESSAGES_MAY_BE_LOST}

SILENCES = {
    "evolution-refused-key": Cause.SERVER_KEY_REFUSED,
    "server-not-licensed": Cause.SERVER_NOT_LICENSED,
}
"""What is wrong with a server that has this problem; one with any other is down."""

MENDED_IN_MANAGER = frozenset({Cause.SERVER_NOT_LICENSED})
"""Causes that only a person signed in to the server's own manager can mend."""

ASKED_FOR = (Reason.DISCONNECTED, Reason.DISCONNECT_ASKED)


def of_servers(
    censuses: dict[str, Census],
    silent: dict[str, str],
    alert_at: float,
    managers: Mapping[str, str] | None = None,
) -> Iterator[Trouble]:
    """Find servers that don't answer, and those that are full or will be soon.

    `managers`: where each server is administered, for what can only be mended there.
    """
    for server, why in silent.items():
        cause = SILENCES.get(why, Cause.SERVER_DOWN)
        manager = (managers or {}).get(server)
        mended_at = {"address": manager} if manager and cause in MENDED_IN_MANAGER else {}
        yield Trouble(cause=cause, subject=server, facts=mended_at)
    for server, census in censuses.items():
        facts = {"used": census.used, "limit": census.limit}
        if census.free == 0:
            yield Trouble(cause=Cause.SERVER_FULL, subject=server, facts=facts)
        elif census.share >= alert_at:
            yield Trouble(cause=Cause.SERVER_FILLING, subject=server, facts=facts)


def of_lines(
    lines: Iterable[Instance],
    silent: Set[str],
    away: Set[TenantId],
    after: timedelta,
    idle: timedelta,
    now: datetime,
) -> Iterator[Trouble]:
    """Find lines that were connected and aren't now, one trouble per tenant and cause.

    Those that WhatsApp blocked are told at once: they don't come back by themselves. Not those
    whose server is down (that is its trouble), that a person disconnected, that were idle for so
    long that no person waits for them, or whose tenant is `away`.
    """
    down = Counter(
        (line.tenant, cause)
        for line in lines
        if line.server not in silent
        and line.tenant not in away
        and line.state in (State.CLOSED, State.MISSING)
        and line.reason not in ASKED_FOR
        and not line.surely_unpaired
        and (cause := _cause_of(line, now - line.idle_since, after, idle))
    )
    for (tenant, cause), count in sorted(down.items()):
        yield Trouble(cause=cause, subject=tenant, count=count)


def of_endpoints(late: Iterable[Endpoint]) -> Iterator[Trouble]:
    """List one trouble for each tenant that has endpoints for which events have waited long."""
    names: dict[TenantId, list[str]] = {}
    for endpoint in late:
        names.setdefault(endpoint.tenant, []).append(endpoint.id)
    for tenant, several in sorted(names.items()):
        yield endpoints_trouble(Cause.ENDPOINTS_LATE, tenant, several)


def endpoints_trouble(cause: Cause, tenant: TenantId, names: list[str]) -> Trouble:
    """Return the trouble of a tenant's endpoints, or of operators' (`EVERYBODY`)."""
    subject = FLEET if tenant == EVERYBODY else tenant
    return Trouble(cause=cause, subject=subject, count=len(names), facts={"endpoints": names})


def _cause_of(line: Instance, lasted: timedelta, after: timedelta, idle: timedelta) -> Cause | None:
    """Say which trouble a line is that isn't connected; None: it is none yet, or not any more."""
    if lasted > idle:
        return None
    if line.reason is Reason.BANNED:
        return Cause.LINES_BANNED
    return Cause.LINES_DISCONNECTED if lasted >= after else None


def unsure(
    censuses: dict[str, Census], silent: Iterable[str], lines: Iterable[Instance]
) -> set[str]:
    """Return incidents that aren't over only because they can't be seen.

    A server that says nothing tells nothing of its lines. And one that is full now is no less than
    filling.
    """
    unseen = set(silent)
    full = {server for server, census in censuses.items() if census.free == 0}
    of_lines = {line.tenant for line in lines if line.server in unseen}
    hidden = [
        *(Trouble(cause=Cause.SERVER_FULL, subject=server) for server in unseen),
        *(Trouble(cause=Cause.SERVER_FILLING, subject=server) for server in unseen | full),
        *(Trouble(cause=Cause.LINES_DISCONNECTED, subject=tenant) for tenant in of_lines),
        *(Trouble(cause=Cause.LINES_BANNED, subject=tenant) for tenant in of_lines),
    ]
    return {trouble.id for trouble in hidden}


def of_standings(
    standings: Mapping[SweepKind, SweepStanding], after: timedelta, now: datetime
) -> Iterator[Trouble]:
    """List sweeps that haven't ended well for so long: they die, or aren't called.

    One that never ran counts from the first run of the other.
    """
    starts = (one.since for one in standings.values() if one.since and one.since <= now)
    first_start = min(starts, default=now)
    for kind, standing in standings.items():
        ended = standing.ended_at if standing.ended_at and standing.ended_at <= now else None
        if now - (ended or first_start) > after:
            last = ended.isoformat(timespec="minutes") if ended else None
            yield Trouble(cause=Cause.SWEEP_OVERDUE, subject=kind, facts={"last": last})


def of_doubts(standings: Iterable[SweepStanding], now: datetime) -> Iterator[Trouble]:
    """Find servers of which lines may have lost messages, whichever sweep noticed."""
    lines = Counter[str]()
    for standing in standings:
        for server, doubt in gaps.add_doubts(standing.doubts, {}, now).items():
            lines[server] += doubt.lines
    for server, count in sorted(lines.items()):
        yield Trouble(cause=Cause.MESSAGES_MAY_BE_LOST, subject=server, count=count)


def looked_at(report: Report) -> frozenset[Cause]:
    """List the causes that a sweep of orphans can tell to be over: fewer if it saw only a part."""
    whole = not report.silent and not _blind(report)
    return OF_ORPHANS if whole else OF_ORPHANS - OF_WHOLE


def unclear(report: Report) -> set[str]:
    """Return incidents of servers with unreadable candidates: they may await approval."""
    return {Trouble(cause=Cause.APPROVAL_AWAITED, subject=server).id for server in report.unclear}


def of_report(report: Report) -> Iterator[Trouble]:
    """List the troubles of one sweep: what it couldn't do, and what isn't as it must be."""
    if report.brakes and (report.counts.get("held_back") or _blind(report)):
        causes = sorted({str(brake["why"]) for brake in report.brakes})
        yield Trouble(cause=Cause.SWEEP_BRAKED, subject=FLEET, facts={"why": causes})
    for server, count in sorted(report.awaited.items()):
        yield Trouble(cause=Cause.APPROVAL_AWAITED, subject=server, count=count)
    invariants = report.invariants
    lasting = {rule: count for rule, count in _by_rule(invariants) if rule not in MENDED}
    if invariants and lasting:
        facts = {"instances": invariants.instances, "rules": sorted(lasting)}
        count = sum(lasting.values())
        yield Trouble(cause=Cause.VIOLATIONS, subject=FLEET, count=count, facts=facts)


def _by_rule(found: Invariants | None) -> Iterable[tuple[Rule, int]]:
    return found.by_rule.items() if found else ()


def _blind(report: Report) -> bool:
    """Tell whether the sweep saw too little to be believed."""
    reasons = {str(brake["why"]) for brake in report.brakes}
    return bool(reasons & {"tenants_failed", "tenants_shrank", "census_shrank"})
