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


async def record(
    name: InstanceName, born: int, event: ConnectionEvent, at: int, now: datetime
) -> None:
    """The instance is what the event makes of it; hearing it again changes nothing.

    `born`: which instance of that name says so; what an earlier one said is over. `at`: the event's
    time on its server's clock (epoch milliseconds). Raises StoreUnavailable.
    Firestore: 1 read; 1 write if something changed, and what binding a number costs.
    """
    decide = partial(connecting.decide_event, event=event, born=born, at=at, now=now)
    known = await services.store().instance(name)
    if known is None or decide(known) is None:
        return
    if _brings_down(known, event) and await _open_after_all(known):
        log.happened("event.late", instance=name)
        return
    if changed := await services.store().change(name, decide, now, known):
        log.happened("instance.changed", instance=name, state=changed.state, reason=changed.reason)


def _brings_down(known: Instance, event: ConnectionEvent) -> bool:
    return known.state is State.OPEN and not isinstance(event, events.Opened)


async def _open_after_all(known: Instance) -> bool:
    """A line isn't taken down on hearsay: events come late, and what kept it open isn't noted.

    (Writing down every `open` that changes nothing would cost what such events must not.)
    """
    with suppress(problems.Problem):
        connection = await services.evolution(known.server).connection(known.name)
        return connection is Connection.OPEN
    return False
