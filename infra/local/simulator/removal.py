"""DELETE /instance/delete: answers at once, removes once its last webhook is done with."""

import asyncio

from infra.local.simulator import connection, webhooks
from infra.local.simulator.answers import Answer, Ask, Json, crashed, success
from infra.local.simulator.state import Session, World

CLEANING = 0.02


async def delete(world: World, ask: Ask) -> Answer:
    """The instance is closed, and will be gone when `remove.instance` was delivered or given up."""
    session = world.sessions.get(ask.target)
    if session is None:
        raise crashed("Cannot read properties of undefined (reading 'connectionStatus')")
    if session.state != "close":
        connection.log_out(world, session)
    webhooks.emit(world, session.name, "instance.delete", _named(session))
    world.background.spawn(remove(world, session.name))
    return success("Instance deleted")


async def remove(world: World, name: str, takes: float = CLEANING) -> None:
    """Nothing of that name is left, whichever instance carries it by then."""
    await asyncio.sleep(takes)
    await webhooks.delivered(world, webhooks.emit(world, name, "remove.instance", None))
    if world.faults.fires("delete_never_finishes", name):
        return
    if late := world.faults.fires("late_delete", name):
        await _late(world, late.seconds)
    world.forget(name)


async def _late(world: World, seconds: float) -> None:
    with world.background.parked():
        await asyncio.sleep(seconds)


def _named(session: Session) -> Json:
    return {"instanceName": session.name, "instanceId": session.id}
