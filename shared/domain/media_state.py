"""The copy of a message's file in the bucket: when it is due, what is known of it, and its end.

```mermaid
stateDiagram-v2
    [*] --> due: the message is stored
    due --> due: an attempt failed, another follows
    due --> stored: the copy is whole
    due --> expired: WhatsApp and the server don't have it (any more)
    due --> unobtainable: no attempt of many hours succeeded, or its instance is gone
    due --> too_large: larger than the deployment keeps
    stored --> deleted: the tenant keeps media no longer
    stored --> [*]: the message was taken back
```
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from shared.domain.content.media_files import FileContent
from shared.domain.messages import Message
from shared.domain.record import Record

PUSH_MS: Final = 60_000
"""Milliseconds in which a push is expected to have copied a new message's file."""

LEASE_MS: Final = 10 * 60_000
"""Milliseconds of one attempt: no other begins before they are over."""

RETRY_MINUTES: Final = (1, 5, 15, 60, 180, 360, 720, 1440)
"""Pauses after each failed attempt, two days in all."""

BUCKET_MINUTES: Final = 10
"""The pause after an attempt that failed for the bucket: that is no reason to give a file up."""

ATTEMPTS_WHEN_GONE: Final = 5
"""Attempts after which a file that the server doesn't have isn't asked for any more: the phone
that sent it may upload it again, and a message may be known before the server has stored it."""


class MediaLoss(StrEnum):
    """Why there is no copy, and won't be."""

    EXPIRED = "expired"
    UNOBTAINABLE = "unobtainable"
    TOO_LARGE = "too_large"
    DELETED = "deleted"


class MediaState(StrEnum):
    """What became of the copy of a message's file."""

    DUE = "due"
    STORED = "stored"
    EXPIRED = "expired"
    UNOBTAINABLE = "unobtainable"
    TOO_LARGE = "too_large"
    DELETED = "deleted"


class MediaCopy(Record):
    """A file as it was copied: the hexadecimal SHA-256 of its bytes, how many, and their type."""

    sha256: str
    size: int
    mimetype: str | None = None


class CopyFailure(StrEnum):
    """Why an attempt to copy a file failed."""

    GONE = "gone"
    NO_INSTANCE = "no_instance"
    TOO_LARGE = "too_large"
    TRANSIENT = "transient"
    BUCKET = "bucket"


class RetryAt(Struct, frozen=True):
    """Another attempt follows at that time (epoch milliseconds); `tries` count until now."""

    at: int
    tries: int


class GiveUp(Struct, frozen=True):
    """No other attempt follows."""

    loss: MediaLoss


def plan_copy(message: Message, now: int, since: int) -> Message:
    """Return the message with the time when its file is due, if it has one that is to be copied.

    All times are epoch milliseconds. Files of messages that were said before `since` aren't
    copied, nor are those that their senders let be opened once, nor the pictures of offers, which
    no server gives (EVOLUTION.md §6).
    """
    content = message.content
    is_file = isinstance(content, FileContent) and content.media and not content.view_once
    if not is_file or message.at < since:
        return message
    return message.model_copy(update={"media_due": now + PUSH_MS})


def decide_after_failure(failure: CopyFailure, tries: int, now: int) -> RetryAt | GiveUp:
    """Decide what follows an attempt that failed; `tries` counts it and those before."""
    match failure:
        case CopyFailure.TOO_LARGE:
            return GiveUp(MediaLoss.TOO_LARGE)
        case CopyFailure.NO_INSTANCE:
            return GiveUp(MediaLoss.UNOBTAINABLE)
        case CopyFailure.BUCKET:
            return RetryAt(now + BUCKET_MINUTES * 60_000, tries - 1)
        case CopyFailure.GONE if tries >= ATTEMPTS_WHEN_GONE:
            return GiveUp(MediaLoss.EXPIRED)
        case _ if tries > len(RETRY_MINUTES):
            return GiveUp(MediaLoss.UNOBTAINABLE)
        case _:
            return RetryAt(now + RETRY_MINUTES[tries - 1] * 60_000, tries)
