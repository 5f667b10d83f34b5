"""One thing said, once: what it is and how far it got."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, TypeVar

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from shared.domain import content, positions
from shared.domain.contacts import Contact, ContactKey
from shared.domain.content import Content, Kind
from shared.domain.content.calls import CallContent, CallOutcome
from shared.domain.content.kinds import MaybeCode, Piece
from shared.domain.content.media_files import Media
from shared.domain.content.notices import GROUP_TOPICS, NoticeContent, NoticeTopic
from shared.domain.positions import Position
from shared.domain.record import Record

AHEAD = 24 * 60 * 60 * 1000
"""Milliseconds that another clock may be ahead of ours."""


class Delivery(IntEnum):
    """How far a message of ours got; it only moves forward (P6)."""

    PENDING = 1
    SENT = 2
    DELIVERED = 3
    READ = 4
    PLAYED = 5


class Quoted(Record):
    """The message that one answers, as far as the answer tells."""

    id: str
    author: ContactKey | None = None
    kind: Kind = Kind.UNSUPPORTED
    preview: str = ""


class Author(Record):
    """Who of a group said it. `number` is None while only the lid is known."""

    key: ContactKey
    number: str | None = None
    lid: str | None = None
    name: str | None = None


class AdOrigin(Piece):
    """The advertisement or post that led a person to write (click to WhatsApp).

    `click_id` is Meta's `ctwa_clid`; `app` and `url` say where it was seen.
    """

    type: MaybeCode = None
    source_id: MaybeCode = None
    title: str | None = None
    body: str | None = None
    url: MaybeCode = None
    click_id: MaybeCode = None
    thumbnail_url: MaybeCode = None
    app: MaybeCode = None
    advertiser: str | None = None


class Message(Record):
    """What was said, by whom and when: `at` is its position, a second and the order within it.

    `emitted`: when the copy that decided the position left its server (epoch milliseconds by that
    server's clock), or ASKED; None where that is unknown.


    Its content is stored and told as fields beside the others. `author` is who of a group said it,
    None for our own; `name` is what the sender of an inbound private message calls themself;
    `delivery` is for our own only. `media_due`: when the copy of its file is due (epoch
    milliseconds), if one is to be made and isn't yet.
    """

    content: Content
    id: str
    contact: Contact
    from_me: bool
    at: Position
    emitted: int | None = None
    author: Author | None = None
    name: str | None = None
    quoted: Quoted | None = None
    mentions: tuple[ContactKey, ...] = ()
    forwarded: bool = False
    in_reply_to_status: bool = False
    origin: AdOrigin | None = None
    delivery: Delivery | None = None
    media_due: int | None = None

    @property
    def kind(self) -> Kind:
        """Return the kind of its content."""
        return self.content.kind

    @property
    def text(self) -> str | None:
        """Return the text or caption of its content."""
        return self.content.text

    @property
    def media(self) -> Media | None:
        """Return what is known of the file in it."""
        media: Media | None = getattr(self.content, "media", None)
        return media

    @property
    def counts_unread(self) -> bool:
        """Tell whether a person of ours should read it: a contact's, but no mere notice."""
        return not self.is_answer and self.kind is not Kind.NOTICE

    @property
    def is_answer(self) -> bool:
        """Tell whether we answered by it: it is ours, or we took a contact's call."""
        call = self.content.call if isinstance(self.content, CallContent) else None
        return self.from_me or (call is not None and call.outcome is CallOutcome.ANSWERED)

    @property
    def tells_reading(self) -> bool:
        """Tell whether all that was said until then was read, by what is known of it."""
        return self.is_answer

    @property
    def is_aside(self) -> bool:
        """Tell whether it changes nothing in the list: a notice of what happened to a group."""
        return self._topic in GROUP_TOPICS

    @property
    def new_subject(self) -> str | None:
        """Return the subject that the group has from then on, if this is a notice of it."""
        return self.text if self._topic is NoticeTopic.RENAMED else None

    @property
    def _topic(self) -> NoticeTopic | None:
        notice = self.content.notice if isinstance(self.content, NoticeContent) else None
        return notice.topic if notice else None

    @model_validator(mode="before")
    @classmethod
    def _gather_content(cls, fields: Any) -> Any:
        if not isinstance(fields, Mapping) or "content" in fields or "kind" not in fields:
            return fields
        return {**fields, "content": content.read_content(fields)}

    @model_serializer(mode="wrap")
    def _spread_content(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        spread: dict[str, Any] = fields.pop("content", {})
        return spread | fields


def heard_by(now: int, message: Message) -> Message:
    """Return the message; one that is dated days ahead was said when it was heard.

    It would be the newest of its conversation, and that of the list, until the day comes.
    """
    if message.at <= now + AHEAD:
        return message
    return message.model_copy(update={"at": positions.place(now, message.emitted)})


def dated_by_wall_clock(now: int, message: Message) -> Message:
    """Return a message that only its server's wall clock dates (`emitted`), at that time."""
    at = positions.read_wall_clock(message.emitted or 0, now)
    return heard_by(now, message.model_copy(update={"at": positions.place(at, message.emitted)}))


M = TypeVar("M", bound=Message)


def asked_at(message: M, asked: int) -> M:
    """Return a message of ours at the position of when it was asked for (epoch milliseconds)."""
    position = positions.place(positions.second_of(message.at), asked)
    return message.model_copy(update={"at": position, "emitted": positions.ASKED})
