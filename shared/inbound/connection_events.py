"""Record what a server reports of a line's connection."""

from contextlib import suppress
from datetime import datetime
from functools import partial

from shared import log, problems, services
from shared.domain import connecting, events
from shared.domain.events import ConnectionEvent
from shared.domain.instances import Instance, State
from shared.domain.upstream import Connection
from shared.webhook_token import WebhookIdentity

CLOSING_PAUSE = 1.0
"""Seconds in which a removed instance's socket is surely closed: 29 ms were measured."""


async def record_connection_event(
    identity: WebhookIdentity, event: ConnectionEvent, at: int, now: datetime
) -> None:
    """Move the instance to the state that the event means. Idempotent.

    An event of an earlier instance of that name, by its generation, changes nothing. `at`: the
    event's time on its server's clock (epoch milliseconds). Raises StoreUnavailable.
    Firestore: 1 read; 1 write if something changed, and what binding a number costs.
    """
    name, generation = identity
    instance = await services.store().instances.find(name)
    if instance is None or connecting.decide_event(instance, event, generation, at, now) is None:
        return
    confirmed = await _confirm(instance, event) if _brings_down(instance, event) else event
    if confirmed is None:
        log.info("event.late", instance=name)
        return
    decide = partial(connecting.decide_event, event=confirmed, born=generation, at=at, now=now)
    if updated := await services.store().instances.change(name, decide, now, instance):
        log.info("instance.changed", instance=name, state=updated.state, reason=updated.reason)


def _brings_down(instance: Instance, event: ConnectionEvent) -> bool:
    return instance.state is State.OPEN and not isinstance(event, events.Opened)


async def _confirm(instance: Instance, event: ConnectionEvent) -> ConnectionEvent | None:
    """Ask the server what an event means that takes a line down; None if the event came late.

    A line isn't taken down on hearsay: events come late, and an `open` that changes nothing isn't
    recorded. (Recording each `open` would cost a write, and there can be 40 a second.)
    A removal may be reported a moment before the socket is closed (EVOLUTION.md §3), so its look
    is repeated.
    """
    connection = await _look(instance)
    if connection is Connection.OPEN and isinstance(event, events.Removed):
        await services.pause(CLOSING_PAUSE)
        connection = await _look(instance)
    return connecting.decide_outage(event, connection)


async def _look(instance: Instance) -> Connection | None:
    """Return the socket's state on the server: None if it is gone, UNKNOWN without an answer."""
    with suppress(problems.Problem):
        return await services.evolution(instance.server).find_connection(instance.name)
    return Connection.UNKNOWN
