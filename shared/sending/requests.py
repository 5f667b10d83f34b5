"""What a caller may ask to be said: exactly one kind of content, within what WhatsApp takes."""

import hashlib
import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    model_validator,
)

from shared import problems
from shared.domain.contacts import digits
from shared.domain.emoji import is_one_emoji
from shared.domain.names import LINE_LIMIT, LINE_PATTERN, LineId
from shared.domain.record import Record
from shared.sending.files import Document, File, Picture
from shared.untrusted import Bounds

KEY_HEADER = "idempotency-key"
BODY_LIMIT = 24 * 1024 * 1024
"""Bytes of a request: a file of 16 MiB, as base64."""

KINDS = (
    *("text", "image", "video", "document", "audio", "sticker"),
    *("location", "contacts", "reaction", "poll"),
)
KEY = r"[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127}"
LONGEST_TEXT = 65_536
BOUNDS = Bounds(size=12 * LONGEST_TEXT + 64 * 1024, items=500, depth=8)
"""Besides the file: the longest text, with every character written as two escapes, and the rest."""

LONGEST_TYPING_MS = 10_000
MessageId = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9._:=@+-]{1,128}$")]

Number = Annotated[
    str, BeforeValidator(digits), Field(max_length=15, pattern=r"^[1-9][0-9]{9,14}$")
]


def _require_one_emoji(text: str) -> str:
    """Return the text if it is one emoji or nothing: no server takes another one."""
    if text and not is_one_emoji(text):
        raise ValueError("must be exactly one emoji, or empty to take it away")
    return text


class _Strict(Record):
    model_config = ConfigDict(extra="forbid")


class Somewhere(_Strict):
    """Into a conversation; or to somebody, through a line."""

    conversation: str | None = Field(default=None, max_length=64)
    line: LineId | None = Field(default=None, max_length=LINE_LIMIT, pattern=LINE_PATTERN)
    to: str | None = Field(
        default=None,
        min_length=1,
        max_length=80,
        description="A number with its country code, in any spelling, or a group's address",
    )


class _Said(Somewhere):
    quoted: MessageId | None = Field(
        default=None, description="The id of the message that it answers"
    )
    typing_ms: int = Field(
        default=0, ge=0, le=LONGEST_TYPING_MS, description="Shows us typing, and takes that long"
    )


class Worded(_Said):
    """What has words may mention people."""

    mentions: tuple[Number, ...] = Field(default=(), max_length=50, fail_fast=True)


