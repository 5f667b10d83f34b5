"""Read what became of an instance's connection (EVOLUTION.md §3, states; §4)."""

from pydantic import Field, ValidationError

from shared.domain import events
from shared.domain.events import Event
from shared.domain.record import Record
from shared.domain.upstream import Scannable
from shared.evolution.addresses import read_own_number
from shared.evolution.events.payload import EventPayload, Events

LOGGED_OUT = 401
BANNED = frozenset({402, 403, 406})
"""With `LOGGED_OUT`, the reasons after which a server doesn't reconnect by itself (EVOLUTION.md §3,
states): 402 is a ban for a while, 403 a locked account or one without its phone, 406 a ban."""


class _State(Record):
    state: str
    status_reason: int | None = Field(default=None, alias="statusReason")
    wuid: str | None = None


class _Qr(Record):
    code: str
    base64: str
    pairing_code: str | None = Field(default=None, alias="pairingCode")


class _QrData(Record):
    qrcode: _Qr | None = None


def read_connection(payload: EventPayload) -> Events:
    """Read `connection.update`: the socket changed."""
    try:
        state = _State.model_validate(payload.data)
    except ValidationError:
        return (events.Unreadable("a connection without a state"),)
    return (_read_state(state, payload.own_number),)


def read_code(payload: EventPayload) -> Events:
    """Read `qrcode.updated`: there is another code to scan, or there won't be one."""
    try:
        qr = _QrData.model_validate(payload.data).qrcode
    except ValidationError:
        return (events.Unreadable("a code that can't be shown"),)
    if qr is None:
        return (events.CodesExhausted(),)
    return (events.CodeShown(Scannable(qr.code, qr.base64, qr.pairing_code)),)


def read_removal(_: EventPayload) -> Events:
    """Read `remove.instance`: the instance was removed upstream."""
    return (events.Removed(),)


def _read_state(state: _State, own_number: str | None) -> Event:
    match state.state:
        case "open":
            return events.Opened(read_own_number(state.wuid) if state.wuid else own_number)
        case "close" if state.status_reason == LOGGED_OUT:
            return events.LoggedOut()
        case "close" if state.status_reason in BANNED:
            return events.Banned()
        case "close":
            return events.ConnectionLost()
        case "refused":
            return events.CodesExhausted()
        case "connecting":
            return events.Ignored("connecting says nothing for sure")
        case _:
            return events.Ignored("unknown state")
