"""Validate requests to send: exactly one kind of content, within the limits of WhatsApp.

The names of the classes are public (schemas of the OpenAPI document) and stored (in fingerprints).
"""

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
from shared.domain.contacts import find_contact
from shared.domain.emoji import is_one_emoji
from shared.domain.names import LINE_LIMIT, LINE_PATTERN, LineId
from shared.domain.record import Record
from shared.sending.files import Document, File, Picture, sent_as
from shared.untrusted import Bounds
from shared.validation import read_number

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
"""Limits of a body without its file.

The size is that of the longest text with every character written as two escapes, and the rest.
"""

LONGEST_TYPING_MS = 10_000
MessageId = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9._:=@+-]{1,128}$")]

Number = Annotated[
    str, BeforeValidator(read_number), Field(max_length=15, pattern=r"^[1-9][0-9]{9,14}$")
]


def _read_mention(value: Any) -> Any:
    """Return a person's lid address, or the digits of their number.

    A validator of a field that takes both as we show them, and numbers in any spelling. Raises
    ValueError.
    """
    person = find_contact(value) if isinstance(value, str) else None
    if person is None:
        return read_number(value)
    return person.number or person.address


Mention = Annotated[
    str,
    BeforeValidator(_read_mention),
    Field(max_length=30, pattern=r"^([1-9][0-9]{9,14}|[0-9]{1,20}@lid)$"),
]


def _require_one_emoji(text: str) -> str:
    """Return the text if it is one emoji or nothing: no server takes another one."""
    if text and not is_one_emoji(text):
        raise ValueError("must be exactly one emoji, or empty to take it away")
    return text


class _Strict(Record):
    model_config = ConfigDict(extra="forbid")


class DestinationFields(_Strict):
    """The destination of a message: a conversation, or a recipient and a line."""

    conversation: str | None = Field(default=None, max_length=64)
    line: LineId | None = Field(default=None, max_length=LINE_LIMIT, pattern=LINE_PATTERN)
    to: str | None = Field(
        default=None,
        min_length=1,
        max_length=80,
        description="A number in any spelling, a group's address, or a contact's key. Digits alone "
        "begin with the country code; a number without one is of the deployment's region",
    )


class _MessageFields(DestinationFields):
    quoted: MessageId | None = Field(
        default=None, description="The id of the message that it answers"
    )
    typing_ms: int = Field(
        default=0, ge=0, le=LONGEST_TYPING_MS, description="Shows us typing, and takes that long"
    )


class TextFields(_MessageFields):
    """The fields of a message with a text or a caption, which may mention contacts."""

    mentions: tuple[Mention, ...] = Field(
        default=(),
        max_length=50,
        fail_fast=True,
        description="Numbers, or keys of contacts as a group's messages show them",
    )
    mention_everyone: bool = Field(default=False, description="Mentions everybody in the group")


class LocationAsked(_Strict):
    """A point on the map."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: str | None = Field(default=None, min_length=1, max_length=200)
    address: str | None = Field(default=None, min_length=1, max_length=300)


class CardAsked(_Strict):
    """A contact card to send."""

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
    """A question; `selectable` is how many options a contact may choose, 0 any number."""

    question: str = Field(min_length=1, max_length=255)
    options: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        min_length=2, max_length=10, fail_fast=True
    )
    selectable: int = Field(default=1, ge=0, le=10)

    @model_validator(mode="after")
    def _require_answerable(self) -> Self:
        if len(set(self.options)) < len(self.options):
            raise ValueError("each option may be there once")
        if self.selectable > len(self.options):
            raise ValueError("no more can be selected than there are options")
        return self


class SayText(TextFields):
    """A text message."""

    text: str = Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"\S")
    link_preview: bool | None = None


class SayImage(TextFields):
    """An image."""

    image: Annotated[Picture, sent_as("image")]


class SayVideo(TextFields):
    """A video."""

    video: Annotated[Picture, sent_as("video")]


class SayDocument(TextFields):
    """A document."""

    document: Annotated[Document, sent_as("document")]


class SayAudio(_MessageFields):
    """A voice message."""

    audio: Annotated[File, sent_as("audio")]


class SaySticker(_MessageFields):
    """A sticker."""

    sticker: Annotated[File, sent_as("image")]


class SayLocation(_MessageFields):
    """A location."""

    location: LocationAsked


class SayContacts(_MessageFields):
    """Contact cards."""

    contacts: tuple[CardAsked, ...] = Field(min_length=1, max_length=10, fail_fast=True)


class SayReaction(DestinationFields):
    """A reaction."""

    reaction: ReactionAsked


class SayPoll(_MessageFields):
    """A poll."""

    poll: PollAsked


MessageRequest = (
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
SendRequest = MessageRequest | SayReaction


def _kind(value: Any) -> str | None:
    """Return the kind of content that a request has; None if it has none or several."""
    get = value.get if isinstance(value, dict) else partial(getattr, value)
    kinds = [kind for kind in KINDS if get(kind, None) is not None]
    return kinds[0] if len(kinds) == 1 else None


class SendMessage(RootModel[Any]):
    """A message to send: one kind of content, into a conversation or to a recipient.

    `{conversation}` or `{to, line?}`, and exactly one of text, image, video, document, audio,
    sticker, location, contacts, reaction and poll.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    root: Annotated[
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


def fingerprint(request: SendRequest) -> str:
    """Hash a request, to tell two apart without storing what they say.

    Fields with their default value are left out, so that a field added by a later version changes
    no stored fingerprint.
    """
    content, file = _split_file(request)
    whole = type(request).__name__ + content.model_dump_json(exclude_defaults=True)
    before, mark, after = whole.partition(f'"{_MARK}"') if file else (whole, "", "")
    digest = hashlib.sha256(before.encode())
    if mark:
        digest.update(b'"')
        for start in range(0, len(file), _PIECE):
            digest.update(file[start : start + _PIECE].encode())
        digest.update(b'"')
    digest.update(after.encode())
    return digest.hexdigest()


def _split_file(request: SendRequest) -> tuple[SendRequest, str]:
    """Split the base64 of its file from a request: it is too large to be copied by serialising."""
    for kind in KINDS:
        file = getattr(request, kind, None)
        if isinstance(file, File) and file.base64:
            bare = file.model_copy(update={"base64": _MARK})
            return request.model_copy(update={kind: bare}), file.base64
    return request, ""


_MARK, _PIECE = "(the file)", 1024 * 1024


def read_key(headers: Mapping[str, str]) -> str:
    """Read the idempotency key. Raises IdempotencyKeyMissing, IdempotencyKeyInvalid."""
    value = headers.get(KEY_HEADER, "").strip()
    if not value:
        raise problems.IdempotencyKeyMissing()
    return require_key(value.removeprefix('"').removesuffix('"'))


def require_key(key: str) -> str:
    """Return the idempotency key, if it is valid. Raises IdempotencyKeyInvalid."""
    if not re.fullmatch(KEY, key):
        raise problems.IdempotencyKeyInvalid("1 to 128 letters, digits and . _ : ~ @ + -")
    return key


def place_in_conversation(request: SendRequest, conversation: str) -> SendRequest:
    """Return the request with this destination. Raises RequestInvalid if it has one already."""
    if request.conversation or request.to or request.line:
        fault = {"field": "conversation", "message": "the address says where it goes already"}
        raise problems.RequestInvalid(errors=[fault])
    return request.model_copy(update={"conversation": conversation})
