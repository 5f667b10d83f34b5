"""Show conversations and messages as their tenant sees them."""

from collections.abc import Iterable, Set
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, create_model
from pydantic_core import core_schema

from shared.domain import content
from shared.domain.contacts import ContactKey, ConversationId
from shared.domain.content import Content, Kind
from shared.domain.content.unreadable import UnsupportedContent
from shared.domain.conversations import Conversation, Preview, SeenAd
from shared.domain.instances import epoch_ms
from shared.domain.kept_messages import KeptMessage, join_calls
from shared.domain.media_state import MediaState
from shared.domain.messages import AdOrigin, Author, Delivery, Quoted
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
    labels: tuple[str, ...] = ()
    assignee: str | None = Field(default=None, description="Who of the tenant looks after it")
    first_ad: SeenAd | None = Field(
        default=None, description="The advertisement by which the contact first wrote"
    )
    last_ad: SeenAd | None = Field(
        default=None, description="The advertisement by which the contact last wrote"
    )
    recovered_at: int | None = Field(
        default=None, description="Epoch milliseconds: when missed messages were last found"
    )


_HIDDEN = frozenset({"kind", "raw"})


class _Shown:
    """Show what was validated when it was read: no validator of all kinds of content is built.

    The type of the value is in the schema's metadata, as `shows`. A record is written by its own
    serializer, which Pydantic builds then (since 2.14); what the field itself says of that doesn't
    count, so no field of a content may.
    """

    def __get_pydantic_core_schema__(self, source: Any, _: GetCoreSchemaHandler) -> Any:
        return core_schema.any_schema(metadata={"shows": source})


_CONTENT: dict[str, Any] = {
    name: (Annotated[field.annotation, _Shown()], field.get_default())
    for name, field in content.FIELDS.items()
    if name not in _HIDDEN
}
ContentFields: Any = create_model("ContentFields", __base__=Record, **_CONTENT)
"""The fields of all kinds of content. A message has those of its kind."""


class MessageView(ContentFields):
    """A message, as edited, with its delivery and its reactions."""

    id: str
    from_me: bool
    at: Position = Field(description="Epoch milliseconds, precise to a second")
    position: float = Field(description="Messages stand in its order, then in that of a page")
    kind: Kind
    author: Author | None = None
    quoted: Quoted | None = None
    mentions: tuple[ContactKey, ...] = ()
    forwarded: bool = False
    in_reply_to_status: bool = Field(default=False, description="It answers a Status")
    origin: AdOrigin | None = Field(
        default=None, description="The advertisement by which its sender came to write"
    )
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
    edit_unreadable: bool = Field(
        default=False, description="Its newest edit can be read on the phone only"
    )
    history: tuple[str, ...] = Field(default=(), description="Earlier texts, oldest first")
    revoked: bool = False
    media_state: MediaState | None = Field(
        default=None, description="What became of the copy of its file, if one was to be made"
    )
    reactions: dict[str, str] = Field(default_factory=dict, description="Emoji by contact, or `me`")
    recovered: bool = Field(default=False, description="No webhook told it: it was found later")
    possibly_incomplete: bool = Field(
        default=False, description="It was recovered, and other messages of that time may be lost"
    )


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
        labels=conversation.labels,
        assignee=conversation.assignee,
        first_ad=conversation.first_ad,
        last_ad=conversation.last_ad,
        recovered_at=conversation.recovered_at,
    )


def message_views(messages: Iterable[KeptMessage], now: datetime) -> list[MessageView]:
    """Return the views of messages; a quote of a message that was taken back is empty."""
    page = join_calls(list(messages))
    revoked = {message.id for message in page if message.revoked_at is not None}
    return [message_view(_empty_quote(message, revoked), now) for message in page]


def _empty_quote(message: KeptMessage, revoked: Set[str]) -> KeptMessage:
    if message.quoted is None or message.quoted.id not in revoked:
        return message
    return message.model_copy(update={"quoted": message.quoted.model_copy(update={"preview": ""})})


def message_view(message: KeptMessage, now: datetime) -> MessageView:
    """Return the view of a message, without its content if it was taken back."""
    if message.revoked_at is not None:
        rest = message.model_dump(include={"id", "from_me", "author"})
        rest |= {"at": message.at, "position": message.at, "kind": message.kind}
        outcome = {"delivery": _delivery(message), "failed": message.failed}
        return MessageView(**rest, **outcome, revoked=True)
    updates = {
        "position": message.at,
        "delivery": _delivery(message),
        "failed": message.failed,
        "unacknowledged": message.unacknowledged(epoch_ms(now)),
        "edited": message.edited,
        "edit_unreadable": message.edited_out_of_sight,
        "history": message.texts_before,
        "media_state": message.media_state,
        "reactions": message.reactions_now(),
        "recovered": message.gap is not None,
    }
    rest = message.model_dump(include=set(MessageView.model_fields) - set(updates))
    said = _read_again(message.content_now)
    shown = {name: getattr(said, name) for name in type(said).model_fields}
    return MessageView(**rest | shown, **updates)


def _read_again(said: Content) -> Content:
    """Read what an earlier version didn't understand, as far as this one does."""
    if not isinstance(said, UnsupportedContent) or not said.raw:
        return said
    from shared.evolution.contents import message_object  # hardly any message needs it

    return message_object.read_raw(said.raw) or said


def _delivery(message: KeptMessage) -> str | None:
    outcome = message.outcome
    return Delivery(outcome).name.lower() if outcome else None
