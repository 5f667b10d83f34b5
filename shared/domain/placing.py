"""Where a line goes, and what has to be done to make it live. Decisions only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from shared.domain.instances import Code, Instance, Reason, State
from shared.domain.names import LineKey
from shared.domain.record import Kept
from shared.domain.tenants import Status, Tenant
from shared.domain.upstream import Connected, Connection, Link, NoCode, Scannable


class Capacity(Kept):
    """One server's room: how many instances it may carry and how many are reserved."""

    server: str
    limit: int
    reserved: int = 0
    accepting: bool = True

    @property
    def free(self) -> int:
        return self.limit - self.reserved


# May the caller have this line at all? -------------------------------------------------------


@dataclass(frozen=True)
class Barred:
    """The tenant may not use lines now; None: it isn't registered."""

    status: Status | None


@dataclass(frozen=True)
class TooManyLines:
    """The tenant's plan has no room for one more line."""

    max_lines: int


@dataclass(frozen=True)
class NewLine:
    """No record yet: find out whether a server carries it, reserve a slot, bring it up."""


@dataclass(frozen=True)
class Wait:
    """Another caller is changing it."""

    instance: Instance
    until: datetime


@dataclass(frozen=True)
class FinishLeaving:
    """A release or disconnect was interrupted: finish it first."""

    instance: Instance


@dataclass(frozen=True)
class TakeOver:
    """Whoever was creating it is gone: take its lease and go on."""

    instance: Instance


@dataclass(frozen=True)
class Look:
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
    """What the records say of a line that a caller wants live."""
    if barred := decide_entry(tenant, on_first_use=on_first_use):
        return barred
    if instance is None:
        known = tenant or Tenant(tenant=key.tenant)
        return NewLine() if known.has_room_for(key.line) else TooManyLines(known.max_lines)
    if instance.lease and instance.leased(now):
        return Wait(instance, instance.lease.until)
    if instance.state is State.RELEASING:
        return FinishLeaving(instance)
    if instance.state is State.CREATING:
        return TakeOver(instance)
    return Look(instance)


def decide_entry(tenant: Tenant | None, *, on_first_use: bool) -> Barred | None:
    """Whether a tenant is kept out: suspended, cancelled, or unknown where that isn't welcome."""
    if tenant is None:
        return None if on_first_use else Barred(None)
    return None if tenant.status is Status.ACTIVE else Barred(tenant.status)


def decide_server(capacities: Iterable[Capacity]) -> Capacity | None:
    """The server with most room that accepts new instances; None when all are full.

    Ties go to the first by id, so that a decision made twice is the same.
    """
    roomy = [each for each in capacities if each.accepting and each.free > 0]
    return min(roomy, key=lambda each: (-each.free, each.server), default=None)


# What has to be done upstream? ---------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """Nothing: the record is true and the caller can have it."""

    instance: Instance


@dataclass(frozen=True)
class Note:
    """Nothing, but the record is behind: it is this now."""

    instance: Instance


@dataclass(frozen=True)
class Contest:
    """It is connected with a number that was live on another line: ask whether it still is."""

    instance: Instance


@dataclass(frozen=True)
class Heal:
    """It is gone upstream: make it again, under the same name."""

    instance: Instance


@dataclass(frozen=True)
class Renew:
    """Make it again although it is there: only a new one can show what the caller wants."""

    instance: Instance


@dataclass(frozen=True)
class AskForCode:
    """It is connecting: the server says its current code at once; asking starts nothing."""

    instance: Instance


@dataclass(frozen=True)
class Reconnect:
    """It is closed: start it, and show the code that comes."""

    instance: Instance


Step = Ready | Note | Contest | Heal | Renew | AskForCode | Reconnect


def decide_step(
    instance: Instance, connection: Connection | None, now: datetime, *, by_number: bool
) -> Step:
    """What the server's answer means for a line that a caller wants live.

    `by_number`: the caller wants to type a code instead of scanning one. Evolution makes such a
    code only when a closed instance is started, and one that nobody typed spoils the next start
    (EVOLUTION.md §3, connect): both need a new instance, which loses nothing while unpaired.
    """
    if connection is None:
        return Heal(instance)
    if connection is Connection.OPEN:
        return _opened(instance, now)
    if connection is Connection.CONNECTING:
        return _connecting(instance, now, by_number=by_number)
    return Renew(instance) if instance.spoiled else Reconnect(instance)


def _opened(instance: Instance, now: datetime) -> Step:
    if instance.state is State.CONFLICT:
        return Contest(instance)
    if instance.state is State.OPEN:
        return Ready(instance)
    return Note(_open_with_some_number(instance, now))


def _open_with_some_number(instance: Instance, now: datetime) -> Instance:
    """Open, but who paired it, and with which number, is for the server's event to say (P7)."""
    return instance.moved(State.OPEN, None, now, code=None, number=None, spoiled=False)


def _connecting(instance: Instance, now: datetime, *, by_number: bool) -> Step:
    code = instance.code_at(now)
    unpaired = instance.state is not State.OPEN
    if by_number and unpaired and not (code and code.pairing_code):
        return Renew(instance)
    if code and instance.state is State.PAIRING:
        return Ready(instance)
    return AskForCode(instance)


@dataclass(frozen=True)
class Leaving:
    """It has to go upstream; the record says so first."""

    instance: Instance


def decide_leaving(instance: Instance, asked: Reason, now: datetime) -> Ready | Leaving:
    """What a release or a disconnect means for a line that nobody is changing.

    A release that has begun isn't turned into less by a disconnect.
    """
    released = instance.reason is Reason.RELEASE_ASKED
    if asked is Reason.DISCONNECT_ASKED and instance.reason is Reason.DISCONNECTED:
        return Ready(instance)
    reason = Reason.RELEASE_ASKED if released else asked
    return Leaving(instance.moved(State.RELEASING, reason, now, code=None))


def decide_found(instance: Instance, link: Link, now: datetime) -> Ready | Note:
    """What a connecting instance's current code means.

    A code that we have known until it expired is stale (EVOLUTION.md §3: it may belong to an
    earlier socket), so it isn't shown again.
    """
    match link:
        case Connected():
            return Note(_open_with_some_number(instance, now))
        case Scannable(qr=qr) if instance.code is None or instance.code.qr != qr:
            return Note(instance.showing(Code.found(link, now), now))
        case Scannable() | NoCode() if instance.state is State.OPEN:
            return Ready(instance.moved(State.CLOSED, Reason.RECONNECTING, now))
        case Scannable() | NoCode():
            return Ready(instance.moved(State.PAIRING, Reason.NO_CODE, now, code=None))
        case _ as never:
            assert_never(never)


def decide_started(instance: Instance, link: Link, now: datetime) -> Instance:
    """What a start (connect of a closed instance) made of it."""
    match link:
        case Connected():
            return _open_with_some_number(instance, now)
        case Scannable():
            return instance.showing(Code.born(link, now), now)
        case NoCode():
            return instance.moved(State.CLOSED, Reason.NO_CODE, now, code=None)
        case _ as never:
            assert_never(never)


def decide_settled(current: Instance, held: Instance, link: Link, now: datetime) -> Instance:
    """The record after its holder started it.

    Events may have reached the record since it was `held` and know better: an open line stays
    open, and a code that was pushed meanwhile is at least as new as the one the holder was shown.
    """
    heard = current.heard_at > held.heard_at
    if heard and current.state in (State.OPEN, State.CONFLICT):
        return current
    outcome = decide_started(current, link, now)
    if heard and outcome.state is State.PAIRING and current.code_at(now):
        return outcome.model_copy(update={"code": current.code})
    return outcome
