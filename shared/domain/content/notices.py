"""Hold what a person did in a conversation without a word."""

from enum import StrEnum
from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, Piece


class NoticeTopic(StrEnum):
    """What was done. What it was done to is the message's quote."""

    PINNED = "pinned"
    UNPINNED = "unpinned"
    KEPT = "kept"
    UNKEPT = "unkept"
    CALL_CANCELLED = "call_cancelled"
    NUMBER_ASKED = "number_asked"
    STATUS_MENTION = "status_mention"
    STATUS_REACTION = "status_reaction"
    STATUS_SHARED = "status_shared"


class Notice(Piece):
    """Something that was done."""

    topic: NoticeTopic


class NoticeContent(BaseContent):
    """A notice in a conversation; `text` holds words of a person, if there are any."""

    kind: Literal[Kind.NOTICE]
    notice: Notice | None = None
