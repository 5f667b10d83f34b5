"""DELETE /instance/delete: answers at once, removes once its last webhook is done with."""

import asyncio

from infra.local.simulator import connection, webhooks
from infra.local.simulator.answers import Answer, Ask, Json, crashed, success
from infra.local.simulator.state import BAILEYS, Session, World

CLEANING = 0.02
CLOSING = 0.03
"""Until the socket of an open instance is closed: 29 ms were measured (EVOLUTION.md §3)."""


async def delete(world: World, ask: Ask) -> Answer:
    """The instance is closed, and will be gone when `remove.instance` was delivered or given up."""
    session = world.sessions.get(ask.target)
    if session is None:
        raise crashed("Cannot read properties of undefined (reading 'connectionStatus')")
    if session.state != "close" and not _closes_late(world, session):
        connection.log_out(world, session)
    webhooks.emit(world, session.name, "instance.delete", _named(session))
    world.background.spawn(remove(world, session.name))
    return success("Instance deleted")


async def remove(world: World, name: str, takes: float = CLEANING) -> None:
    """Nothing of that name is left, whichever instance carries it by then."""
    await asyncio.sleep(takes)
    told = webhooks.emit(world, name, "remove.instance", None)
    await _close(world, name)
    await webhooks.delivered(world, told)
    if world.faults.fires("delete_never_finishes", name):
        return
    if late := world.faults.fires("late_delete", name):
        await _late(world, late.seconds)
    world.forget(name)


def _closes_late(world: World, session: Session) -> bool:
    """Tell whether its WhatsApp socket is closed only after the removal has begun."""
    live = session.state == "open" and session.integration == BAILEYS
    return live and world.closes_after_removal


async def _close(world: World, name: str) -> None:
    """Close the socket of an instance that is being removed, if it is open still."""
    session = world.sessions.get(name)
    if session and session.state != "close":
        await asyncio.sleep(CLOSING)
        connection.log_out(world, session)


async def _late(world: World, seconds: float) -> None:
    with world.background.parked():
        await asyncio.sleep(seconds)


def _named(session: Session) -> Json:
    return {"instanceName": session.name, "instanceId": session.id}
