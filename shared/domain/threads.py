"""Conversations and their messages as they are kept: how facts that come in any order add up."""

from typing import Any

from pydantic import Field

from shared.domain import messages
from shared.domain.contacts import ContactKey, ConversationId
from shared.domain.messages import Delivery, Kind, Message
from shared.domain.names import LineId
from shared.domain.record import Kept, Record

ME = "me"
"""Who reacted when we did."""


class Preview(Record):
    """The last message of a conversation, in short. `at` is its own time (epoch milliseconds)."""

    message: str
    at: int
    kind: Kind
    text: str = ""
    from_me: bool = False


class Conversation(Kept):
    """What a line, under one number, and a contact have said, in summary.

    `last_at` is the time of the newest message; a `preview` that is older was written by one that
    came late, and has to be healed.
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
    last_at: int = 0
    preview: Preview | None = None
    unread: int = 0
    archived: bool = False
    merged_into: ConversationId | None = None
    recovered_at: int | None = None
    """When messages of it that no webhook had told were last found upstream."""

    @property
    def stale(self) -> bool:
        """The preview isn't the newest message's."""
        return self.preview is None or self.preview.at < self.last_at

    @property
    def nameless_lid(self) -> bool:
        """A contact whose phone number nobody knew when it wrote."""
        return self.contact_number is None and self.lid is not None and not self.group


class Edit(Record):
    """What a message was changed to, and when."""

    text: str | None
    at: int


class Reaction(Record):
    """An emoji, or None where one was taken back."""

    emoji: str | None
    at: int


class KeptMessage(Message):
    """A message and all that became of it, however it was told."""

    conversation: ConversationId
    line: LineId
    number: str
    progress: int = 0
    refused: bool = False
    edits: dict[str, Edit] = Field(default_factory=dict)
    reactions: dict[str, dict[str, Reaction]] = Field(default_factory=dict)
    revoked_at: int | None = None
    changed: int = 0
    gap: int | None = None
    """The beginning of the gap that it was found in, if no webhook told it."""

    @property
    def outcome(self) -> Delivery | None:
        """How far an own message got; None for a contact's."""
        return Delivery(self.progress) if self.from_me and self.progress else None

    @property
    def failed(self) -> bool:
        """WhatsApp refused it, and nothing later says that it arrived after all."""
        return self.refused and self.progress < Delivery.DELIVERED

    @property
    def text_now(self) -> str | None:
        """The text as last edited; nothing of a message that was taken back."""
        if self.revoked_at is not None:
            return None
        _, newest = max(self.edits.items(), key=_newest, default=("", None))
        return newest.text if newest else self.text

    @property
    def texts_before(self) -> tuple[str, ...]:
        """What an edited message said before, oldest first."""
        edits = [edit.text for _, edit in sorted(self.edits.items(), key=_newest)]
        return tuple(text for text in [self.text, *edits][:-1] if text) if edits else ()

    def reactions_now(self) -> dict[str, str]:
        """Each person's newest reaction, by contact key (or `me`), without those taken back."""
        newest = {
            actor: max(given.items(), key=_newest)[1]
            for actor, given in self.reactions.items()
            if given
        }
        return {actor: each.emoji for actor, each in newest.items() if each.emoji}


def _newest(told: tuple[str, Edit] | tuple[str, Reaction]) -> tuple[int, str]:
    """Of two at the same time the one whose key sorts last, whichever was told first."""
    key, what = told
    return what.at, key


def preview_of(message: Message) -> Preview:
    """What a list shows of a message now: as edited, and nothing of what was taken back."""
    return Preview(
        message=message.id,
        at=message.at,
        kind=message.kind,
        text=_line(message),
        from_me=message.from_me,
    )


def _line(message: Message) -> str:
    match message:
        case KeptMessage(revoked_at=int()):
            return ""
        case KeptMessage(text_now=text):
            return messages.preview(message.model_copy(update={"text": text}))
        case _:
            return messages.preview(message)


def is_stub(fields: dict[str, Any]) -> bool:
    """Only news of a message is kept so far, not the message."""
    return "kind" not in fields
