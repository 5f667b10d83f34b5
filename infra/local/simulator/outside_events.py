"""Act on an instance from outside: on a phone, at WhatsApp, or behind Perene's back."""

import re

from infra.local.simulator import ids, instance_settings, phones, qr, sessions
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
"""Codes with which WhatsApp ends the session of a number that it blocked."""


async def scan(world: World, name: str, number: str, profile: str) -> None:
    """Scan the code: open the instance under that number."""
    number = require_number(number)
    session = require_session(world, name)
    if session.state != "connecting" or session.code is None:
        raise Impossible("no_code", f"{name} shows no code: it is {session.state}")
    session.code = None
    qr.post_connecting(world, session)
    await world.wait(0.5)
    pair(world, session, number, profile)


async def type_code(world: World, name: str, profile: str) -> None:
    """Type the pairing code on the phone whose number it was made for."""
    session = require_session(world, name)
    if session.code is None or not session.code.pairing_code:
        raise Impossible("no_pairing_code", f"{name} shows no pairing code")
    await scan(world, name, session.pairing_number or "", profile)


def require_number(number: str) -> str:
    """Return the digits of a number with its country code. Raises NotANumber."""
    digits = phones.digits_of(number)
    if digits is None:
        raise NotANumber(number)
    return digits


def pair(world: World, session: Session, number: str, profile: str | None) -> None:
    """Open the session under that number; its profile name comes after the webhook."""
    session.wuid = f"{re.sub(r'[^0-9]', '', number)}@s.whatsapp.net"
    sessions.open_up(world, session, None)
    if row := world.rows.get(session.name):
        row.profile_name = profile
    world.save()


async def unpair(world: World, name: str) -> None:
    """Remove the device on the phone: the session closes with a 401."""
    sessions.close_removed(world, _require_open(world, name))


async def block(world: World, name: str, code: int) -> None:
    """Let WhatsApp block the number: for a while (402), or for good (403, 406)."""
    if code not in BLOCKS:
        raise ValueError(f"code is one of {', '.join(map(str, sorted(BLOCKS)))}")
    sessions.close_blocked(world, _require_open(world, name), code)


async def drop(world: World, name: str, back: bool) -> None:
    """Break the connection; without `back` it stays broken, and only memory knows it."""
    session = _require_open(world, name)
    if back:
        await sessions.reconnect(world, session)
    else:
        session.state = "close"


async def storm(world: World, name: str, times: int) -> None:
    """Let WhatsApp refuse connections: post `connecting` that many times, then open again."""
    session = _require_open(world, name)
    for _ in range(times):
        qr.post_connecting(world, session)
    await sessions.reconnect(world, session)


async def vanish(world: World, name: str) -> None:
    """Remove the instance without a trace and without a webhook."""
    require_session(world, name)
    world.remove(name)


async def plant(world: World, name: str, number: str | None, is_open: bool) -> None:
    """Add an instance that Perene didn't create."""
    if world.has_instance(name):
        raise Impossible("exists", f"{name} exists already")
    session = Session(name, ids.uuid(), ids.token(), BAILEYS)
    row = Row(name, session.id, session.token, BAILEYS, number)
    row.setting = instance_settings.new_setting(row.id, SETTINGS)
    world.rows[name], world.sessions[name] = row, session
    if is_open:
        pair(world, session, number or "5511900000001", None)
    world.save()


async def expire_code(world: World, name: str) -> None:
    """Expire the code, as after 45 seconds: the next one is shown."""
    session = _require_connecting(world, name)
    qr.show_next(world, session)
    world.save()


async def reach_qr_limit(world: World, name: str) -> None:
    """Let the session give up, as after codes that were never scanned."""
    session = _require_connecting(world, name)
    qr.give_up(world, session)
    world.save()


def require_session(world: World, name: str) -> Session:
    session = world.sessions.get(name)
    if session is None:
        raise Impossible("no_instance", f"there is no instance {name}")
    return session


def _require_connecting(world: World, name: str) -> Session:
    session = require_session(world, name)
    if session.state != "connecting":
        raise Impossible("no_code", f"{name} shows no code: it is {session.state}")
    return session


def _require_open(world: World, name: str) -> Session:
    session = require_session(world, name)
    if session.state != "open":
        raise Impossible("not_open", f"{name} is not open: it is {session.state}")
    return session
