"""What a line can say, before it is put into a server's words."""

from enum import StrEnum

from msgspec import Struct

from shared.domain.upstream import MessageKey


class MediaKind(StrEnum):
    """How WhatsApp shows a file. Voice is `Audio`, stickers are `Sticker`."""

    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"


class Text(Struct, frozen=True):
    """Words."""

    text: str


class OutgoingMedia(Struct, frozen=True):
    """A file to look at. `source` is a public URL or plain base64, never a `data:` URI."""

    kind: MediaKind
    source: str
    mimetype: str | None = None
    caption: str | None = None
    file_name: str | None = None


class Audio(Struct, frozen=True):
    """A voice message; the server transcodes it. `source` as in `Media`."""

    source: str


class Sticker(Struct, frozen=True):
    """An image without a frame. `source` as in `Media`."""

    source: str


class Location(Struct, frozen=True):
    """A place."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class ContactCard(Struct, frozen=True):
    """A person's card. `number` has at least ten digits."""

    name: str
    number: str
    organization: str | None = None
    email: str | None = None
    url: str | None = None


class Contacts(Struct, frozen=True):
    """One or more cards."""

    contacts: tuple[ContactCard, ...]


class OutgoingReaction(Struct, frozen=True):
    """An emoji under a message, or none any more if it is empty."""

    to: MessageKey
    emoji: str


class OutgoingPoll(Struct, frozen=True):
    """A question with 2 to 10 answers, of which `selectable` may be chosen."""

    question: str
    answers: tuple[str, ...]
    selectable: int = 1


Content = (
    Text | OutgoingMedia | Audio | Sticker | Location | Contacts | OutgoingReaction | OutgoingPoll
)


class Options(Struct, frozen=True):
    """How it is said. `typing_ms` shows us typing, and takes that long.

    `mentions` are numbers, or lid addresses.
    """

    quoted_id: str | None = None
    mentions: tuple[str, ...] = ()
    mention_everyone: bool = False
    link_preview: bool | None = None
    typing_ms: int = 0


class Outgoing(Struct, frozen=True):
    """Something to say to a number, a group or an @lid address. A reaction ignores the options."""

    to: str
    content: Content
    options: Options = Options()
