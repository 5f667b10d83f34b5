"""QR codes: the text WhatsApp would have a phone scan, its picture, and how they follow on."""

import base64
import math
import secrets
import time
from functools import lru_cache

import segno

from infra.local.simulator import ids, webhooks
from infra.local.simulator.answers import Json
from infra.local.simulator.state import BAILEYS, Code, Session, World

LIFETIME = 45


def start(world: World, session: Session, number: str | None = None) -> None:
    """The session connects and shows its first code, if one comes."""
    session.state, session.code = "connecting", None
    session.sockets += 1
    session.pairing_number = number
    read_webhook_base64(world, session)
    if row := world.rows.get(session.name):
        row.connection_status = "connecting"
    connecting(world, session)
    if not world.faults.fires("no_code", session.name):
        show_next(world, session)
        _keep_showing(world, session)
    world.changed()


def show_next(world: World, session: Session) -> None:
    """The next code is shown, or the limit is reached and the session gives up."""
    count = session.code.count if session.code else 0
    if count >= world.options.qr_limit:
        give_up(world, session)
        return
    session.code = Code(_text(), count + 1, ids.pairing_code() if session.pairing_number else None)
    shown = {key: value for key, value in shape(session).items() if key != "count"}
    webhooks.emit(
        world, session.name, "qrcode.updated", {"qrcode": {"instance": session.name} | shown}
    )


def give_up(world: World, session: Session) -> None:
    """Nobody scanned: closed in memory, still connecting in the database, until asked again."""
    session.state, session.code = "close", None
    webhooks.emit(
        world,
        session.name,
        "qrcode.updated",
        {
            "message": "QR code limit reached, please login again",
            "statusCode": 500,
        },
    )
    webhooks.emit(
        world,
        session.name,
        "connection.update",
        {
            "instance": session.name,
            "state": "refused",
            "statusReason": 428,
        },
    )


def connecting(world: World, session: Session) -> None:
    """The world is told that the session connects."""
    webhooks.emit(
        world,
        session.name,
        "connection.update",
        {
            "instance": session.name,
            "state": "connecting",
            "statusReason": 200,
        },
    )


def read_webhook_base64(world: World, session: Session) -> None:
    """`base64` of the webhook is read when the socket opens, and only then."""
    row = world.rows.get(session.name)
    session.base64 = bool(row and row.webhook and row.webhook["webhookBase64"])


def shape(session: Session) -> Json:
    """The code as create and connect answer it; `count: 0` while none came."""
    if session.code is None:
        return {"count": 0}
    code = session.code
    return {
        "pairingCode": code.pairing_code,
        "code": code.code,
        "base64": picture(code.code),
        "count": code.count,
    }


def seconds_left(world: World, session: Session) -> int | None:
    """How long the code is still shown; None if there is none, or it stays."""
    if session.code is None or not _expires(world, session):
        return None
    return math.ceil(_left(session.code))


@lru_cache(maxsize=256)
def picture(code: str) -> str:
    """The code as a PNG in a data URI."""
    drawn = segno.make_qr(code, error="l", boost_error=False, mask=3)
    return str(drawn.png_data_uri(scale=4, border=4))


def _text() -> str:
    parts = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(3)]
    return f"2@{secrets.token_urlsafe(24)}," + ",".join(parts)


def _keep_showing(world: World, session: Session) -> None:
    if _expires(world, session):
        world.background.spawn(_show_more(world, session))


def _expires(world: World, session: Session) -> bool:
    return not world.options.quick and session.integration == BAILEYS


async def _show_more(world: World, session: Session) -> None:
    """A new code every 45 seconds, as long as this socket waits for somebody to scan."""
    socket = session.sockets
    while code := session.code:
        await world.background.rest(_left(code))
        if world.sessions.get(session.name) is not session or session.sockets != socket:
            return
        if session.code is code:
            show_next(world, session)
            world.changed()


def _left(code: Code) -> float:
    return max(0.0, code.shown_at + LIFETIME - time.monotonic())
