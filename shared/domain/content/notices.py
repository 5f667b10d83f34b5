"""Hold what a person did in a conversation without a word, and what changed in a group."""

from enum import StrEnum
from typing import Literal

from shared.domain.content.kinds import BaseContent, Code, Kind, MaybeCode, Piece


class NoticeTopic(StrEnum):
    """What was done. What it was done to is the message's quote, or the notice's members."""

    PINNED = "pinned"
    UNPINNED = "unpinned"
    KEPT = "kept"
    UNKEPT = "unkept"
    CALL_CANCELLED = "call_cancelled"
    NUMBER_ASKED = "number_asked"
    STATUS_MENTION = "status_mention"
    STATUS_REACTION = "status_reaction"
    STATUS_SHARED = "status_shared"
    JOINED = "joined"
    ADDED = "added"
    LEFT = "left"
    REMOVED = "removed"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    RENAMED = "renamed"


GROUP_TOPICS = frozenset(
    {
        NoticeTopic.JOINED,
        NoticeTopic.ADDED,
        NoticeTopic.LEFT,
        NoticeTopic.REMOVED,
        NoticeTopic.PROMOTED,
        NoticeTopic.DEMOTED,
        NoticeTopic.RENAMED,
    }
)
"""What happens to a group, which leaves its conversation where it is in the list."""


class Member(Piece):
    """A member of a group. `number` is None while only the lid is known."""

    key: Code
    number: MaybeCode = None
    name: str | None = None


class Notice(Piece):
    """Something that was done, and to which members of the group; `more` aren't named here."""

    topic: NoticeTopic
    members: tuple[Member, ...] = ()
    more: int = 0


class NoticeContent(BaseContent):
    """A notice in a conversation; `text` holds a person's words, like a group's new subject."""

    kind: Literal[Kind.NOTICE]
    notice: Notice | None = None
