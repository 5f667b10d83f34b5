"""The world as a sweep sees it: tenants, lines, numbers, candidates, and every server's census."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from shared import config, log, problems, services, webhook_token
from shared.domain import names
from shared.domain.fleet.candidates import Candidate
from shared.domain.fleet.reports import Standing
from shared.domain.fleet.survey import Before, Survey
from shared.domain.instances import Instance
from shared.domain.names import InstanceName, TenantId
from shared.domain.tenants import Tenant
from shared.domain.upstream import Configuration, Sighting
from shared.evolution import dialects
from shared.store.fleet import Unreadable

MOST_LOOKS = 200
"""So many unclaimed instances are asked whose they are; of the others nobody knows it."""

Seen = dict[str, dict[InstanceName, Sighting]]

T = TypeVar("T")


async def take(standing: Standing) -> Survey:
    """Everything a plan needs. A server that doesn't answer is silent; tenants that can't be read
    are None. Raises StoreUnavailable for the rest.

    Firestore: 1 read per tenant, line, slot, number and candidate.
    """
    store, fleet = services.store(), config.settings().servers
    seen, tenants, lines, owners, candidates, seats = await asyncio.gather(
        censuses(fleet),
        _tenants(),
        _collected(store.every_line()),
        _collected(store.every_number()),
        _collected(store.every_candidate()),
        _seats(fleet),
    )
    known = {line.name: line for line in lines if isinstance(line, Instance)}
    unclear = [each.id for each in (*lines, *(tenants or ())) if isinstance(each, Unreadable)]
    unclear += [each.instance for each in candidates if isinstance(each, Unreadable)]
    return Survey(
        tenants=_by_id(tenants),
        lines=known,
        seen=seen,
        servers=frozenset(fleet),
        candidates={each.id: each for each in candidates if isinstance(each, Candidate)},
        before=_before(standing, seen_before=bool(candidates)),
        vague=vague_servers(),
        strangers=await _strangers(seen, known),
        unreadable=frozenset(unclear),
        unclear_servers=frozenset(
            each.id.partition("~")[0] for each in candidates if isinstance(each, Unreadable)
        ),
        owners=dict(owners),
        seats=seats,
    )


def vague_servers() -> frozenset[str]:
    """Those that don't tell the number of an instance that isn't connected."""
    fleet = config.settings().servers
    return frozenset(name for name, each in fleet.items() if not dialects.of(each).tells_numbers)


async def number_of(server: str, name: InstanceName) -> str | None:
    """The number that its server says it is paired with, if it says anything."""
    seen = await _census(server) or {}
    return seen[name].number if name in seen else None


async def censuses(servers: Iterable[str]) -> Seen:
    """What every server carries, all asked at once; one that doesn't answer isn't in it."""
    several = list(servers)
    answers = await asyncio.gather(*map(_census, several))
    return {server: seen for server, seen in zip(several, answers, strict=True) if seen is not None}


async def belongs_here(server: str, name: InstanceName) -> bool:
    """Its webhook goes to this deployment and carries a token that we signed, or we turned it off.

    False too when its server can't say. Another deployment may use our names on that server, and
    even our secret; an instance without a webhook may be anybody's.
    """
    try:
        found = await services.evolution(server).configuration(name)
    except problems.Problem:
        return False
    if found is None or found.webhook_url == services.evolution(server).silent_url:
        return True
    return _signed(found, name)


async def _census(server: str) -> dict[InstanceName, Sighting] | None:
    try:
        return {each.name: each async for each in services.evolution(server).census()}
    except problems.Problem as problem:
        log.refused("census.failed", server=server, problem=problem.slug())
        return None


async def _seats(servers: Iterable[str]) -> dict[str, tuple[InstanceName, ...]]:
    several = list(servers)
    slots = await asyncio.gather(*map(services.store().list_slots, several))
    return {
        server: tuple(slot.instance for slot in taken)
        for server, taken in zip(several, slots, strict=True)
    }


async def _tenants() -> list[Tenant | Unreadable] | None:
    try:
        return await _collected(services.store().every_tenant())
    except problems.StoreUnavailable as problem:
        log.refused("tenants.failed", problem=problem.slug())
        return None


def _by_id(tenants: list[Tenant | Unreadable] | None) -> dict[TenantId, Tenant] | None:
    if tenants is None:
        return None
    known = {each.tenant: each for each in tenants if isinstance(each, Tenant)}
    unclear = [names.unspell(each.id) for each in tenants if isinstance(each, Unreadable)]
    return {each: Tenant(tenant=each) for each in unclear if each} | known


def _before(standing: Standing, *, seen_before: bool) -> Before:
    """Who has candidates has looked before; if nothing is known of it, that is forgotten."""
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
    looked = unclaimed[:MOST_LOOKS]
    room = asyncio.Semaphore(8)

    async def ours(each: tuple[str, InstanceName]) -> bool:
        async with room:
            return await belongs_here(*each)

    answers = await asyncio.gather(*map(ours, looked))
    proven = {each for each, mine in zip(looked, answers, strict=True) if mine}
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
    return [each async for each in items]
