"""The connection of one instance: its state, and how it opens, closes and comes back."""

import json
from http import HTTPStatus

from infra.local.simulator import ids, qr, webhooks
from infra.local.simulator.answers import Answer, Ask, Json, bad_request, crashed, success
from infra.local.simulator.state import EVOLUTION, Session, World

REMOVED: Json = {
    "data": {
        "tag": "stream:error",
        "attrs": {"code": "401"},
        "content": [{"tag": "conflict", "attrs": {"type": "device_removed"}}],
    },
    "isBoom": True,
}


async def state(world: World, ask: Ask) -> Answer:
    """What memory says; an instance that is only in the database has no state."""
    session = world.sessions.get(ask.target)
    instance: Json = {"instanceName": ask.target}
    if session:
        instance["state"] = seen_state(world, session)
    elif ask.target not in world.rows:
        raise crashed("Cannot read properties of undefined (reading 'connectionStatus')")
    return Answer(200, {"instance": instance})


async def connect(world: World, ask: Ask) -> Answer:
    """The current code, a new one if it was closed, or the state if it is open."""
    session = _session(world, ask)
    if session.integration == EVOLUTION or session.state == "open":
        return Answer(200, {"instance": {"instanceName": session.name, "state": "open"}})
    if session.state == "close":
        _start(world, session, ask.query.get("number"))
        await world.wait(5 if world.legacy else 2)
    return Answer(200, qr.shape(session))


async def restart(world: World, ask: Ask) -> Answer:
    """An open socket is closed and comes back; the answer is that of before."""
    session = _session(world, ask)
    if world.legacy and session.state != "open":
        return await state(world, ask)
    if session.state == "close":
        return Answer(200, {"error": True, "message": "[object Object]"})
    if session.state == "connecting":
        return Answer(200, qr.shape(session))
    if session.integration != EVOLUTION:
        world.background.spawn(come_back(world, session))
    return Answer(200, {"instance": {"instanceName": session.name, "state": "open"}})


async def logout(world: World, ask: Ask) -> Answer:
    """The number is unpaired, and this process will not hear its messages again."""
    session = _session(world, ask)
    if session.state == "close" and world.version >= (2, 4):
        return success("Instance logged out")
    if session.state == "close":
        raise bad_request(f'The "{session.name}" instance is not connected')
    session.deaf = session.integration != EVOLUTION
    log_out(world, session)
    return success("Instance logged out")


def log_out(world: World, session: Session) -> None:
    """Closed by the API: on the EVOLUTION channel in memory only."""
    if session.integration == EVOLUTION:
        session.state = "close"
        return
    error = _boom(f"Log out instance: {session.name}", {"data": None, "isBoom": True})
    close(world, session, error)


def close_removed(world: World, session: Session) -> None:
    """Closed because a person removed the device on the phone."""
    close(world, session, _boom("Stream Errored (conflict)", REMOVED))


def close_blocked(world: World, session: Session, code: int) -> None:
    """Close a session whose number WhatsApp blocked: with 402, 403 or 406."""
    data = {"tag": "failure", "attrs": {"reason": str(code)}}
    failure: Json = {"data": data, "isBoom": True}
    close(world, session, _boom("Connection Failure", failure, code), code)


def close(world: World, session: Session, error: Json, code: int = 401) -> None:
    """Closed for good: unpaired, and everybody is told."""
    session.state, session.code = "close", None
    now = ids.moment()
    disconnection = {
        "disconnectionAt": now,
        "disconnectionReasonCode": code,
        "disconnectionObject": json.dumps({"error": error, "date": now}, separators=(",", ":")),
    }
    if row := world.rows.get(session.name):
        row.connection_status, row.disconnection, row.paired = "close", disconnection, False
    _tell_closed(world, session, disconnection)
    world.changed()


def open_up(world: World, session: Session, profile: str | None) -> None:
    """Open, and the world is told under which number."""
    session.state, session.code = "open", None
    session.sockets += 1
    qr.read_webhook_base64(world, session)
    if row := world.rows.get(session.name):
        row.connection_status, row.owner_jid, row.paired = "open", session.wuid, True
        row.updated_at = ids.moment()
    named = {"profileName": profile} if profile else {}
    webhooks.emit(world, session.name, "connection.update", {
        "instance": session.name, "wuid": session.wuid, **named,
        "profilePictureUrl": None, "state": "open", "statusReason": 200,
    })  # fmt: skip
    world.changed()


async def come_back(world: World, session: Session) -> None:
    """A recoverable close: connecting, then open again, and nobody hears of the close."""
    session.state = "connecting"
    qr.connecting(world, session)
    await world.wait(0.1)
    row = world.rows.get(session.name)
    if row and world.sessions.get(session.name) is session:
        open_up(world, session, row.profile_name)


def seen_state(world: World, session: Session) -> str:
    """The state it claims to be in."""
    lies = world.faults.find("open_lies", session.name)
    return "open" if lies and session.wuid else session.state


def _start(world: World, session: Session, number: str | None) -> None:
    """One that is still paired logs in, any other shows a code."""
    row = world.rows.get(session.name)
    if row and row.paired:
        world.background.spawn(come_back(world, session))
    else:
        qr.start(world, session, number)


def _tell_closed(world: World, session: Session, disconnection: Json) -> None:
    name = session.name
    webhooks.emit(world, name, "status.instance", {
        "instance": name, "status": "closed", **disconnection,
    })  # fmt: skip
    webhooks.emit(world, name, "logout.instance", None)
    webhooks.emit(world, name, "connection.update", {
        "instance": name, "state": "close",
        "statusReason": disconnection["disconnectionReasonCode"],
    })  # fmt: skip


def _boom(message: str, error: Json, code: int = 401) -> Json:
    payload = {"statusCode": code, "error": HTTPStatus(code).phrase, "message": message}
    return error | {
        "isServer": False,
        "output": {"statusCode": code, "payload": payload, "headers": {}},
    }


def _session(world: World, ask: Ask) -> Session:
    session = world.sessions.get(ask.target)
    if session is None:
        raise crashed("Cannot read properties of undefined (reading 'connectionStatus')")
    return session
