"""What happens to an instance from outside: on a phone, at WhatsApp, behind our back."""

import re

from infra.local.simulator import configuration, connection, ids, phones, qr
from infra.local.simulator.state import (
    BAILEYS,
    SETTINGS,
    Impossible,
    NotANumber,
    Row,
    Session,
    World,
)

BLOCKS = frozenset({402, 403, 406})
"""The codes with which WhatsApp ends the session of a number that it blocked."""


async def scan(world: World, name: str, number: str, profile: str) -> None:
    """A person scanned the code: the instance is open under that number."""
    number = checked(number)
    session = session_of(world, name)
    if session.state != "connecting" or session.code is None:
        raise Impossible("no_code", f"{name} shows no code: it is {session.state}")
    session.code = None
    qr.connecting(world, session)
    await world.wait(0.5)
    pair(world, session, number, profile)


async def type_code(world: World, name: str, profile: str) -> None:
    """A person typed the pairing code on the phone whose number it was asked for."""
    session = session_of(world, name)
    if session.code is None or not session.code.pairing_code:
        raise Impossible("no_pairing_code", f"{name} shows no pairing code")
    await scan(world, name, session.pairing_number or "", profile)


def checked(number: str) -> str:
    """The digits of a number with its country code."""
    digits = phones.full_number(number)
    if digits is None:
        raise NotANumber(number)
    return digits


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


async def block(world: World, name: str, code: int) -> None:
    """Let WhatsApp block the number: for a while (402), or for good (403, 406)."""
    if code not in BLOCKS:
        raise ValueError(f"code is one of {', '.join(map(str, sorted(BLOCKS)))}")
    connection.close_blocked(world, _open(world, name), code)


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
        raise Impossible("exists", f"{name} exists already")
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
        raise Impossible("no_code", f"{name} shows no code: it is {session.state}")
    qr.show_next(world, session)
    world.changed()


async def reach_qr_limit(world: World, name: str) -> None:
    """Nobody scanned any of the codes, and the session gave up."""
    session = session_of(world, name)
    if session.state != "connecting":
        raise Impossible("no_code", f"{name} shows no code: it is {session.state}")
    qr.give_up(world, session)
    world.changed()


def session_of(world: World, name: str) -> Session:
    session = world.sessions.get(name)
    if session is None:
        raise Impossible("no_instance", f"there is no instance {name}")
    return session


def _open(world: World, name: str) -> Session:
    session = session_of(world, name)
    if session.state != "open":
        raise Impossible("not_open", f"{name} is not open: it is {session.state}")
    return session
