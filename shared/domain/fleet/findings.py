"""What a survey finds against instances: one cause each, the gravest first."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from shared.domain import names
from shared.domain.fleet.candidates import CandidateCause, Finding
from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Instance, State
from shared.domain.names import InstanceName, LineKey
from shared.domain.tenants import Status
from shared.domain.upstream import Connection, Sighting


def find_all(
    survey: Survey, keys: dict[InstanceName, LineKey], rules: Rules, now: datetime
) -> dict[str, Finding]:
    """Find what there is against instances, by the candidate's id. `keys`: of our names."""
    findings_by_id = (
        finding
        for server, sightings in survey.seen.items()
        for sighting in sightings.values()
        if sighting.name in keys
        and (finding := find_one(survey, server, sighting, keys[sighting.name], rules, now))
    )
    return {finding.id: finding for finding in findings_by_id}


def ours(survey: Survey, prefix: str) -> dict[InstanceName, LineKey]:
    """Return the names upstream that are ours, and whose each is."""
    return dict(_ours(survey, prefix))


def _ours(survey: Survey, prefix: str) -> Iterator[tuple[InstanceName, LineKey]]:
    for sightings in survey.seen.values():
        for name in sightings:
            if key := names.line_key(prefix, name):
                yield name, key


def find_one(
    survey: Survey, server: str, sighting: Sighting, key: LineKey, rules: Rules, now: datetime
) -> Finding | None:
    """Return what there is against one instance of ours."""
    line = survey.lines.get(sighting.name)
    charge = _cause(survey, server, sighting, key, rules, now)
    if charge is None:
        return None
    own = line if line and line.server == server else None
    return Finding(
        server=server,
        name=sighting.name,
        tenant=key.tenant,
        line=key.line,
        cause=charge.cause,
        paired=_paired(sighting, own, vague=server in survey.vague),
        stranger=(server, sighting.name) in survey.strangers,
        doubtful=charge.doubtful,
        since=charge.since,
    )


class _Told(NamedTuple):
    cause: CandidateCause
    since: datetime | None = None
    doubtful: bool = False


def _cause(
    survey: Survey, server: str, sighting: Sighting, key: LineKey, rules: Rules, now: datetime
) -> _Told | None:
    line = survey.lines.get(sighting.name)
    tenant = (survey.tenants or {}).get(key.tenant)
    if {sighting.name, names.spell(key.tenant)} & survey.unreadable:
        return None
    if line is None:
        listed = tenant is not None and key.line in tenant.lines
        return None if listed else _Told(CandidateCause.ORPHAN)
    if line.state is State.RELEASING or line.leased(now):
        return None
    if line.server != server:
        return _second(survey, line)
    if tenant is None:
        return _Told(CandidateCause.TENANT_UNKNOWN)
    if tenant.status is Status.CANCELLED:
        return _Told(CandidateCause.CANCELLED, tenant.cancelled_at)
    return _unused(sighting, line, rules, now)


def _second(survey: Survey, line: Instance) -> _Told | None:
    """Find a duplicate: the line's own server carries it too. An only instance may be needed.

    Unless the line's own is connected, it is unknown which of the two is meant to be kept.
    """
    own = survey.sighting_of(line)
    if own is None:
        return None
    return _Told(CandidateCause.DUPLICATE, doubtful=own.connection is not Connection.OPEN)


def _unused(sighting: Sighting, line: Instance, rules: Rules, now: datetime) -> _Told | None:
    if sighting.connection is Connection.OPEN or line.state not in (State.CLOSED, State.PAIRING):
        return None
    if line.surely_unpaired and sighting.number is None:
        over = now - line.since > rules.unpaired_grace
        return _Told(CandidateCause.NEVER_PAIRED, line.since) if over else None
    idle = now - line.idle_since > rules.grace
    return _Told(CandidateCause.IDLE, line.idle_since) if idle else None


def _paired(sighting: Sighting, own: Instance | None, *, vague: bool) -> bool | None:
    """Tell whether it was ever paired; None if neither the server nor a record can tell."""
    if sighting.number or sighting.connection is Connection.OPEN:
        return True
    if own is not None:
        return not own.surely_unpaired
    return None if vague else False
