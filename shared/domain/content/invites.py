"""Hold an invitation: to a group, a channel, or to administer one."""

from enum import StrEnum
from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, MaybeCode, Piece


class InviteTarget(StrEnum):
    """What an invitation is to."""

    GROUP = "group"
    COMMUNITY = "community"
    CHANNEL = "channel"
    CHANNEL_ADMIN = "channel_admin"


class Invite(Piece):
    """An invitation: the name of what it is to, and a link to follow (until `expires_at`, ms)."""

    target: InviteTarget = InviteTarget.GROUP
    name: str | None = None
    link: str | None = None
    expires_at: int | None = None
    id: MaybeCode = None


class InviteContent(BaseContent):
    """An invitation; `text` is what the sender wrote with it."""

    kind: Literal[Kind.INVITE]
    invite: Invite | None = None
