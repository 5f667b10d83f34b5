"""Make an instance upstream and start it, under its line's lease."""

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NoReturn

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
from shared.lines import leases
from shared.lines.configuration import build_configuration
from shared.lines.leases import Work

if TYPE_CHECKING:
    from shared.evolution.client import Evolution

CREATE_TURNS = 3
CREATION_EVENTS = {
    Created: "instance.created",
    NameInUse: "instance.adopted",
    Refused: "instance.refused",
    Doubtful: "instance.doubtful",
}
APPEARANCE_PAUSES = (0.3, 0.7, 1.0, 2.0)
"""Seconds before each look for an instance after a create that was not answered."""


async def create_and_start(leased: Instance, number: str | None) -> Instance | None:
    """Make the leased line's instance exist upstream, configured and started.

    Return the record, with its lease if a create may still be running; None if others changed it.
    Raises MaximumInstancesReached, EvolutionRefused, EvolutionFailed, LineBusy, and the problems of
    the server.
    """
    async with leases.hold_lease(leased) as work:
        if not await _ensure_exists(work):
            return work.instance
        fingerprint = wanted_configuration(work.instance).mark
        work.instance = work.instance.model_copy(update={"configured": fingerprint})
        return await _start(work, number)


async def start_instance(leased: Instance, number: str | None) -> Instance | None:
    """Connect the leased line's closed instance; None if it is gone, or others changed the record.

    Raises the problems of the server.
    """
    async with leases.hold_lease(leased) as work:
        return await _start(work, number)


async def learn_number(leased: Instance) -> Instance | None:
    """Restart an open instance, so that its server tells by which number it is paired."""
    async with leases.hold_lease(leased) as work:
        await services.evolution(leased.server).restart_instance(leased.name)
    return await services.store().instances.release_lease(work.instance, Instance.freed)


def wanted_configuration(instance: Instance) -> Configuration:
    """Return how we want an instance to be configured. Raises ServerUnknown."""
    server = services.server(instance.server)
    return build_configuration(server, instance.name, instance.born)


async def _ensure_exists(work: Work) -> bool:
    """Create the instance, and look until it exists, configured as we want it.

    A look decides, whatever a create answered. Return False if a create may still be running and
    the instance doesn't exist (or not any more).
    """
    evolution = services.evolution(work.instance.server)
    for _ in range(CREATE_TURNS):
        if await _configure_existing(evolution, work.instance):
            return True
        if work.doubtful:
            return False
        await work.extend_lease()
        configuration = wanted_configuration(work.instance)
        creation = await evolution.create_instance(work.instance.name, configuration)
        _log_creation(work.instance, creation)
        if isinstance(creation, Refused):
            await _give_up(work.instance, creation)
        work.doubtful = isinstance(creation, Doubtful) and not creation.over
        if work.doubtful and not await _await_appearance(evolution, work.instance.name):
            return False
    if await _configure_existing(evolution, work.instance):
        return True
    raise problems.EvolutionFailed("The instance could not be made.")


async def _start(work: Work, number: str | None) -> Instance | None:
    await work.extend_lease()
    instance, evolution = work.instance, services.evolution(work.instance.server)
    link = await evolution.connect_instance(instance.name, number)
    if link is None and work.doubtful:
        return instance
    if link is None:
        await _free_missing(instance)
        return None
    now = services.now()
    if isinstance(link, Connected):
        with suppress(problems.Problem):
            await evolution.restart_instance(instance.name)
    decide = partial(steps.decide_settled, held=instance, link=link, now=now)
    return await services.store().instances.release_lease(instance, decide)


async def _free_missing(leased: Instance) -> None:
    log.info("instance.missing", instance=leased.name, server=leased.server)
    await services.store().instances.release_lease(leased, Instance.freed)


def _log_creation(instance: Instance, creation: Creation) -> None:
    why = {"why": creation.why} if isinstance(creation, Doubtful | Refused) else {}
    event = CREATION_EVENTS[type(creation)]
    log.info(event, instance=instance.name, server=instance.server, **why)


async def _configure_existing(evolution: "Evolution", instance: Instance) -> bool:
    exists = await evolution.find_connection(instance.name) is not None
    return exists and await evolution.configure_instance(
        instance.name, wanted_configuration(instance)
    )


async def _await_appearance(evolution: "Evolution", name: InstanceName) -> bool:
    for seconds in APPEARANCE_PAUSES:
        await services.pause(seconds)
        with suppress(problems.Problem):
            if await evolution.find_connection(name) is not None:
                return True
    return False


async def _give_up(leased: Instance, refusal: Refused) -> NoReturn:
    """Raise why a create was refused. Asking again won't help, so a new line keeps no slot."""
    if leased.reason is Reason.NEW:
        await services.store().instances.release(leased)
    if refusal.full:
        raise problems.MaximumInstancesReached(refusal.why)
    raise problems.EvolutionRefused(refusal.why)
