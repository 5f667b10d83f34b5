"""The world as a sweep sees it: tenants, lines, numbers, candidates, and every server's census."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from shared import config, log, problems, services, webhook_token
from shared.domain import names
from shared.domain.fleet.candidates import Candidate
from shared.domain.fleet.reports import SweepStanding
from shared.domain.fleet.survey import Before, Survey
from shared.domain.instances import Instance
from shared.domain.names import InstanceName, TenantId
from shared.domain.tenants import Tenant
from shared.domain.upstream import Configuration, Sighting
from shared.evolution.capabilities import find_capabilities
from shared.store.base import UnreadableRecord

MOST_LOOKS = 200
"""So many unclaimed instances are asked whose they are; of the others it stays unknown."""

Seen = dict[str, dict[InstanceName, Sighting]]

T = TypeVar("T")


async def take(standing: SweepStanding) -> Survey:
    """Survey all that a plan needs.

    A server that doesn't answer is silent; tenants that can't be read are None. Raises
    StoreUnavailable for the rest. Firestore: 1 read per tenant, line, slot, number and candidate.
    """
    store, fleet = services.store(), config.settings().servers
    sightings, tenants, lines, owners, candidates, seats = await asyncio.gather(
        censuses(fleet),
        _tenants(),
        _collected(store.instances.iterate()),
        _collected(store.numbers.iterate()),
        _collected(store.candidates.iterate()),
        _seats(fleet),
    )
    readable = {line.name: line for line in lines if isinstance(line, Instance)}
    records = (*lines, *(tenants or ()))
    unclear = [record.id for record in records if isinstance(record, UnreadableRecord)]
    unclear += [record.instance for record in candidates if isinstance(record, UnreadableRecord)]
    return Survey(
        tenants=_by_id(tenants),
        lines=readable,
        seen=sightings,
        servers=frozenset(fleet),
        candidates={
            candidate.id: candidate for candidate in candidates if isinstance(candidate, Candidate)
        },
        before=_before(standing, seen_before=bool(candidates)),
        vague=vague_servers(),
        strangers=await _strangers(sightings, readable),
        unreadable=frozenset(unclear),
        unclear_servers=frozenset(
            record.id.partition("~")[0]
            for record in candidates
            if isinstance(record, UnreadableRecord)
        ),
        owners=dict(owners),
        seats=seats,
    )


def vague_servers() -> frozenset[str]:
    """List the servers that don't tell the number of an instance that isn't connected."""
    fleet = config.settings().servers
    return frozenset(
        name
        for name, server in fleet.items()
        if not find_capabilities(server.version).tells_numbers
    )


async def number_of(server: str, name: InstanceName) -> str | None:
    """Return the number that its server says it is paired with, if it says anything."""
    sightings = await _census(server) or {}
    return sightings[name].number if name in sightings else None


async def censuses(servers: Iterable[str]) -> Seen:
    """Ask all servers at once what they carry; one that doesn't answer isn't in the result."""
    several = list(servers)
    answers = await asyncio.gather(*map(_census, several))
    return {
        server: census
        for server, census in zip(several, answers, strict=True)
        if census is not None
    }


async def belongs_here(server: str, name: InstanceName) -> bool:
    """Tell whether its webhook comes to us with a token that we signed, or we turned it off.

    False too when its server can't say. Another deployment may use our names on that server, and
    even our secret; an instance without a webhook may be another deployment's.
    """
    try:
        configuration = await services.evolution(server).find_configuration(name)
    except problems.Problem:
        return False
    if configuration is None or configuration.webhook_url == services.evolution(server).silent_url:
        return True
    return _signed(configuration, name)


async def _census(server: str) -> dict[InstanceName, Sighting] | None:
    try:
        return {
            sighting.name: sighting async for sighting in services.evolution(server).take_census()
        }
    except problems.Problem as problem:
        log.notice("census.failed", server=server, problem=problem.slug())
        return None


async def _seats(servers: Iterable[str]) -> dict[str, tuple[InstanceName, ...]]:
    several = list(servers)
    slots = await asyncio.gather(*map(services.store().servers.list_slots, several))
    return {
        server: tuple(slot.instance for slot in server_slots)
        for server, server_slots in zip(several, slots, strict=True)
    }


async def _tenants() -> list[Tenant | UnreadableRecord] | None:
    try:
        return await _collected(services.store().tenants.iterate())
    except problems.StoreUnavailable as problem:
        log.notice("tenants.failed", problem=problem.slug())
        return None


def _by_id(tenants: list[Tenant | UnreadableRecord] | None) -> dict[TenantId, Tenant] | None:
    if tenants is None:
        return None
    tenants_by_id = {record.tenant: record for record in tenants if isinstance(record, Tenant)}
    unclear = [
        names.unspell(record.id) for record in tenants if isinstance(record, UnreadableRecord)
    ]
    return {record: Tenant(tenant=record) for record in unclear if record} | tenants_by_id


def _before(standing: SweepStanding, *, seen_before: bool) -> Before:
    """Return what to compare with; candidates without a standing mean that it was lost."""
    if standing.accept_next:
        return Before()
    nothing = standing.ended_at is None and not standing.tenants
    forgotten = standing.forgotten or (nothing and seen_before)
    return Before(standing.tenants, standing.living, standing.carried, forgotten)


async def _strangers(
    seen: Seen, lines: dict[InstanceName, Instance]
) -> frozenset[tuple[str, InstanceName]]:
    prefix = config.settings().instance_prefix
    unclaimed = sorted(
        (server, name)
        for server, carried in seen.items()
        for name in carried
        if names.line_key(prefix, name) and not _claimed(lines.get(name), server)
    )
    asked_about = unclaimed[:MOST_LOOKS]
    room = asyncio.Semaphore(8)

    async def ours(place: tuple[str, InstanceName]) -> bool:
        async with room:
            return await belongs_here(*place)

    answers = await asyncio.gather(*map(ours, asked_about))
    proven = {place for place, mine in zip(asked_about, answers, strict=True) if mine}
    return frozenset(unclaimed) - proven


def _claimed(line: Instance | None, server: str) -> bool:
    return line is not None and line.server == server


def _signed(found: Configuration, name: InstanceName) -> bool:
    here = f"{config.settings().public_url}/webhook"
    headers = {field.lower(): value for field, value in found.webhook_headers.items()}
    in_path = found.webhook_url.rpartition("/")[2]
    if found.webhook_url not in (here, f"{here}/{in_path}"):
        return False
    token = headers.get(webhook_token.HEADER, in_path)
    try:
        return webhook_token.verify(token).name == name
    except problems.WebhookForged:
        return False


async def _collected(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]