class LocationAsked(_Strict):
    """A point on the map."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: str | None = Field(default=None, min_length=1, max_length=200)
    address: str | None = Field(default=None, min_length=1, max_length=300)


class CardAsked(_Strict):
    """Somebody to introduce."""

    name: str = Field(min_length=1, max_length=100)
    number: Number
    organization: str | None = Field(default=None, min_length=1, max_length=100)
    email: str | None = Field(default=None, min_length=3, max_length=200)
    url: str | None = Field(default=None, min_length=4, max_length=500)


class ReactionAsked(_Strict):
    """An emoji under a message of the conversation; an empty one takes it away."""

    message: MessageId
    emoji: Annotated[str, Field(max_length=32), AfterValidator(_require_one_emoji)]


class PollAsked(_Strict):
    """A question; `selectable` is how many options one may choose, 0 any number."""

    question: str = Field(min_length=1, max_length=255)
    options: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        min_length=2, max_length=10, fail_fast=True
    )
    selectable: int = Field(default=1, ge=0, le=10)

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        if len(set(self.options)) < len(self.options):
            raise ValueError("each option may be there once")
        if self.selectable > len(self.options):
            raise ValueError("no more can be selected than there are options")
        return self


class SayText(Worded):
    """Words."""

    text: str = Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"\S")
    link_preview: bool | None = None


class SayImage(Worded):
    """An image."""

    image: Picture


class SayVideo(Worded):
    """A video."""

    video: Picture


class SayDocument(Worded):
    """A document."""

    document: Document


class SayAudio(_Said):
    """A voice message."""

    audio: File


class SaySticker(_Said):
    """A sticker."""

    sticker: File


class SayLocation(_Said):
    """A place."""

    location: LocationAsked


class SayContacts(_Said):
    """Cards."""

    contacts: tuple[CardAsked, ...] = Field(min_length=1, max_length=10, fail_fast=True)


class SayReaction(Somewhere):
    """A reaction."""

    reaction: ReactionAsked


class SayPoll(_Said):
    """A poll."""

    poll: PollAsked


SayMessage = (
    SayText
    | SayImage
    | SayVideo
    | SayDocument
    | SayAudio
    | SaySticker
    | SayLocation
    | SayContacts
    | SayPoll
)
Say = SayMessage | SayReaction


def _kind(value: Any) -> str | None:
    """Which one content there is."""
    get = value.get if isinstance(value, dict) else partial(getattr, value)
    held = [kind for kind in KINDS if get(kind, None) is not None]
    return held[0] if len(held) == 1 else None


class SendMessage(
    RootModel[
        Annotated[
            Annotated[SayText, Tag("text")]
            | Annotated[SayImage, Tag("image")]
            | Annotated[SayVideo, Tag("video")]
            | Annotated[SayDocument, Tag("document")]
            | Annotated[SayAudio, Tag("audio")]
            | Annotated[SaySticker, Tag("sticker")]
            | Annotated[SayLocation, Tag("location")]
            | Annotated[SayContacts, Tag("contacts")]
            | Annotated[SayReaction, Tag("reaction")]
            | Annotated[SayPoll, Tag("poll")],
            Discriminator(
                _kind,
                custom_error_type="one_content",
                custom_error_message=f"exactly one of {', '.join(KINDS)} is needed",
            ),
        ]
    ]
):
    """Something to say: one kind of content, into a conversation or to somebody.

    `{conversation}` or `{to, line?}`, and exactly one of text, image, video, document, audio,
    sticker, location, contacts, reaction and poll.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


def fingerprint(asked: Say) -> str:
    """Tells two requests apart without telling what they say.

    (What nobody asked for doesn't count: a later version may know of more to ask for.)
    """
    content, file = _without_file(asked)
    whole = type(asked).__name__ + content.model_dump_json(exclude_defaults=True)
    before, mark, after = whole.partition(f'"{_MARK}"') if file else (whole, "", "")
    digest = hashlib.sha256(before.encode())
    if mark:
        digest.update(b'"')
        for start in range(0, len(file), _PIECE):
            digest.update(file[start : start + _PIECE].encode())
        digest.update(b'"')
    digest.update(after.encode())
    return digest.hexdigest()


def _without_file(asked: Say) -> tuple[Say, str]:
    """Split the text of its file from what is asked: it is too large to be copied on the way."""
    for kind in KINDS:
        file = getattr(asked, kind, None)
        if isinstance(file, File) and file.base64:
            bare = file.model_copy(update={"base64": _MARK})
            return asked.model_copy(update={kind: bare}), file.base64
    return asked, ""


_MARK, _PIECE = "(the file)", 1024 * 1024


def key_in(headers: Mapping[str, str]) -> str:
    """The idempotency key. Raises IdempotencyKeyMissing, IdempotencyKeyInvalid."""
    given = headers.get(KEY_HEADER, "").strip()
    if not given:
        raise problems.IdempotencyKeyMissing()
    return checked(given.removeprefix('"').removesuffix('"'))


def checked(key: str) -> str:
    """The key, if it can be one. Raises IdempotencyKeyInvalid."""
    if not re.fullmatch(KEY, key):
        raise problems.IdempotencyKeyInvalid("1 to 128 letters, digits and . _ : ~ @ + -")
    return key


def within(asked: Say, conversation: str) -> Say:
    """The same, into this conversation. Raises RequestInvalid if it says where to."""
    if asked.conversation or asked.to or asked.line:
        fault = {"field": "conversation", "message": "the address says where it goes already"}
        raise problems.RequestInvalid(errors=[fault])
    return asked.model_copy(update={"conversation": conversation})
