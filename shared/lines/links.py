"""A link for whoever has the phone: it shows how to connect one line, to one browser, for a while.

Its token is signed and names its record; the first browser that opens it gets a session in its
place, and nobody else. In an address the token stands after the `#`, which no server's log sees.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.types import Options
from pydantic import AwareDatetime, Field

from shared import config, log, problems, services, web
from shared.domain.instances import Instance, State, epoch_ms
from shared.domain.names import LineKey
from shared.domain.record import Record
from shared.lines import bring_up, entry, views
from shared.store.links import KeptLink

LINK, SESSION = "perene-link", "perene-link-session"
GOOD_FOR = timedelta(hours=24)
SESSION_LASTS = timedelta(minutes=30)
KEPT_FOR = timedelta(days=90)
"""How long it stays known who made it, and when it was opened."""

ALGORITHM = "HS256"
ID = r"[A-Za-z0-9_-]{22}"


class Link(Record):
    """Where to connect the line, until when, once."""

    url: str
    expires_at: AwareDatetime


class LinkedLine(Record):
    """A line as whoever has its link sees it; `session` for the next question."""

    label: str
    state: State
    reason: str | None = Field(default=None, description="Why it isn't simply open")
    since: AwareDatetime
    code: views.CodeView | None = None
    session: str
    expires_at: AwareDatetime = Field(description="When the session ends")


@dataclass(frozen=True)
class Opened:
    """A session of a link."""

    link: str
    key: LineKey
    made: int
    """When the line that it is about was made, in epoch milliseconds."""
    until: datetime
    is_paired: bool = False
    """That the line was connected through the link is noted already."""


async def make(key: LineKey, by: str) -> Link:
    """A new link for a line. Raises LineUnknown and the problems of tenants. 2 reads, 1 write."""
    now = services.now()
    line = await entry.known(key)
    link = KeptLink(
        id=secrets.token_urlsafe(16),
        tenant=key.tenant,
        line=key.line,
        line_made=epoch_ms(line.created_at),
        made_by=by,
        made_at=now,
        ends_at=now + GOOD_FOR,
        expires_at=now + GOOD_FOR + KEPT_FOR,
    )
    await services.store().keep_link(link)
    log.happened("link.made", instance=line.name, link=link.id, by=by)
    token = _signed(LINK, {"jti": link.id}, link.ends_at)
    url = f"{config.settings().public_url}/console/connect#{token}"
    return Link(url=url, expires_at=link.ends_at)


async def open_up(token: str) -> Opened:
    """Open a link for whoever comes first, and return the session.

    A link that can't connect its line now (the tenant is suspended) isn't spent. Raises
    LinkUnknown, LinkExpired, LinkUsed and what `entry.known` raises. Firestore: 3 reads, 1 write.
    """
    now = services.now()
    link = await _kept(_read(token, LINK))
    if link.ends_at <= now:
        raise problems.LinkExpired()
    if link.opened_at is not None:
        raise problems.LinkUsed()
    opened = _session(link, now + SESSION_LASTS)
    await _known(opened)
    if not await services.store().link_opened(link, now):
        raise problems.LinkUsed()
    log.happened("link.opened", instance=entry.name_of(opened.key), link=link.id)
    return opened


async def session_of(token: str) -> Opened:
    """Return the session that a token names. Raises LinkUnknown, LinkExpired.

    The token says which link it is of and no more: its holder can read it. Firestore: 1 read.
    """
    claims = _read(token, SESSION)
    until = datetime.fromtimestamp(claims["exp"], services.now().tzinfo)
    return _session(await _kept(claims), until)


async def _kept(claims: dict[str, Any]) -> KeptLink:
    """Return the record that a token names. Raises LinkUnknown. Firestore: 1 read."""
    name = str(claims["jti"])
    link = await services.store().link(name) if re.fullmatch(ID, name) else None
    if link is None:
        raise problems.LinkUnknown()
    return link


def _session(link: KeptLink, until: datetime) -> Opened:
    key = LineKey(link.tenant, link.line)
    return Opened(link.id, key, link.line_made, until, link.paired_at is not None)


async def connect(opened: Opened, number: str | None) -> Instance:
    """The line is being connected, or is. Raises what ensuring a line raises, and LineUnknown."""
    await _known(opened)
    return await bring_up.ensure(bring_up.Asked(opened.key, number=number, known_only=True))


async def look(opened: Opened) -> Instance:
    """The line as its record says; that it is connected is noted once. Raises LineUnknown."""
    line = await _known(opened)
    if line.state is State.OPEN and not opened.is_paired:
        await services.store().link_paired(opened.link, services.now())
    return line


async def _known(opened: Opened) -> Instance:
    """The record of the line that the link was made for, and no later one of its name."""
    line = await entry.known(opened.key)
    if epoch_ms(line.created_at) != opened.made:
        raise problems.LineUnknown()
    return line


def reply(opened: Opened, line: Instance) -> web.Reply:
    """Answer with the line, and when to ask again while there is no code to scan yet."""
    return web.Reply(view(opened, line), headers=views.when_to_ask(line, services.now()))


def view(opened: Opened, line: Instance) -> LinkedLine:
    """What may be shown: the line's label, state and code, and nothing of its tenant."""
    shown = views.line_view(line, services.now())
    return LinkedLine(
        label=shown.label,
        state=shown.state,
        reason=shown.reason,
        since=shown.since,
        code=shown.code,
        session=_signed(SESSION, {"jti": opened.link}, opened.until),
        expires_at=opened.until,
    )


def _signed(audience: str, claims: dict[str, Any], until: datetime) -> str:
    secret = config.settings().webhook_secret.get_secret_value()
    return jwt.encode({**claims, "aud": audience, "exp": until}, secret, ALGORITHM)


def _read(token: str, audience: str) -> dict[str, Any]:
    settings = config.settings()
    required: Options = {"require": ["exp", "jti"], "verify_exp": False}
    for secret in filter(None, (settings.webhook_secret, settings.webhook_secret_previous)):
        try:
            claims: dict[str, Any] = jwt.decode(
                token, secret.get_secret_value(), [ALGORITHM], required, audience=audience
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            continue
        if claims["exp"] <= services.now().timestamp():
            raise problems.LinkExpired()
        return claims
    raise problems.LinkUnknown()
