"""Name the kinds of content, and define what all of them have: words, a preview, a fingerprint."""

from collections.abc import Iterator
from enum import Enum, StrEnum
from typing import Annotated, Any

from shared.domain.record import Record

TECHNICAL = "technical"
"""Marks a field whose text isn't for a person to read: an id, a type, an address, a file."""

Code = Annotated[str, TECHNICAL]
MaybeCode = Annotated[str | None, TECHNICAL]


class Kind(StrEnum):
    """What sort of thing was said. A kind that only a newer version knows reads as unsupported."""

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
    BUTTONS = "buttons"
    LIST = "list"
    BUTTON_REPLY = "button_reply"
    LIST_REPLY = "list_reply"
    FORM_REPLY = "form_reply"
    PRODUCT = "product"
    ORDER = "order"
    PAYMENT = "payment"
    EVENT = "event"
    CALL = "call"
    SCHEDULED_CALL = "scheduled_call"
    INVITE = "invite"
    STICKER_PACK = "sticker_pack"
    RICH_ANSWER = "rich_answer"
    NOTICE = "notice"
    WAITING = "waiting"
    UNSUPPORTED = "unsupported"

    @classmethod
    def _missing_(cls, value: object) -> "Kind | None":
        return cls.UNSUPPORTED if isinstance(value, str) else None


class Piece(Record):
    """A part of a content: its texts are words, but for those that are marked as technical."""

    def words(self) -> tuple[str, ...]:
        """List all that a person can read in it, in reading order."""
        return tuple(_read_words(self))


class BaseContent(Piece):
    """What was said, of any kind. `text` is what the person wrote: a text, a caption, a choice.

    Every field has a default that says nothing: it is what a revocation leaves.
    """

    kind: Kind
    text: str | None = None

    def headlines(self) -> tuple[str | None, ...]:
        """List what may be its preview, best first."""
        return (self.text, *self.words())

    def fingerprint(self) -> tuple[object, ...]:
        """Return what this and its echo have in common.

        A voice message is transcoded and a sticker is made anew, so a file's bytes don't count.
        """
        return (self.kind, (self.text or "").strip())


def _read_words(value: Any) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Enum):
        if value:
            yield value
    elif isinstance(value, Piece):
        for name, field in type(value).model_fields.items():
            if TECHNICAL not in field.metadata:
                yield from _read_words(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _read_words(item)
