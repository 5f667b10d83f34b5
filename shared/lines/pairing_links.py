"""Give out links with which a person who has the phone connects one line, once, for a while.

A link's token is signed and names its record; the first browser that opens the link gets a session
in its place, and no other does. In an address the token stands after the `#`, which no server's log
sees.
"""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.types import Options
from msgspec import Struct
from pydantic import AwareDatetime, Field

from shared import config, log, problems, services, web
from shared.domain.instances import Instance, State, epoch_ms
from shared.domain.names import LineKey
from shared.domain.record import Record
from shared.lines import access, line_views
from shared.store.link_records import KeptLink

LINK, SESSION = "perene-link", "perene-link-session"
GOOD_FOR = timedelta(hours=24)
SESSION_LASTS = timedelta(minutes=30)
KEPT_FOR = timedelta(days=90)
"""How long after its end a link's record says who made it, and when it was opened."""

ALGORITHM = "HS256"
ID = r"[A-Za-z0-9_-]{22}"


class Link(Record):
    """The address where the line can be connected, once, and until when."""

    url: str
    expires_at: AwareDatetime


class LinkedLine(Record):
    """A line as the holder of its link sees it; `session` is for the next request."""

    label: str
    state: State
    reason: str | None = Field(default=None, description="Why it isn't simply open")
    since: AwareDatetime
    code: line_views.CodeView | None = None
    session: str
    expires_at: AwareDatetime = Field(description="When the session ends")


class LinkSession(Struct, frozen=True):
    """The session of an opened link.

    `line_made`: when its line was made (epoch milliseconds); a later line of that name is another.
    `is_paired`: it is recorded already that the line was connected through the link.
    """

    link: str
    key: LineKey
    line_made: int
    until: datetime
    is_paired: bool = False


async def create_link(key: LineKey, by: str) -> Link:
    """Create a link for a line. Raises LineUnknown and the problems of tenants.

    Firestore: 2 reads, 1 write.
    """
    now = services.now()
    instance = await access.require_instance(key)
    link = KeptLink(
        id=secrets.token_urlsafe(16),
        tenant=key.tenant,
        line=key.line,
        line_made=epoch_ms(instance.created_at),
        made_by=by,
        made_at=now,
        ends_at=now + GOOD_FOR,
        expires_at=now + GOOD_FOR + KEPT_FOR,
    )
    await services.store().pairing_links.store(link)
    log.info("link.made", instance=instance.name, link=link.id, by=by)
    token = _sign(LINK, {"jti": link.id}, link.ends_at)
    url = f"{config.settings().public_url}/console/connect#{token}"
    return Link(url=url, expires_at=link.ends_at)


async def open_link(token: str) -> LinkSession:
    """Open a link for the first caller that comes, and return the session.

    A link that can't connect its line now (the tenant is suspended) isn't used up. Raises
    LinkUnknown, LinkExpired, LinkUsed and what `access.require_instance` raises.
    Firestore: 3 reads, 1 write.
    """
    now = services.now()
    link = await _require_link(_read_token(token, LINK))
    if link.ends_at <= now:
        raise problems.LinkExpired()
    if link.opened_at is not None:
        raise problems.LinkUsed()
    session = _session(link, now + SESSION_LASTS)
    await _require_instance(session)
    if not await services.store().pairing_links.open(link, now):
        raise problems.LinkUsed()
    log.info("link.opened", instance=access.instance_name(session.key), link=link.id)
    return session


async def read_session(token: str) -> LinkSession:
    """Return the session that a token names. Raises LinkUnknown, LinkExpired.

    The token names only its link: its holder can read it. Firestore: 1 read.
    """
    claims = _read_token(token, SESSION)
    until = datetime.fromtimestamp(claims["exp"], services.now().tzinfo)
    return _session(await _require_link(claims), until)


async def _require_link(claims: dict[str, Any]) -> KeptLink:
    """Return the record that a token names. Raises LinkUnknown. Firestore: 1 read."""
    link_id = str(claims["jti"])
    link = await services.store().pairing_links.find(link_id) if re.fullmatch(ID, link_id) else None
    if link is None:
        raise problems.LinkUnknown()
    return link


def _session(link: KeptLink, until: datetime) -> LinkSession:
    key = LineKey(link.tenant, link.line)
    return LinkSession(link.id, key, link.line_made, until, link.paired_at is not None)


async def connect_line(session: LinkSession, number: str | None) -> Instance:
    """Connect the link's line. Raises LineUnknown and what ensuring a line raises."""
    from shared.lines import ensure  # most requests of a link only look

    await _require_instance(session)
    request = ensure.EnsureRequest(session.key, number=number, existing_only=True)
    return await ensure.ensure_line(request)


async def read_line(session: LinkSession) -> Instance:
    """Return the link's line; once it is connected, record that. Raises LineUnknown."""
    instance = await _require_instance(session)
    if instance.state is State.OPEN and not session.is_paired:
        await services.store().pairing_links.record_pairing(session.link, services.now())
    return instance


async def _require_instance(session: LinkSession) -> Instance:
    """Return the instance of the line that the link was made for, and no later line's."""
    instance = await access.require_instance(session.key)
    if epoch_ms(instance.created_at) != session.line_made:
        raise problems.LineUnknown()
    return instance


def build_reply(session: LinkSession, instance: Instance) -> web.Reply:
    """Reply with the line, and when to ask again while there is no code to scan yet."""
    headers = line_views.retry_header(instance, services.now())
    return web.Reply(_linked_line(session, instance), headers=headers)


def _linked_line(session: LinkSession, instance: Instance) -> LinkedLine:
    """Return the line's label, state and code, and nothing of its tenant."""
    view = line_views.line_view(instance, services.now())
    return LinkedLine(
        label=view.label,
        state=view.state,
        reason=view.reason,
        since=view.since,
        code=view.code,
        session=_sign(SESSION, {"jti": session.link}, session.until),
        expires_at=session.until,
    )


def _sign(audience: str, claims: dict[str, Any], until: datetime) -> str:
    secret = config.settings().webhook_secret.get_secret_value()
    return jwt.encode({**claims, "aud": audience, "exp": until}, secret, ALGORITHM)


def _read_token(token: str, audience: str) -> dict[str, Any]:
    """Return the claims of a token that we signed. Raises LinkUnknown, LinkExpired."""
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
