"""Show a line as its tenant sees it."""

from datetime import datetime

from pydantic import AwareDatetime, Field

from shared import web
from shared.domain.instances import Code, Instance, Reason, State
from shared.domain.names import InstanceName, LineId
from shared.domain.positions import Position
from shared.domain.record import Record

ASK_AGAIN_SECONDS = 2
SETTLED = (State.OPEN, State.CLOSED, State.CONFLICT, State.MISSING)


class CodeText(Record):
    """A code without its picture, until it expires."""

    qr: str = Field(description="The raw content of the QR code")
    pairing_code: str | None = Field(default=None, description="To type instead of scanning")
    expires_at: AwareDatetime


class CodeView(CodeText):
    """A code to scan, or to type on the phone, until it expires."""

    png: str = Field(description="The QR code as a picture: a data URI")


class LineView(Record):
    """A line: how connected it is, since when and why, and the code to scan if there is one."""

    line: LineId
    label: str
    instance: InstanceName
    state: State
    since: AwareDatetime
    reason: Reason | None = Field(default=None, description="Why it isn't simply open")
    number: str | None = Field(default=None, description="The phone number that it is paired with")
    last_number: str | None = Field(
        default=None, description="The number it was last connected with, also after a disconnect"
    )
    server: str = Field(description="The server that carries it")
    restricted_since: AwareDatetime | None = Field(
        default=None, description="Since when WhatsApp lets it write to no new contacts"
    )
    media_awaited: int | None = Field(
        default=None, description="Files that have to be stored before the line can be removed"
    )
    code: CodeView | None = None
    last_message_at: Position | None = Field(
        default=None, description="Epoch milliseconds of the newest message, if asked for"
    )
    conversations_today: int | None = Field(
        default=None, description="Conversations with a message since midnight, if asked for"
    )


def line_view(instance: Instance, now: datetime) -> LineView:
    """Return the view of an instance; a code that has expired is never in it."""
    code = instance.code_at(now)
    return LineView(
        line=instance.line,
        label=instance.label,
        instance=instance.name,
        state=instance.state,
        since=instance.since,
        reason=instance.reason,
        number=instance.number,
        last_number=instance.number or instance.last_number,
        server=instance.server,
        restricted_since=instance.restricted_since if instance.restricted(now) else None,
        media_awaited=instance.media_awaited or None,
        code=_code_view(code) if code else None,
    )


def reply(instance: Instance, now: datetime) -> web.Reply:
    """Reply 200 with the line; 202 while it is being made or removed.

    With `Retry-After` then, and while there is no code to scan yet.
    """
    under_way = instance.state in (State.CREATING, State.RELEASING) or instance.leased(now)
    headers = retry_header(instance, now)
    return web.Reply(line_view(instance, now), 202 if headers and under_way else 200, headers)


def retry_header(instance: Instance, now: datetime) -> dict[str, str]:
    """Return the header that says when to ask again; none if nothing is waited for."""
    if instance.code_at(now) or (instance.state in SETTLED and not instance.leased(now)):
        return {}
    return {"retry-after": str(ASK_AGAIN_SECONDS)}


def _code_view(code: Code) -> CodeView:
    return CodeView(
        qr=code.qr, png=code.png, pairing_code=code.pairing_code, expires_at=code.expires_at
    )
