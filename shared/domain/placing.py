"""Whether a tenant may have a line, and where it goes. Decisions only."""

import itertools
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Annotated, Any

from msgspec import Struct
from pydantic import BeforeValidator

from shared.domain.instances import Instance, State
from shared.domain.names import LineKey
from shared.domain.record import Record
from shared.domain.tenants import Status, Tenant


def _whether(value: Any) -> Any:
    """Read a setting written by hand: true if it is missing, false for any value but true."""
    return True if value is None else value is True


class Capacity(Record):
    """One server's room: how many instances it may carry and how many of its slots are taken."""

    server: str
    limit: int
    reserved: int = 0
    accepting: Annotated[bool, BeforeValidator(_whether)] = True

    @property
    def free(self) -> int:
        return self.limit - self.reserved


# May the caller have this line at all? -------------------------------------------------------


class Barred(Struct, frozen=True):
    """The tenant may not use lines now; None: it isn't registered."""

    status: Status | None


class TooManyLines(Struct, frozen=True):
    """The tenant's plan has no room for one more line."""

    max_lines: int


class NewLine(Struct, frozen=True):
    """No record yet: find out whether a server carries it, take a slot, bring it up."""


class Wait(Struct, frozen=True):
    """Another caller is changing it."""

    instance: Instance
    until: datetime


class FinishLeaving(Struct, frozen=True):
    """A release or disconnect was interrupted: finish it first."""

    instance: Instance


class TakeOver(Struct, frozen=True):
    """The caller that was creating it is gone: take its lease and go on."""

    instance: Instance


class Look(Struct, frozen=True):
    """It should be there: ask its server how connected it is."""

    instance: Instance


Place = Barred | TooManyLines | NewLine | Wait | FinishLeaving | TakeOver | Look


def decide_place(
    tenant: Tenant | None,
    instance: Instance | None,
    key: LineKey,
    now: datetime,
    *,
    on_first_use: bool,
) -> Place:
    """Decide what the records say of a line that a caller wants live."""
    if barred := decide_entry(tenant, on_first_use=on_first_use):
        return barred
    if instance is None:
        current = tenant or Tenant(tenant=key.tenant)
        return NewLine() if current.has_room_for(key.line) else TooManyLines(current.max_lines)
    if instance.lease and instance.leased(now):
        return Wait(instance, instance.lease.until)
    if instance.state is State.RELEASING:
        return FinishLeaving(instance)
    if instance.state is State.CREATING:
        return TakeOver(instance)
    return Look(instance)


def decide_entry(tenant: Tenant | None, *, on_first_use: bool) -> Barred | None:
    """Return why a tenant is kept out: suspended, cancelled, or unknown where it must be known."""
    if tenant is None:
        return None if on_first_use else Barred(None)
    return None if tenant.status is Status.ACTIVE else Barred(tenant.status)


def decide_server(capacities: Iterable[Capacity]) -> Capacity | None:
    """Return the server with most room that accepts new instances; None when all are full.

    Ties go to the first by id, so that a decision made twice is the same.
    """
    roomy = find_roomy(capacities)
    return min(roomy, key=lambda each: (-each.free, each.server), default=None)


def find_roomy(capacities: Iterable[Capacity]) -> list[Capacity]:
    """Find the servers that accept new instances and have room for one."""
    return [capacity for capacity in capacities if capacity.accepting and capacity.free > 0]


def free_slots(taken: Collection[int], room: int) -> list[int]:
    """List the lowest free numbers of a server's slots, as many as there is room for.

    `room`: the limit without all slots that are taken, those at or beyond the limit too. A caller
    decides by what was true a moment ago finds its numbers free or taken: as long as all take one
    of these, no number of callers can outgrow the limit, not even one that was lowered.
    """
    free = (number for number in itertools.count() if number not in taken)
    return list(itertools.islice(free, max(room, 0)))
