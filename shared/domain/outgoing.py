"""What a line can say, before it is put into a server's words."""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.upstream import MessageKey


class MediaKind(StrEnum):
    """How WhatsApp shows a file. Voice is `Audio`, stickers are `Sticker`."""

    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"


@dataclass(frozen=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True)
class OutgoingMedia:
    """A file to look at. `source` is a public URL or plain base64, never a `data:` URI."""

    kind: MediaKind
    source: str
    mimetype: str | None = None
    caption: str | None = None
    file_name: str | None = None


@dataclass(frozen=True)
class Audio:
    """A voice message; the server transcodes it. `source` as in `Media`."""

    source: str


@dataclass(frozen=True)
class Sticker:
    """An image without a frame. `source` as in `Media`."""

    source: str


@dataclass(frozen=True)
class Location:
    """A place."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class ContactCard:
    """A person's card. `number` has at least ten digits."""

    name: str
    number: str
    organization: str | None = None
    email: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Contacts:
    """One or more cards."""

    contacts: tuple[ContactCard, ...]


@dataclass(frozen=True)
class OutgoingReaction:
    """An emoji under a message, or none any more if it is empty."""

    to: MessageKey
    emoji: str


@dataclass(frozen=True)
class OutgoingPoll:
    """A question with 2 to 10 answers, of which `selectable` may be chosen."""

    question: str
    answers: tuple[str, ...]
    selectable: int = 1


Content = (
    Text | OutgoingMedia | Audio | Sticker | Location | Contacts | OutgoingReaction | OutgoingPoll
)


@dataclass(frozen=True)
class Options:
    """How it is said. `typing_ms` shows us typing, and takes that long.

    `mentions` are numbers, or lid addresses.
    """

    quoted_id: str | None = None
    mentions: tuple[str, ...] = ()
    mention_everyone: bool = False
    link_preview: bool | None = None
    typing_ms: int = 0


@dataclass(frozen=True)
class Outgoing:
    """Something to say to a number, a group or an @lid address. A reaction ignores the options."""

    to: str
    content: Content
    options: Options = Options()
