"""What a server told us of a line's connection is recorded."""

from contextlib import suppress
from datetime import datetime
from functools import partial

from shared import log, problems, services
from shared.domain import connecting, events
from shared.domain.events import ConnectionEvent
from shared.domain.instances import Instance, State
from shared.domain.names import InstanceName
from shared.domain.upstream import Connection

CLOSING_PAUSE = 1.0
"""Seconds in which a removed instance's socket is surely closed: 29 ms were measured."""


async def record(
    name: InstanceName, born: int, event: ConnectionEvent, at: int, now: datetime
) -> None:
    """The instance is what the event makes of it; hearing it again changes nothing.

    `born`: which instance of that name says so; what an earlier one said is over. `at`: the event's
    time on its server's clock (epoch milliseconds). Raises StoreUnavailable.
    Firestore: 1 read; 1 write if something changed, and what binding a number costs.
    """
    known = await services.store().instance(name)
    if known is None or connecting.decide_event(known, event, born, at, now) is None:
        return
    meant = await _confirmed(known, event) if _brings_down(known, event) else event
    if meant is None:
        log.happened("event.late", instance=name)
        return
    decide = partial(connecting.decide_event, event=meant, born=born, at=at, now=now)
    if changed := await services.store().change(name, decide, now, known):
        log.happened("instance.changed", instance=name, state=changed.state, reason=changed.reason)


def _brings_down(known: Instance, event: ConnectionEvent) -> bool:
    return known.state is State.OPEN and not isinstance(event, events.Opened)


async def _confirmed(known: Instance, event: ConnectionEvent) -> ConnectionEvent | None:
    """Ask the server what an event means that takes a line down; None: it came late.

    A line isn't taken down on hearsay: events come late, and what kept it open isn't noted.
    (Writing down every `open` that changes nothing would cost what such events must not.)
    A removal may be told a moment before the socket is closed (EVOLUTION.md §3), so its look is
    repeated.
    """
    seen = await _seen(known)
    if seen is Connection.OPEN and isinstance(event, events.Removed):
        await services.pause(CLOSING_PAUSE)
        seen = await _seen(known)
    return connecting.decide_outage(event, seen)


async def _seen(known: Instance) -> Connection | None:
    """Return what the server says of the socket: None if it is gone, UNKNOWN if nobody can tell."""
    with suppress(problems.Problem):
        return await services.evolution(known.server).connection(known.name)
    return Connection.UNKNOWN
