"""What a server posts to us, understood: a tagged union on the wire, one meaning each."""

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from shared.domain import events
from shared.domain.events import Event
from shared.domain.record import Record
from shared.domain.upstream import Scannable

LOGGED_OUT = frozenset({401, 402, 403, 406})
"""The reasons after which a server doesn't reconnect by itself (EVOLUTION.md §3, states)."""


def _or_none(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """A time that can't be read doesn't hide what happened."""
    try:
        return validate(value)
    except ValidationError:
        return None


class Wire(Record):
    """The envelope of every event (EVOLUTION.md §4); `data` differs."""

    event: str
    instance: str
    date_time: Annotated[AwareDatetime | None, WrapValidator(_or_none)] = None
    sender: str | None = None

    def meaning(self) -> Event:
        """What it says, in our words."""
        return events.Ignored(f"no use for {self.event}")

    def at(self, received: datetime) -> int:
        """When the server says it happened: epoch milliseconds of its own clock."""
        return int((self.date_time or received).timestamp() * 1000)


class _State(Record):
    state: str
    status_reason: int | None = Field(default=None, alias="statusReason")
    wuid: str | None = None


class ConnectionUpdate(Wire):
    """The socket changed."""

    event: Literal["connection.update"]
    data: _State

    def meaning(self) -> Event:
        match self.data.state:
            case "open":
                return events.Opened(_number(self.data.wuid or self.sender))
            case "close" if self.data.status_reason in LOGGED_OUT:
                return events.LoggedOut()
            case "close":
                return events.ConnectionLost()
            case "refused":
                return events.CodesExhausted()
            case "connecting":
                return events.Ignored("connecting says nothing for sure")
            case _:
                return events.Ignored("unknown state")


class _Qr(Record):
    code: str
    base64: str
    pairing_code: str | None = Field(default=None, alias="pairingCode")


class _QrData(Record):
    qrcode: _Qr | None = None


class QrcodeUpdated(Wire):
    """There is another code to scan, or there won't be one."""

    event: Literal["qrcode.updated"]
    data: _QrData

    def meaning(self) -> Event:
        qr = self.data.qrcode
        if qr is None:
            return events.CodesExhausted()
        return events.CodeShown(Scannable(qr.code, qr.base64, qr.pairing_code))


class RemoveInstance(Wire):
    """The instance was removed upstream."""

    event: Literal["remove.instance"]

    def meaning(self) -> Event:
        return events.Removed()


def _tag(value: Any) -> str:
    event = value.get("event") if isinstance(value, dict) else None
    return event if isinstance(event, str) and event in _UNDERSTOOD else "other"


_UNDERSTOOD = frozenset({"connection.update", "qrcode.updated", "remove.instance"})
_WEBHOOK: TypeAdapter[Wire] = TypeAdapter(
    Annotated[
        Annotated[ConnectionUpdate, Tag("connection.update")]
        | Annotated[QrcodeUpdated, Tag("qrcode.updated")]
        | Annotated[RemoveInstance, Tag("remove.instance")]
        | Annotated[Wire, Tag("other")],
        Discriminator(_tag),
    ]
)


def read(body: bytes) -> Wire | None:
    """The webhook in a request's body; None if it isn't one."""
    try:
        return _WEBHOOK.validate_python(json.loads(body))
    except (ValidationError, ValueError, RecursionError):
        return None


def _number(jid: str | None) -> str | None:
    """The digits of `5511999990001:12@s.whatsapp.net`; None for anything but a phone's address."""
    user, _, host = (jid or "").partition("@")
    digits = user.partition(":")[0]
    return digits if host == "s.whatsapp.net" and re.fullmatch("[0-9]{5,20}", digits) else None
