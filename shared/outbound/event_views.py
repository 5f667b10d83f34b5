"""Show events: what they are about with the API's own views, as it is now.

An event tells its message, send, conversation or line as it is now. It has no file, and is at most
LARGEST bytes: longer texts and lists are cut, then what it may lack is left out, and it says so.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from shared.conversations.conversation_views import ContactView, conversation_view, message_view
from shared.domain.conversations import Conversation
from shared.domain.event_types import EventType
from shared.domain.instances import Instance
from shared.domain.kept_messages import KeptMessage
from shared.domain.names import TenantId
from shared.domain.record import Record
from shared.domain.sends import Send
from shared.lines.line_views import line_view
from shared.outbound.facts import Event, Fact
from shared.outbound.told import Told, ToldOfMessage, ToldOfSend
from shared.store.logged import moment_of

LARGEST: Final = 20_000
"""Bytes of an event, as JSON."""

_ROOM: Final = 600
"""Bytes of them for what is around its data."""

_CUTS: Final = (4_000, 1_000, 300, 100, 40)
"""Characters of a text, and ten times the members of a list, after each try to make it fit."""

_NEVER_CUT: Final = frozenset(
    {"tenant", "id", "message_id", "conversation", "line", "key", "send", "media_path", "instance"}
)


def message_event(fact: Fact, tenant: TenantId, message: KeptMessage, now: datetime) -> Event:
    """Return the event of a message, without its content if it was taken back."""
    path = f"/conversations/{message.conversation}/messages/{message.id}/media"
    has_file = message.media is not None and message.revoked_at is None
    contact = ContactView(
        key=message.contact.key,
        number=message.contact.number,
        name=None if message.contact.group else message.name,
        group=message.contact.group,
    )
    told = ToldOfMessage(
        tenant=tenant,
        conversation=message.conversation,
        line=message.line,
        number=message.number,
        contact=contact,
        media_path=path if has_file else None,
        from_history=message.from_history,
    )
    where = {"conversation": message.conversation, "line": message.line}
    return _event(fact, message_view(message, now), told, **where)


def send_event(fact: Fact, tenant: TenantId, send: Send) -> Event:
    """Return the event of a send that was settled."""
    from shared.sending import send_views  # a page of the log may have none

    told = ToldOfSend(tenant=tenant, message_id=send.message)
    return _event(
        fact, send_views.send_view(send), told, conversation=send.conversation, line=send.line
    )


def conversation_event(fact: Fact, tenant: TenantId, conversation: Conversation) -> Event:
    """Return the event of a conversation that a person or a phone changed."""
    view, where = conversation_view(conversation, None), {"line": conversation.line}
    return _event(fact, view, Told(tenant=tenant), conversation=conversation.id, **where)


def line_event(fact: Fact, line: Instance, now: datetime) -> Event:
    """Return an event of a line, which may have another state by now."""
    return _event(fact, line_view(line, now), Told(tenant=line.tenant), line=line.line)


def _event(fact: Fact, view: Record, told: Told, **where: Any) -> Event:
    fitted = fit(_show(view) | _show(told), fact.type)
    moment, tenant = moment_of(fact.at), told.tenant
    return Event(id=fact.id, type=fact.type, timestamp=moment, data=fitted, tenant=tenant, **where)


def _show(record: Record) -> dict[str, Any]:
    """Return what an event shows of a record: no file, and no picture of a code."""
    pictures = {"media": {"thumbnail"}, "code": {"png"}}
    return record.model_dump(mode="json", exclude_none=True, exclude=pictures)


def fit(fields: Mapping[str, Any], kind: EventType) -> dict[str, Any]:
    """Return the data of an event of that type as it is, or cut until it fits, and so marked.

    At last only what such data always has is left.
    """
    for most in (None, *_CUTS):
        data = dict(fields) if most is None else _cut_fields(fields, most) | {"cut": True}
        if len(json.dumps(data, ensure_ascii=False).encode(errors="replace")) <= LARGEST - _ROOM:
            return data
    from shared.outbound import event_data  # hardly any event is so long

    kept = _NEVER_CUT | event_data.list_required(kind)
    return {name: value for name, value in data.items() if name in kept}


def _cut_fields(fields: Mapping[str, Any], most: int) -> dict[str, Any]:
    return {
        name: value if name in _NEVER_CUT else _cut(value, most) for name, value in fields.items()
    }


def _cut(value: Any, most: int) -> Any:
    match value:
        case str() if len(value) > most:
            return f"{value[: most - 1]}…"
        case list():
            return [_cut(member, most) for member in value[: most // 10]]
        case dict():
            return {name: _cut(member, most) for name, member in _first(value, most // 10)}
        case _:
            return value


def _first(members: Mapping[str, Any], most: int) -> Iterable[tuple[str, Any]]:
    return list(members.items())[: max(most, 16)]
