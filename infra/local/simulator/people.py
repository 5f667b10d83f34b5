"""What happens to an instance from outside: on a phone, at WhatsApp, behind our back."""

import re

from infra.local.simulator import configuration, connection, ids, qr
from infra.local.simulator.state import BAILEYS, SETTINGS, Impossible, Row, Session, World


async def scan(world: World, name: str, number: str, profile: str) -> None:
    """A person scanned the code: the instance is open under that number."""
    session = session_of(world, name)
    if session.state != "connecting" or session.code is None:
        raise Impossible(f"{name} shows no code: it is {session.state}")
    session.code = None
    qr.connecting(world, session)
    await world.wait(0.5)
    pair(world, session, number, profile)


def pair(world: World, session: Session, number: str, profile: str | None) -> None:
    """The session is open under that number; its profile's name is learned a little later."""
    session.wuid = f"{re.sub(r'[^0-9]', '', number)}@s.whatsapp.net"
    connection.open_up(world, session, None)
    if row := world.rows.get(session.name):
        row.profile_name = profile
    world.changed()


async def unpair(world: World, name: str) -> None:
    """A person removed the device on the phone: closed with a 401."""
    connection.close_removed(world, _open(world, name))


async def drop(world: World, name: str, back: bool) -> None:
    """The connection broke and came back by itself, or stays away: only memory knows then."""
    session = _open(world, name)
    if back:
        await connection.come_back(world, session)
    else:
        session.state = "close"


async def storm(world: World, name: str, times: int) -> None:
    """WhatsApp refuses connections: one `connecting` after the other, then open again."""
    session = _open(world, name)
    for _ in range(times):
        qr.connecting(world, session)
    await connection.come_back(world, session)


async def vanish(world: World, name: str) -> None:
    """The instance is gone without a trace and without a webhook."""
    session_of(world, name)
    world.forget(name)


async def plant(world: World, name: str, number: str | None, opened: bool) -> None:
    """An instance that somebody else made is there."""
    if world.knows(name):
        raise Impossible(f"{name} exists already")
    session = Session(name, ids.uuid(), ids.token(), BAILEYS)
    row = Row(name, session.id, session.token, BAILEYS, number)
    row.setting = configuration.new_setting(row.id, SETTINGS)
    world.rows[name], world.sessions[name] = row, session
    if opened:
        pair(world, session, number or "5511900000001", None)
    world.changed()


async def expire_code(world: World, name: str) -> None:
    """45 seconds passed: the next code is shown."""
    session = session_of(world, name)
    if session.state != "connecting":
        raise Impossible(f"{name} shows no code: it is {session.state}")
    qr.show_next(world, session)
    world.changed()


async def reach_qr_limit(world: World, name: str) -> None:
    """Nobody scanned any of the codes, and the session gave up."""
    session = session_of(world, name)
    if session.state != "connecting":
        raise Impossible(f"{name} shows no code: it is {session.state}")
    qr.give_up(world, session)
    world.changed()


def session_of(world: World, name: str) -> Session:
    session = world.sessions.get(name)
    if session is None:
        raise Impossible(f"there is no instance {name}")
    return session


def _open(world: World, name: str) -> Session:
    session = session_of(world, name)
    if session.state != "open":
        raise Impossible(f"{name} is not open: it is {session.state}")
    return session
