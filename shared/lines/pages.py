"""Conversations and messages as their tenant sees them, page by page."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Set
from datetime import datetime
from typing import Any

from pydantic import Field

from shared import problems, untrusted
from shared.domain.contacts import ContactKey, ConversationId
from shared.domain.instances import epoch_ms
from shared.domain.messages import Author, Card, Delivery, Kind, Media, Place, Poll, Quoted
from shared.domain.names import LineId
from shared.domain.record import Record
from shared.domain.tenants import Tenant
from shared.domain.threads import Conversation, KeptMessage, Preview
from shared.store.threads import Position

CURSOR = untrusted.Bounds(size=4_000, items=3, depth=1)


class ContactView(Record):
    """The other side. Without a number it is a group, or somebody who hides the number."""

    key: ContactKey
    number: str | None = None
    name: str | None = None
    group: bool = False


class ConversationView(Record):
    """What a line, under one number, and a contact have said, in summary."""

    id: ConversationId
    line: LineId
    label: str = Field(description="What people call the line")
    number: str = Field(description="The own number that it was held with")
    contact: ContactView
    last_at: int = Field(description="Epoch milliseconds of the newest message")
    last: Preview | None = None
    unread: int = 0
    archived: bool = False
    recovered_at: int | None = Field(
        default=None, description="Epoch milliseconds: when missed messages were last found"
    )


class MessageView(Record):
    """One message, as edited, with all that became of it."""

    id: str
    from_me: bool
    at: int = Field(description="Epoch milliseconds")
    kind: Kind
    text: str | None = None
    author: Author | None = None
    media: Media | None = None
    place: Place | None = None
    cards: tuple[Card, ...] = ()
    poll: Poll | None = None
    quoted: Quoted | None = None
    mentions: tuple[ContactKey, ...] = ()
    forwarded: bool = False
    view_once: bool = False
    delivery: str | None = Field(default=None, description="Of own messages: how far it got")
    failed: bool = Field(default=False, description="WhatsApp refused it")
    unacknowledged: bool = Field(
        default=False, description="WhatsApp should have said long ago that it got it"
    )
    send: str | None = Field(default=None, description="The key it was sent with")
    left_through: str | None = Field(
        default=None, description="The own number it really left by, if not the one asked for"
    )
    edited: bool = False
    history: tuple[str, ...] = Field(default=(), description="Earlier texts, oldest first")
    revoked: bool = False
    reactions: dict[str, str] = Field(default_factory=dict, description="Emoji by contact, or `me`")
    recovered: bool = Field(default=False, description="No webhook told it: it was found later")
    possibly_incomplete: bool = Field(
        default=False, description="It was recovered, and other messages of that time may be lost"
    )
    original: str | None = Field(default=None, description="Of unsupported ones: what it was")


def conversation_view(conversation: Conversation, tenant: Tenant | None) -> ConversationView:
    """What may be shown of a conversation."""
    labels = tenant.labels if tenant else {}
    contact = ContactView(
        key=conversation.contact,
        number=conversation.contact_number,
        name=conversation.name,
        group=conversation.group,
    )
    return ConversationView(
        id=conversation.id,
        line=conversation.line,
        label=labels.get(conversation.line, conversation.line),
        number=conversation.number,
        contact=contact,
        last_at=conversation.last_at,
        last=None if conversation.stale else conversation.preview,
        unread=conversation.unread,
        archived=conversation.archived,
        recovered_at=conversation.recovered_at,
    )


def message_views(messages: Iterable[KeptMessage], now: datetime) -> list[MessageView]:
    """What may be shown of messages; a quote of what was taken back is empty."""
    several = list(messages)
    gone = {each.id for each in several if each.revoked_at is not None}
    return [message_view(_unquoting(each, gone), now) for each in several]


def _unquoting(message: KeptMessage, gone: Set[str]) -> KeptMessage:
    if message.quoted is None or message.quoted.id not in gone:
        return message
    return message.model_copy(update={"quoted": message.quoted.model_copy(update={"preview": ""})})


def message_view(message: KeptMessage, now: datetime) -> MessageView:
    """What may be shown of a message: nothing of what was taken back."""
    if message.revoked_at is not None:
        left = message.model_dump(include={"id", "from_me", "at", "kind", "author"})
        return MessageView(**left, delivery=_delivery(message), failed=message.failed, revoked=True)
    news = {
        "text": message.text_now,
        "delivery": _delivery(message),
        "failed": message.failed,
        "unacknowledged": message.unacknowledged(epoch_ms(now)),
        "edited": message.edited,
        "history": message.texts_before,
        "reactions": message.reactions_now(),
        "recovered": message.gap is not None,
    }
    said = message.model_dump(include=set(MessageView.model_fields) - set(news))
    return MessageView(**said, **news)


def _delivery(message: KeptMessage) -> str | None:
    outcome = message.outcome
    return Delivery(outcome).name.lower() if outcome else None


def etag(kept: Iterable[Record]) -> str:
    """The same for the same records in the same condition."""
    whole = "\n".join(each.model_dump_json() for each in kept)
    return f'"{hashlib.sha256(whole.encode()).hexdigest()[:20]}"'


def written(end: Position | None) -> str | None:
    """A cursor: opaque, and good for as long as what it points at is kept."""
    if end is None:
        return None
    return (
        base64.urlsafe_b64encode(json.dumps(end, ensure_ascii=False).encode()).decode().rstrip("=")
    )


def position(cursor: str | None, *, of_search: bool = False) -> Position | None:
    """Where a cursor points: to a text in what was searched, else to a time.

    Raises CursorInvalid.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        value, document = untrusted.read(base64.urlsafe_b64decode(padded), CURSOR)
        fits = _text(value) if of_search else _time(value)
    except (ValueError, TypeError):
        raise problems.CursorInvalid() from None
    if not fits or not isinstance(document, str) or not _DOCUMENT.fullmatch(document):
        raise problems.CursorInvalid()
    return Position(value, document)


def _text(value: Any) -> bool:
    """One that can be stored; raises UnicodeError (a ValueError) for half characters."""
    return isinstance(value, str) and bool(value.encode())


def _time(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


_DOCUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:=@+-]{0,299}")
