"""Compare the clients of a single-tenant set-up with the instances that servers carry.

Decisions only. Such a set-up names an instance after its client, by the same rule as Perene names
that of a tenant's line `default`, so an instance of that name is the tenant's own.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.domain import names
from shared.domain.instances import Instance, State
from shared.domain.names import DEFAULT_LINE, InstanceName, LineKey, TenantId
from shared.domain.tenants import Status
from shared.domain.upstream import Connection, Sighting
from shared.tenant_feed import Row

SEPARATORS = "_-.~ "
"""Any of them stands between a client's name and what a careless create added to it."""

LEAST_OF_ID = 8
"""So many letters of an id are taken for it if no other id begins with them, as in a short UUID."""


class Place(NamedTuple):
    """An instance on a server, as the server's census tells."""

    server: str
    sighting: Sighting

    @property
    def name(self) -> InstanceName:
        return self.sighting.name

    @property
    def is_open(self) -> bool:
        return self.sighting.connection is Connection.OPEN


@dataclass(frozen=True)
class SetUp:
    """What there is before a move: the table, and all instances of all servers.

    `lines` are Perene's records by name. `owners` says whose an instance is, as the old set-up's
    own configuration does.
    """

    rows: Sequence[Row]
    places: Sequence[Place]
    lines: Mapping[InstanceName, Instance]
    owners: Mapping[str, TenantId]
    prefix: str

    def own_name(self, tenant: TenantId) -> InstanceName:
        """Return the name of the instance that Perene gives the tenant's line `default`."""
        return names.instance_name(self.prefix, LineKey(tenant, DEFAULT_LINE))

    def is_adopted(self, tenant: TenantId) -> bool:
        """Tell whether the tenant has its line; one whose making was interrupted doesn't count."""
        line = self.lines.get(self.own_name(tenant))
        return line is not None and line.state is not State.CREATING


@dataclass(frozen=True)
class AdoptionPlan:
    """What becomes of every tenant of the table, and of every instance.

    `adoptable`: active tenants whose own instance is there, and not yet a line of theirs;
    `adopted`: those who have a line. `barred`: there, but the tenant isn't active. `absent`:
    active tenants without an instance of their name. `duplicates`: further instances of a tenant.
    `orphans` have a name like ours and are no tenant's, `foreign` have another name.
    `contested`: tenants whose own instances share a live number.
    """

    adoptable: Mapping[TenantId, Place]
    adopted: Sequence[TenantId]
    barred: Mapping[TenantId, Place]
    absent: Sequence[TenantId]
    duplicates: Mapping[TenantId, Sequence[Place]]
    orphans: Sequence[Place]
    foreign: Sequence[Place]
    contested: Sequence[Sequence[TenantId]]


def plan_adoption(setup: SetUp) -> AdoptionPlan:
    """Decide who is adopted, and name what can't be."""
    own = _find_own_places(setup)
    active = [row.id for row in setup.rows if row.status is Status.ACTIVE]
    adopted = [tenant for tenant in active if setup.is_adopted(tenant)]
    waiting = [tenant for tenant in active if not setup.is_adopted(tenant)]
    inactive = [row.id for row in setup.rows if row.status is not Status.ACTIVE]
    duplicates, strays = _divide_others(setup, own)
    return AdoptionPlan(
        adoptable={tenant: own[tenant] for tenant in waiting if tenant in own},
        adopted=adopted,
        barred={tenant: own[tenant] for tenant in inactive if tenant in own},
        absent=[tenant for tenant in waiting if tenant not in own],
        duplicates=duplicates,
        orphans=[place for place in strays if place.name.startswith(setup.prefix)],
        foreign=[place for place in strays if not place.name.startswith(setup.prefix)],
        contested=_find_contested(own),
    )


def list_faults(setup: SetUp) -> list[str]:
    """List the active tenants whose line and own instance don't agree, each with the reason."""
    own = _find_own_places(setup)
    faults = []
    for row in setup.rows:
        line = setup.lines.get(setup.own_name(row.id))
        if row.status is Status.ACTIVE and (why := _find_fault(own.get(row.id), line)):
            faults.append(f"{row.id}: {why}")
    return faults


def _find_fault(place: Place | None, line: Instance | None) -> str | None:
    if line is None:
        return "it isn't adopted" if place else None
    if place is None:
        return f"its instance is gone from {line.server}"
    if place.server != line.server:
        return f"its line is on {line.server}, and its instance on {place.server}"
    if place.is_open != (line.state in (State.OPEN, State.CONFLICT)):
        return f"its instance is {place.sighting.connection}, and its line {line.state}"
    return None


def _find_own_places(setup: SetUp) -> dict[TenantId, Place]:
    """Find each tenant's own instance: where its line is, else where it is open, else the first."""
    by_name = defaultdict(list)
    for place in setup.places:
        by_name[place.name].append(place)
    own = {}
    for row in setup.rows:
        name = setup.own_name(row.id)
        line = setup.lines.get(name)
        if copies := by_name.get(name):
            own[row.id] = min(
                copies,
                key=lambda copy: (line is None or copy.server != line.server, not copy.is_open),
            )
    return own


def _divide_others(
    setup: SetUp, own: Mapping[TenantId, Place]
) -> tuple[dict[TenantId, list[Place]], list[Place]]:
    """Divide the instances that aren't a tenant's own into those of a tenant and strays."""
    by_number = {place.sighting.number: tenant for tenant, place in own.items()}
    by_number.pop(None, None)
    duplicates: dict[TenantId, list[Place]] = defaultdict(list)
    strays: list[Place] = []
    own_places = set(own.values())
    own_names = {setup.own_name(row.id): row.id for row in setup.rows}
    for place in setup.places:
        line = setup.lines.get(place.name)
        if place in own_places or (line and line.server == place.server):
            continue
        tenant = _find_owner(setup, own_names, place) or by_number.get(place.sighting.number)
        (duplicates[tenant] if tenant else strays).append(place)
    return dict(duplicates), strays


def _find_owner(
    setup: SetUp, own_names: Mapping[InstanceName, TenantId], place: Place
) -> TenantId | None:
    """Return the tenant whose instance it is by the old configuration, or by its name."""
    if tenant := setup.owners.get(place.name):
        return tenant
    ends = [at for at, letter in enumerate(place.name) if letter in SEPARATORS]
    for end in (len(place.name), *reversed(ends)):
        if tenant := own_names.get(InstanceName(place.name[:end])):
            return tenant
    part = place.name.removeprefix(setup.prefix)
    if part == place.name or len(part) < LEAST_OF_ID:
        return None
    tenants = [row.id for row in setup.rows if row.id.startswith(part)]
    return tenants[0] if len(tenants) == 1 else None


def _find_contested(own: Mapping[TenantId, Place]) -> list[list[TenantId]]:
    holders: dict[str, list[TenantId]] = defaultdict(list)
    for tenant, place in own.items():
        if place.is_open and place.sighting.number:
            holders[place.sighting.number].append(tenant)
    return [tenants for tenants in holders.values() if len(tenants) > 1]
