"""Make QR codes, draw them, and show one after the other."""

import base64
import math
import secrets
import time
from functools import lru_cache

import segno

from infra.local.simulator import ids, webhook_posts
from infra.local.simulator.answers import Json
from infra.local.simulator.state import BAILEYS, QrCode, Session, World

LIFETIME = 45


def start(world: World, session: Session, number: str | None = None) -> None:
    """Connect the session, and show its first code unless the fault `no_code` is on."""
    session.state, session.code = "connecting", None
    session.sockets += 1
    session.pairing_number = number
    read_webhook_base64(world, session)
    if row := world.rows.get(session.name):
        row.connection_status = "connecting"
    post_connecting(world, session)
    if not world.faults.fires("no_code", session.name):
        show_next(world, session)
        _start_rotation(world, session)
    world.save()


def show_next(world: World, session: Session) -> None:
    """Show the next code, or give up when the limit is reached."""
    count = session.code.count if session.code else 0
    if count >= world.options.qr_limit:
        give_up(world, session)
        return
    session.code = QrCode(
        _draw_text(), count + 1, ids.pairing_code() if session.pairing_number else None
    )
    code = {key: value for key, value in describe_code(session).items() if key != "count"}
    webhook_posts.emit(
        world, session.name, "qrcode.updated", {"qrcode": {"instance": session.name} | code}
    )


def give_up(world: World, session: Session) -> None:
    """Stop showing codes: closed in memory, but still connecting in the database."""
    session.state, session.code = "close", None
    webhook_posts.emit(
        world,
        session.name,
        "qrcode.updated",
        {
            "message": "QR code limit reached, please login again",
            "statusCode": 500,
        },
    )
    webhook_posts.emit(
        world,
        session.name,
        "connection.update",
        {
            "instance": session.name,
            "state": "refused",
            "statusReason": 428,
        },
    )


def post_connecting(world: World, session: Session) -> None:
    """Post that the session connects."""
    webhook_posts.emit(
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
    """Read `base64` of the webhook, as Evolution does only when the socket opens."""
    row = world.rows.get(session.name)
    session.base64 = bool(row and row.webhook and row.webhook["webhookBase64"])


def describe_code(session: Session) -> Json:
    """Build the code as create and connect answer it; `count: 0` while there is none."""
    if session.code is None:
        return {"count": 0}
    code = session.code
    return {
        "pairingCode": code.pairing_code,
        "code": code.code,
        "base64": draw_picture(code.code),
        "count": code.count,
    }


def seconds_left(world: World, session: Session) -> int | None:
    """Return the seconds until the code changes; None if there is none, or it stays."""
    if session.code is None or not _does_expire(world, session):
        return None
    return math.ceil(_seconds_left(session.code))


@lru_cache(maxsize=256)
def draw_picture(code: str) -> str:
    """Draw the code as a PNG in a data URI."""
    code_image = segno.make_qr(code, error="l", boost_error=False, mask=3)
    return str(code_image.png_data_uri(scale=4, border=4))


def _draw_text() -> str:
    parts = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(3)]
    return f"2@{secrets.token_urlsafe(24)}," + ",".join(parts)


def _start_rotation(world: World, session: Session) -> None:
    if _does_expire(world, session):
        world.background.spawn(_rotate(world, session))


def _does_expire(world: World, session: Session) -> bool:
    return not world.options.quick and session.integration == BAILEYS


async def _rotate(world: World, session: Session) -> None:
    """Show a new code every 45 seconds, as long as this socket waits for a scan."""
    socket = session.sockets
    while code := session.code:
        await world.background.park(_seconds_left(code))
        if world.sessions.get(session.name) is not session or session.sockets != socket:
            return
        if session.code is code:
            show_next(world, session)
            world.save()


def _seconds_left(code: QrCode) -> float:
    return max(0.0, code.shown_at + LIFETIME - time.monotonic())
