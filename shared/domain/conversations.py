"""Conversations as they are kept: summaries to which messages add in any order."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from shared.domain.contacts import ContactKey, ConversationId
from shared.domain.content import Kind
from shared.domain.messages import AdOrigin
from shared.domain.names import LineId
from shared.domain.positions import Position
from shared.domain.record import Kept, Record


class Preview(Record):
    """The last message of a conversation, in short. `at` is its position, in the API its second."""

    message: str
    at: Position
    kind: Kind
    text: str = ""
    from_me: bool = False
    revoked: bool = False


class SeenAd(AdOrigin):
    """An advertisement that led to a message, and that message's position."""

    message: str
    at: Position


class Conversation(Kept):
    """What a line, under one number, and a contact have said, in summary.

    `last_at` is the position of the newest message; a `preview` that is older was written by one
    that came late, and has to be healed.
    """

    id: ConversationId
    line: LineId
    number: str
    contact: ContactKey
    contact_number: str | None = None
    lid: str | None = None
    address: str = ""
    group: bool = False
    name: str | None = None
    """What the person calls themself, or the group's subject."""
    given_name: str | None = None
    """What the tenant's people call them."""
    subject_asked_at: int = 0
    """When the group's subject was last reported or asked for (epoch milliseconds)."""
    last_at: Position = 0
    preview: Preview | None = None
    unread: int = 0
    """Messages that were counted, also those that were read by now: see `unread_now`."""
    unread_at: dict[str, int] = Field(default_factory=dict)
    """How many of them are from which moment (epoch milliseconds)."""
    read_until: int = 0
    """When we last answered, or our phone read what was said until then."""
    marked_unread_at: int = 0
    """When a person marked it as unread, unless a person read it since."""
    has_unread: bool = False
    """What a list of unread ones asks for; `has_wrong_flag` tells when it is behind."""
    archived: bool = False
    merged_into: ConversationId | None = None
    unsettled: int = 0
    """Sends into it whose outcome is unknown."""
    merged_at: int = 0
    """When another conversation was merged into it last (epoch milliseconds)."""
    recovered_at: int | None = None
    """When messages of it that no webhook had told were last found upstream."""
    merged_from: tuple[ConversationId, ...] = ()
    """Conversations merged into this one, held by lid alone: a person may have several lids."""
    labels: tuple[str, ...] = ()
    """What the tenant's people marked it with."""
    assignee: str | None = None
    """Which of them looks after it."""
    ads: dict[str, SeenAd] = Field(default_factory=dict)
    """Advertisements that led here. Of very many, some take the place of others."""

    @property
    def first_ad(self) -> SeenAd | None:
        """Return the advertisement by which the contact wrote for the first time."""
        return min(self.ads.values(), key=_ad_order, default=None)

    @property
    def last_ad(self) -> SeenAd | None:
        """Return the advertisement by which the contact wrote last."""
        return max(self.ads.values(), key=_ad_order, default=None)

    @property
    def stale(self) -> bool:
        """Tell whether the preview isn't the newest message's."""
        return self.preview is None or self.preview.at < self.last_at

    @property
    def names(self) -> tuple[str | None, ...]:
        """List the names by which it is found."""
        return self.given_name, self.name

    @property
    def unread_now(self) -> int:
        """Count the messages that weren't answered or read; 1 if a person marked it as unread.

        Those that were counted before their moments were kept are read with the first answer.
        """
        later = sum(count for at, count in self.unread_at.items() if int(at) > self.read_until)
        before = 0 if self.read_until else max(0, self.unread - sum(self.unread_at.values()))
        return later + before or int(self.marked_unread_at > self.read_until)

    @property
    def has_wrong_flag(self) -> bool:
        """Tell whether a list of unread ones would miss it, or show it for nothing."""
        return self.has_unread != (self.unread_now > 0)

    @property
    def nameless_lid(self) -> bool:
        """Tell whether the contact's phone number was unknown when it wrote."""
        return self.contact_number is None and self.lid is not None and not self.group


def _ad_order(ad: SeenAd) -> tuple[float, str]:
    return ad.at, ad.message


MOST_MOMENTS = 128
"""Moments of unread messages that a conversation keeps apart."""

READ: Mapping[str, Any] = {
    "unread": 0,
    "unread_at": {},
    "has_unread": False,
    "marked_unread_at": 0,
}
"""Fields of a conversation that a person read."""


def mark_unread(now: int) -> dict[str, Any]:
    """Return the fields of a conversation that a person marks as unread (`now`: epoch ms).

    Messages are dated by the second: an answer within this one is later.
    """
    return {"has_unread": True, "marked_unread_at": now // 1000 * 1000 - 1}


def tidy_unread(conversation: Conversation) -> dict[str, Any]:
    """Return the fields of its unread messages without those that were read.

    Of very many the oldest share one moment, the newest of theirs.
    """
    later = sorted(
        (int(at), count)
        for at, count in conversation.unread_at.items()
        if int(at) > conversation.read_until
    )
    oldest, rest = later[:-MOST_MOMENTS], later[-MOST_MOMENTS:]
    kept = [(oldest[-1][0], sum(count for _, count in oldest)), *rest] if oldest else rest
    unread_at = {str(at): count for at, count in kept}
    count = 0 if conversation.read_until else conversation.unread - sum(unread_at.values())
    return {"unread": sum(unread_at.values()) + max(0, count), "unread_at": unread_at}
