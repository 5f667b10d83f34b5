"""Show conversations and messages as their tenant sees them."""

from collections.abc import Iterable, Set
from datetime import datetime

from pydantic import Field

from shared.domain.contacts import ContactKey, ConversationId
from shared.domain.conversations import Conversation, KeptMessage, Preview
from shared.domain.instances import epoch_ms
from shared.domain.messages import Author, Card, Delivery, Kind, Media, Place, Poll, Quoted
from shared.domain.names import LineId
from shared.domain.positions import Position
from shared.domain.record import Record
from shared.domain.tenants import Tenant


class ContactView(Record):
    """The other side: a person, or a group. A person without a number hides it."""

    key: ContactKey
    number: str | None = None
    name: str | None = Field(
        default=None, description="As the tenant's people call them, or as they call themselves"
    )
    given: bool | None = Field(default=None, description="True: the tenant's people gave that name")
    group: bool = False


class ConversationView(Record):
    """A conversation of a line, under one number, with a contact, in summary."""

    id: ConversationId
    line: LineId
    label: str = Field(description="What people call the line")
    number: str = Field(description="The own number that it was held with")
    contact: ContactView
    last_at: Position = Field(description="Epoch milliseconds of the newest message")
    last: Preview | None = None
    unread: int = 0
    archived: bool = False
    recovered_at: int | None = Field(
        default=None, description="Epoch milliseconds: when missed messages were last found"
    )


class MessageView(Record):
    """A message, as edited, with its delivery and its reactions."""

    id: str
    from_me: bool
    at: Position = Field(description="Epoch milliseconds, precise to a second")
    position: float = Field(description="Messages stand in its order, then in that of a page")
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
    """Return the view of a conversation."""
    labels = tenant.labels if tenant else {}
    contact = ContactView(
        key=conversation.contact,
        number=conversation.contact_number,
        name=conversation.given_name or conversation.name,
        given=conversation.given_name is not None or None,
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
        unread=conversation.unread_now,
        archived=conversation.archived,
        recovered_at=conversation.recovered_at,
    )


def message_views(messages: Iterable[KeptMessage], now: datetime) -> list[MessageView]:
    """Return the views of messages; a quote of a message that was taken back is empty."""
    page = list(messages)
    revoked = {message.id for message in page if message.revoked_at is not None}
    return [message_view(_empty_quote(message, revoked), now) for message in page]


def _empty_quote(message: KeptMessage, revoked: Set[str]) -> KeptMessage:
    if message.quoted is None or message.quoted.id not in revoked:
        return message
    return message.model_copy(update={"quoted": message.quoted.model_copy(update={"preview": ""})})


def message_view(message: KeptMessage, now: datetime) -> MessageView:
    """Return the view of a message, without its content if it was taken back."""
    if message.revoked_at is not None:
        rest = message.model_dump(include={"id", "from_me", "at", "kind", "author"})
        rest |= {"position": message.at, "delivery": _delivery(message), "failed": message.failed}
        return MessageView(**rest, revoked=True)
    updates = {
        "position": message.at,
        "text": message.text_now,
        "delivery": _delivery(message),
        "failed": message.failed,
        "unacknowledged": message.unacknowledged(epoch_ms(now)),
        "edited": message.edited,
        "history": message.texts_before,
        "reactions": message.reactions_now(),
        "recovered": message.gap is not None,
    }
    content = message.model_dump(include=set(MessageView.model_fields) - set(updates))
    return MessageView(**content, **updates)


def _delivery(message: KeptMessage) -> str | None:
    outcome = message.outcome
    return Delivery(outcome).name.lower() if outcome else None
