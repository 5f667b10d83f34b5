"""How events and numbers move an instance from state to state. Decisions only."""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct

from shared.domain import events
from shared.domain.events import ConnectionEvent
from shared.domain.instances import Code, Instance, Reason, State, epoch_ms
from shared.domain.upstream import Connection

LONGEST_RETRY_MS = 35 * 60 * 1000
"""No event comes later than this (EVOLUTION.md §4, delivery: 10 attempts in 20 – 27 minutes)."""

FURTHEST_AHEAD = timedelta(hours=15)
"""How far a server's clock can be ahead: `date_time` is its wall clock, called UTC (§4)."""


def decide_event(
    instance: Instance, event: ConnectionEvent, born: int, at: int, now: datetime
) -> Instance | None:
    """Return the instance after an event, or None when nothing changed.

    `at` is the event's own time on its server's clock (epoch milliseconds): an event that is
    older than the newest one that changed something arrives too late to say anything, unless it
    is older than any retry: then the server's clock was set back, and it is news. What a release
    or a disconnect has begun, no event undoes; nor does an earlier instance (`born`) say anything.
    A removal is final, so it is never late; a close that its server tells after it isn't news.
    """
    at = min(at, epoch_ms(now + FURTHEST_AHEAD))
    late = _late(instance, at)
    if born != instance.born or _leaving(instance) or _closes_what_is_gone(instance, event):
        return None
    if late and not isinstance(event, events.Removed):
        return None
    updated = _decide_state(instance, event, now)
    if updated is None or updated == instance:
        return None
    return updated.model_copy(update={"heard_at": instance.heard_at if late else at})


def decide_outage(event: ConnectionEvent, seen: Connection | None) -> ConnectionEvent | None:
    """Say what an event that takes a line down means, once its server was asked; None: nothing.

    `seen` is what the server says of the socket. None: it carries no such instance, whatever the
    event calls that. UNKNOWN: no look was possible, so the event is believed.
    """
    if seen is Connection.OPEN:
        return None
    return events.Removed() if seen is None else event


def _decide_state(instance: Instance, event: ConnectionEvent, now: datetime) -> Instance | None:
    match event:
        case events.Opened(number):
            change = {"code": None, "number": number or instance.number, "spoiled": False}
            return instance.with_state(State.OPEN, None, now, **change)
        case events.LoggedOut():
            return instance.with_state(State.CLOSED, Reason.LOGGED_OUT, now, code=None)
        case events.Banned():
            return instance.with_state(State.CLOSED, Reason.BANNED, now, code=None)
        case events.ConnectionLost():
            return instance.with_state(State.CLOSED, Reason.CONNECTION_LOST, now, code=None)
        case events.CodeShown(shown):
            current_code = instance.code if instance.code and instance.code.qr == shown.qr else None
            return instance.showing(current_code or Code.begin(shown, now), now)
        case events.CodesExhausted():
            return instance.with_state(State.CLOSED, Reason.QR_LIMIT, now, code=None)
        case events.Removed():
            return instance.with_state(State.MISSING, Reason.VANISHED, now, code=None)
        case _ as never:
            assert_never(never)


class Bind(Struct, frozen=True):
    """The number becomes (or stays) this line's; `free` is the number it had before, if any."""

    instance: Instance
    free: str | None


class Conflict(Struct, frozen=True):
    """The number is live on another line: the owner stays, the newcomer is refused."""

    instance: Instance


def decide_number(
    before: Instance, opened: Instance, owner: Instance | None, now: datetime
) -> Bind | Conflict:
    """Decide whose a number is when a line opened with it (P11).

    `owner` is the instance that the number belonged to until now, if any. One that isn't live
    with it any more gives way: a person may move a number from line to line.
    """
    if owner and owner.name != opened.name and _live_with(opened.number, owner):
        changes = {"number": opened.number, "heard_at": opened.heard_at, "code": None}
        return Conflict(before.with_state(State.CONFLICT, Reason.NUMBER_IN_USE, now, **changes))
    another = before.claimed != opened.number
    claim = {"claimed": opened.number, "claimed_at": now if another else opened.claimed_at}
    bound = opened.model_copy(update=claim)
    return Bind(bound, free=before.claimed if another else None)


def _live_with(number: str | None, owner: Instance) -> bool:
    """Tell whether the owner may have the number: one unreported since it opened may be kept."""
    return owner.state is State.OPEN and owner.number in (number, None)


def _late(instance: Instance, at: int) -> bool:
    return 0 < instance.heard_at - at <= LONGEST_RETRY_MS


def _closes_what_is_gone(instance: Instance, event: ConnectionEvent) -> bool:
    """Tell whether it closes what is gone: up to 2.3.6 a server closes a socket that late (§3)."""
    closing = events.LoggedOut | events.Banned | events.ConnectionLost | events.CodesExhausted
    return instance.state is State.MISSING and isinstance(event, closing)


def _leaving(instance: Instance) -> bool:
    return instance.state is State.RELEASING or instance.reason is Reason.DISCONNECTED
