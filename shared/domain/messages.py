"""One thing said, once: what it is and how far it got."""

from enum import IntEnum, StrEnum
from typing import TypeVar

from shared.domain import positions
from shared.domain.contacts import Contact, ContactKey
from shared.domain.positions import Position
from shared.domain.record import Record

PREVIEW_LENGTH = 120
THUMBNAIL_LIMIT = 8 * 1024
"""Bytes of a picture's thumbnail that we still keep with the message."""

AHEAD = 24 * 60 * 60 * 1000
"""Milliseconds that another clock may be ahead of ours."""


class Kind(StrEnum):
    """What sort of thing was said."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    LIVE_LOCATION = "live_location"
    CONTACTS = "contacts"
    POLL = "poll"
    BUTTON_REPLY = "button_reply"
    LIST_REPLY = "list_reply"
    UNSUPPORTED = "unsupported"


class Delivery(IntEnum):
    """How far a message of ours got; it only moves forward (P6)."""

    PENDING = 1
    SENT = 2
    DELIVERED = 3
    READ = 4
    PLAYED = 5


class Media(Record):
    """What is known of a file without having it. `thumbnail` is plain base64."""

    mimetype: str | None = None
    size: int | None = None
    name: str | None = None
    seconds: int | None = None
    width: int | None = None
    height: int | None = None
    thumbnail: str | None = None


class Place(Record):
    """A point on the map."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class Card(Record):
    """A person whom a message introduces; `numbers` are digits."""

    name: str
    numbers: tuple[str, ...] = ()


class Poll(Record):
    """A question; `selectable` is how many answers one may choose (None or 0: any)."""

    question: str
    options: tuple[str, ...] = ()
    selectable: int | None = None


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


class Content(Record):
    """What was said, by either side. `text` is also the caption of a file.

    `original` is upstream's word for what we don't support.
    """

    kind: Kind
    text: str | None = None
    media: Media | None = None
    place: Place | None = None
    cards: tuple[Card, ...] = ()
    poll: Poll | None = None
    view_once: bool = False
    original: str | None = None


class Message(Content):
    """What was said, by whom and when: `at` is its position, a second and the order within it.

    `emitted`: when the copy that decided the position left its server (epoch milliseconds by that
    server's clock), or ASKED; None where that is unknown.

    `author` is who of a group said it, None for our own; `name` is what the sender of an inbound
    private message calls themself; `delivery` is for our own only.
    """

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
    delivery: Delivery | None = None


def heard_by(now: int, message: Message) -> Message:
    """The message; one that is dated days ahead was said when it was heard.

    It would be the newest of its conversation, and that of the list, until the day comes.
    """
    if message.at <= now + AHEAD:
        return message
    return message.model_copy(update={"at": positions.place(now, message.emitted)})


M = TypeVar("M", bound=Message)


def asked_at(message: M, asked: int) -> M:
    """Return a message of ours at the position of when it was asked for (epoch milliseconds)."""
    position = positions.place(positions.second_of(message.at), asked)
    return message.model_copy(update={"at": position, "emitted": positions.ASKED})


def preview(content: Content) -> str:
    """A message in one line of at most 120 characters, for lists.

    Empty for a file without a caption: its kind (and its name) say the rest.
    """
    line = " ".join(_words(content).split())
    return line if len(line) <= PREVIEW_LENGTH else f"{line[: PREVIEW_LENGTH - 1].rstrip()}…"


def _words(content: Content) -> str:
    match content:
        case Content(text=str(text)) if text:
            return text
        case Content(poll=Poll(question=question)):
            return question
        case Content(place=Place(name=name, address=address)):
            return name or address or ""
        case _:
            return ", ".join(card.name for card in content.cards)
