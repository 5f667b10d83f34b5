"""Open, close and restart the connection of an instance, and tell its state."""

import json
from http import HTTPStatus

from infra.local.simulator import ids, qr, webhook_posts
from infra.local.simulator.answers import (
    ApiRequest,
    ApiResponse,
    Json,
    bad_request,
    server_error,
    success,
)
from infra.local.simulator.state import EVOLUTION, Session, World

REMOVED: Json = {
    "data": {
        "tag": "stream:error",
        "attrs": {"code": "401"},
        "content": [{"tag": "conflict", "attrs": {"type": "device_removed"}}],
    },
    "isBoom": True,
}


async def state(world: World, request: ApiRequest) -> ApiResponse:
    """Answer the state in memory; an instance that is only in the database has none."""
    session = world.sessions.get(request.target)
    instance: Json = {"instanceName": request.target}
    if session:
        instance["state"] = reported_state(world, session)
    elif request.target not in world.rows:
        raise server_error("Cannot read properties of undefined (reading 'connectionStatus')")
    return ApiResponse(200, {"instance": instance})


async def connect(world: World, request: ApiRequest) -> ApiResponse:
    """Answer the current code, a new one if the session was closed, or the state if it is open."""
    session = _require_session(world, request)
    if session.integration == EVOLUTION or session.state == "open":
        return ApiResponse(200, {"instance": {"instanceName": session.name, "state": "open"}})
    if session.state == "close":
        _start(world, session, request.query.get("number"))
        await world.wait(5 if world.is_legacy else 2)
    return ApiResponse(200, qr.describe_code(session))


async def restart(world: World, request: ApiRequest) -> ApiResponse:
    """Close an open socket and let it reconnect; the response tells the state before."""
    session = _require_session(world, request)
    if world.is_legacy and session.state != "open":
        return await state(world, request)
    if session.state == "close":
        return ApiResponse(200, {"error": True, "message": "[object Object]"})
    if session.state == "connecting":
        return ApiResponse(200, qr.describe_code(session))
    if session.integration != EVOLUTION:
        world.background.spawn(reconnect(world, session))
    return ApiResponse(200, {"instance": {"instanceName": session.name, "state": "open"}})


async def logout(world: World, request: ApiRequest) -> ApiResponse:
    """Unpair the number; this process ignores its messages from then on."""
    session = _require_session(world, request)
    if session.state == "close" and world.version >= (2, 4):
        return success("Instance logged out")
    if session.state == "close":
        raise bad_request(f'The "{session.name}" instance is not connected')
    session.is_deaf = session.integration != EVOLUTION
    log_out(world, session)
    return success("Instance logged out")


def log_out(world: World, session: Session) -> None:
    """Close a session through the API: on the EVOLUTION channel in memory only."""
    if session.integration == EVOLUTION:
        session.state = "close"
        return
    error = _build_boom(f"Log out instance: {session.name}", {"data": None, "isBoom": True})
    close(world, session, error)


def close_removed(world: World, session: Session) -> None:
    """Close a session whose device was removed on the phone."""
    close(world, session, _build_boom("Stream Errored (conflict)", REMOVED))


def close_blocked(world: World, session: Session, code: int) -> None:
    """Close a session whose number WhatsApp blocked: with 402, 403 or 406."""
    data = {"tag": "failure", "attrs": {"reason": str(code)}}
    failure: Json = {"data": data, "isBoom": True}
    close(world, session, _build_boom("Connection Failure", failure, code), code)


def close(world: World, session: Session, error: Json, code: int = 401) -> None:
    """Close a session for good: unpair it, and post the close."""
    session.state, session.code = "close", None
    now = ids.moment()
    disconnection = {
        "disconnectionAt": now,
        "disconnectionReasonCode": code,
        "disconnectionObject": json.dumps({"error": error, "date": now}, separators=(",", ":")),
    }
    if row := world.rows.get(session.name):
        row.connection_status, row.disconnection, row.paired = "close", disconnection, False
    _post_closed(world, session, disconnection)
    world.save()


def open_up(world: World, session: Session, profile: str | None) -> None:
    """Open a session, and post under which number."""
    session.state, session.code = "open", None
    session.sockets += 1
    qr.read_webhook_base64(world, session)
    if row := world.rows.get(session.name):
        row.connection_status, row.owner_jid, row.paired = "open", session.wuid, True
        row.updated_at = ids.moment()
    profile_name = {"profileName": profile} if profile else {}
    webhook_posts.emit(world, session.name, "connection.update", {
        "instance": session.name, "wuid": session.wuid, **profile_name,
        "profilePictureUrl": None, "state": "open", "statusReason": 200,
    })  # fmt: skip
    world.save()


async def reconnect(world: World, session: Session) -> None:
    """Reconnect after a recoverable close: connecting, then open; the close itself isn't posted."""
    session.state = "connecting"
    qr.post_connecting(world, session)
    await world.wait(0.1)
    row = world.rows.get(session.name)
    if row and world.sessions.get(session.name) is session:
        open_up(world, session, row.profile_name)


def reported_state(world: World, session: Session) -> str:
    """Return the state that the session claims, which the fault `open_lies` makes `open`."""
    is_lying = world.faults.find("open_lies", session.name)
    return "open" if is_lying and session.wuid else session.state


def _start(world: World, session: Session, number: str | None) -> None:
    """Reconnect a session that is still paired; start any other with a code."""
    row = world.rows.get(session.name)
    if row and row.paired:
        world.background.spawn(reconnect(world, session))
    else:
        qr.start(world, session, number)


def _post_closed(world: World, session: Session, disconnection: Json) -> None:
    name = session.name
    webhook_posts.emit(world, name, "status.instance", {
        "instance": name, "status": "closed", **disconnection,
    })  # fmt: skip
    webhook_posts.emit(world, name, "logout.instance", None)
    webhook_posts.emit(world, name, "connection.update", {
        "instance": name, "state": "close",
        "statusReason": disconnection["disconnectionReasonCode"],
    })  # fmt: skip


def _build_boom(message: str, error: Json, code: int = 401) -> Json:
    payload = {"statusCode": code, "error": HTTPStatus(code).phrase, "message": message}
    return error | {
        "isServer": False,
        "output": {"statusCode": code, "payload": payload, "headers": {}},
    }


def _require_session(world: World, request: ApiRequest) -> Session:
    session = world.sessions.get(request.target)
    if session is None:
        raise server_error("Cannot read properties of undefined (reading 'connectionStatus')")
    return session
