"""Serve DELETE /instance/delete: answer at once, remove once the last webhook is through."""

import asyncio

from infra.local.simulator import sessions, webhook_posts
from infra.local.simulator.answers import ApiRequest, ApiResponse, Json, server_error, success
from infra.local.simulator.state import BAILEYS, Session, World

CLEANING = 0.02
CLOSING = 0.03
"""Seconds until the socket of an open instance is closed: 29 ms measured (EVOLUTION.md §3)."""


async def delete(world: World, request: ApiRequest) -> ApiResponse:
    """Close the instance, and remove it once `remove.instance` is delivered or given up."""
    session = world.sessions.get(request.target)
    if session is None:
        raise server_error("Cannot read properties of undefined (reading 'connectionStatus')")
    if session.state != "close" and not _closes_late(world, session):
        sessions.log_out(world, session)
    webhook_posts.emit(world, session.name, "instance.delete", _describe_instance(session))
    world.background.spawn(remove(world, session.name))
    return success("Instance deleted")


async def remove(world: World, name: str, delay: float = CLEANING) -> None:
    """Remove everything of that name, whichever instance carries it by then."""
    await asyncio.sleep(delay)
    deliveries = webhook_posts.emit(world, name, "remove.instance", None)
    await _close(world, name)
    await webhook_posts.wait_until_delivered(world, deliveries)
    if world.faults.fires("delete_never_finishes", name):
        return
    if switch := world.faults.fires("late_delete", name):
        await _wait_parked(world, switch.seconds)
    world.remove(name)


def _closes_late(world: World, session: Session) -> bool:
    """Tell whether its WhatsApp socket is closed only after the removal has begun."""
    is_live = session.state == "open" and session.integration == BAILEYS
    return is_live and world.closes_after_removal


async def _close(world: World, name: str) -> None:
    """Close the socket of an instance that is being removed, if it is open still."""
    session = world.sessions.get(name)
    if session and session.state != "close":
        await asyncio.sleep(CLOSING)
        sessions.log_out(world, session)


async def _wait_parked(world: World, seconds: float) -> None:
    with world.background.parking():
        await asyncio.sleep(seconds)


def _describe_instance(session: Session) -> Json:
    return {"instanceName": session.name, "instanceId": session.id}
