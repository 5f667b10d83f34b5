"""Read calls: each becomes one message, whatever is reported of it and in which order."""

from datetime import datetime
from typing import Any

from shared.domain import positions
from shared.domain.content import Kind
from shared.domain.content.calls import CallContent, CallOutcome, PhoneCall
from shared.domain.events import Event, Ignored, Said, Unreadable
from shared.domain.messages import Author, Message
from shared.evolution import addresses, json_values
from shared.evolution.addresses import MessageOrigin
from shared.evolution.contents.fields import first_text
from shared.evolution.events.payload import EventPayload, Events, read_items

_OUTCOMES = {
    "timeout": CallOutcome.MISSED,
    "terminate": CallOutcome.MISSED,
    "reject": CallOutcome.REJECTED,
    "accept": CallOutcome.ANSWERED,
}
"""What a status says of a call. A call that ends counts as missed until it was answered."""

_STEPS = frozenset({"preaccept", "transport", "relaylatency"})
"""Statuses that say nothing of a call but that its phones talk."""


def read_calls(payload: EventPayload) -> Events:
    """Read `call`: an offer, and what became of it (EVOLUTION.md §4)."""
    return read_items(payload.data, lambda value: [_read_call(value, payload)])


def _read_call(value: Any, payload: EventPayload) -> Event:
    if not isinstance(value, dict):
        return Unreadable("a call that is no object")
    status = first_text(value, "status") or ""
    if status in _STEPS:
        return Ignored("a step of a call")
    chat = first_text(value, "groupJid", "chatId", "from")
    caller = addresses.read_contact(value.get("from"))
    is_ours = not isinstance(caller, Ignored | Unreadable) and addresses.is_own_contact(
        caller, payload.own_number
    )
    key = {
        "remoteJid": chat,
        "fromMe": is_ours,
        "id": value.get("id"),
        "participant": value.get("from"),
        "remoteJidAlt": value.get("callerPn"),
        "participantAlt": value.get("callerPn"),
    }
    origin = addresses.read_origin(key, payload.own_number)
    if not isinstance(origin, MessageOrigin):
        return origin
    at = _read_time(value.get("date")) or payload.at // 1000 * 1000
    if not at:
        return Unreadable("a call without a time")
    call = PhoneCall(
        outcome=_OUTCOMES.get(status, CallOutcome.RINGING),
        video=value.get("isVideo") is True,
        group=value.get("isGroup") is True or origin.contact.group,
    )
    emitted = payload.at or None
    message = _build_message(origin, CallContent(kind=Kind.CALL, call=call), at, emitted)
    return Said(message, fresh=True)


def _build_message(
    origin: MessageOrigin, content: CallContent, at: int, emitted: int | None
) -> Message:
    author = origin.author
    return Message(
        content=content,
        id=origin.id,
        contact=origin.contact,
        from_me=origin.from_me,
        at=positions.place(at, emitted),
        emitted=emitted,
        author=Author(key=author.key, number=author.number, lid=author.lid) if author else None,
    )


def _read_time(value: Any) -> int | None:
    moment = json_values.read_moment(value)
    if isinstance(moment, datetime):
        return max(int(moment.timestamp()), 0) * 1000
    return json_values.read_millis(value)
