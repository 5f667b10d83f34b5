"""Make an instance upstream and start it, under its line's lease."""

from contextlib import suppress
from functools import partial
from typing import NoReturn

from shared import log, problems, services
from shared.domain import steps
from shared.domain.instances import Instance, Reason
from shared.domain.names import InstanceName
from shared.domain.upstream import (
    Configuration,
    Connected,
    Created,
    Creation,
    Doubtful,
    NameInUse,
    Refused,
)
from shared.evolution.client import Evolution
from shared.lines import leases
from shared.lines.configuration import configuration_of
from shared.lines.leases import Work

CREATE_TURNS = 3
CREATION_EVENTS = {
    Created: "instance.created",
    NameInUse: "instance.adopted",
    Refused: "instance.refused",
    Doubtful: "instance.doubtful",
}
APPEARANCE_PAUSES = (0.3, 0.7, 1.0, 2.0)
"""How long we look for an instance after a create that nobody answered (seconds)."""


async def make_and_start(held: Instance, number: str | None) -> Instance | None:
    """The held line's instance is upstream, configured and started.

    The record, with its lease if a create may still be running; None: others changed it.
    """
    async with leases.at_work(held) as work:
        if not await _make(work):
            return work.held
        mark = configuration(work.held).mark
        work.held = work.held.model_copy(update={"configured": mark})
        return await _start(work, number)


async def start(held: Instance, number: str | None) -> Instance | None:
    """The held line's closed instance is connecting; None: it is gone, or others changed it."""
    async with leases.at_work(held) as work:
        return await _start(work, number)


async def ask_number(held: Instance) -> Instance | None:
    """An open instance connects again, so that its server tells by which number it is paired."""
    async with leases.at_work(held) as work:
        await services.evolution(held.server).restart(held.name)
    return await services.store().settle(work.held, Instance.freed)


def configuration(held: Instance) -> Configuration:
    """How we want it to be configured. Raises ServerUnknown."""
    server = services.server(held.server)
    return configuration_of(server, held.name, held.born)


async def _make(work: Work) -> bool:
    """It is upstream, configured as we want it: looked at, whatever a create answered.

    False: a create may still be running, and what it made isn't there (any more).
    """
    evolution = services.evolution(work.held.server)
    for _ in range(CREATE_TURNS):
        if await _configured(evolution, work.held):
            return True
        if work.doubtful:
            return False
        await work.go_on()
        creation = await evolution.create(work.held.name, configuration(work.held))
        _tell(work.held, creation)
        if isinstance(creation, Refused):
            await _refused(work.held, creation)
        work.doubtful = isinstance(creation, Doubtful) and not creation.over
        if work.doubtful and not await _appeared(evolution, work.held.name):
            return False
    if await _configured(evolution, work.held):
        return True
    raise problems.EvolutionFailed("The instance could not be made.")


async def _start(work: Work, number: str | None) -> Instance | None:
    await work.go_on()
    held, evolution = work.held, services.evolution(work.held.server)
    link = await evolution.connect(held.name, number)
    if link is None and work.doubtful:
        return held
    if link is None:
        await _vanished(held)
        return None
    now = services.now()
    if isinstance(link, Connected):
        with suppress(problems.Problem):
            await evolution.restart(held.name)
    decide = partial(steps.decide_settled, held=held, link=link, now=now)
    return await services.store().settle(held, decide)


async def _vanished(held: Instance) -> None:
    log.happened("instance.missing", instance=held.name, server=held.server)
    await services.store().settle(held, Instance.freed)


def _tell(held: Instance, creation: Creation) -> None:
    why = {"why": creation.why} if isinstance(creation, Doubtful | Refused) else {}
    log.happened(CREATION_EVENTS[type(creation)], instance=held.name, server=held.server, **why)


async def _configured(evolution: Evolution, held: Instance) -> bool:
    there = await evolution.connection(held.name) is not None
    return there and await evolution.configure(held.name, configuration(held))


async def _appeared(evolution: Evolution, name: InstanceName) -> bool:
    for seconds in APPEARANCE_PAUSES:
        await services.pause(seconds)
        with suppress(problems.Problem):
            if await evolution.connection(name) is not None:
                return True
    return False


async def _refused(held: Instance, refusal: Refused) -> NoReturn:
    """Asking again won't help, so a new line keeps no slot."""
    if held.reason is Reason.NEW:
        await services.store().release(held)
    if refusal.full:
        raise problems.MaximumInstancesReached(refusal.why)
    raise problems.EvolutionRefused(refusal.why)
