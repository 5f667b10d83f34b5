"""Conversations and their messages as they are kept: how facts that come in any order add up."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from shared.domain import messages
from shared.domain.contacts import ContactKey, ConversationId, keys_of, lid_key, may_be
from shared.domain.messages import Delivery, Kind, Message, Quoted
from shared.domain.names import LineId
from shared.domain.record import Kept, Record

ME = "me"
"""Who said, changed or reacted when we did."""

SOMEBODY = "?"
"""Who changed a message when the event doesn't say."""

ACKNOWLEDGED_WITHIN_MS = 5 * 60 * 1000
"""After which a message of ours that nobody acknowledged is shown as such."""


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
    unsettled: int = 0
    """How many sends into it nobody knows the outcome of."""
    merged_at: int = 0
    """When another conversation was merged into it last (epoch milliseconds)."""
    recovered_at: int | None = None
    """When messages of it that no webhook had told were last found upstream."""
    merged_from: tuple[ConversationId, ...] = ()
    """Which were, while nobody knew whose lid it was: a person may have several over time."""

    @property
    def stale(self) -> bool:
        """The preview isn't the newest message's."""
        return self.preview is None or self.preview.at < self.last_at

    @property
    def nameless_lid(self) -> bool:
        """A contact whose phone number nobody knew when it wrote."""
        return self.contact_number is None and self.lid is not None and not self.group


def ours_in(chat: ContactKey) -> str:
    """Who changed a message when the event reads as our phone writes it in this chat."""
    return f"{ME}@{chat}"


def member_of(group: ContactKey) -> str:
    """Name whoever took a message back in a group, as somebody whom its server let do it."""
    return f"member@{group}"


def lid_in(by: str) -> str | None:
    """The lid of the chat that our phone addressed, in the words of `ours_in`."""
    return by.removeprefix(beginning) if by.startswith(beginning := ours_in(lid_key(""))) else None


class Edit(Record):
    """What a message was changed to, when, and by whom (as far as each event told)."""

    text: str | None
    at: int
    by: dict[str, bool] = Field(default_factory=dict)


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
    revoked_by: dict[str, int] = Field(default_factory=dict)
    send: str | None = None
    """The key of the send that said it."""
    left_through: str | None = None
    """The number that it really left by, if that isn't the one that it was sent with (P7)."""
    recalled: bool = False
    """History told it, and nobody yet that it was news."""
    changed: int = 0
    gap: int | None = None
    """The beginning of the gap that it was found in, if no webhook told it."""
    possibly_incomplete: bool = False
    """Others of that gap may be lost."""
    version: Any = Field(default=None, exclude=True, repr=False)
    """When the store last wrote it; the condition of a compare-and-set."""

    @property
    def outcome(self) -> Delivery | None:
        """How far an own message got; None for a contact's."""
        return Delivery(self.progress) if self.from_me and self.progress else None

    @property
    def failed(self) -> bool:
        """WhatsApp refused it, and nothing later says that it arrived after all."""
        return self.refused and self.progress < Delivery.DELIVERED

    def unacknowledged(self, now: int) -> bool:
        """WhatsApp had long enough (until `now`, epoch milliseconds) to say that it got it."""
        waiting = self.from_me and not self.failed and self.progress == Delivery.PENDING
        return waiting and now - self.at > ACKNOWLEDGED_WITHIN_MS

    @property
    def revoked_at(self) -> int | None:
        """When it was taken back by somebody who may; None if it wasn't."""
        may = [at for who, at in self.revoked_by.items() if self._may_revoke(who)]
        return max(may, default=None)

    @property
    def surely_revoked(self) -> bool:
        """Tell whether it was taken back beyond doubt, so that its words may go for good.

        An order that only reads as our own phone writes it can be forged by the contact.
        """
        return any(self._may_revoke(who) and not _is_claim(who) for who in self.revoked_by)

    def _may_revoke(self, who: str) -> bool:
        """Tell whether a revocation by them counts: like an edit, but in a group only of somebody
        who is named, and there an administrator's too: WhatsApp's server let it pass.
        """
        if who == ME or (self.contact.group and who == member_of(self.contact.key)):
            return True
        if _is_claim(who) and any(map(_is_somebody_else, self.revoked_by)):
            return False
        nobody = who == SOMEBODY and self.contact.group
        return not nobody and self.may_be_changed((who,))

    @property
    def edited(self) -> bool:
        """It was changed, by whoever said it."""
        return bool(self._edits())

    @property
    def text_now(self) -> str | None:
        """The text as last edited; nothing of a message that was taken back."""
        if self.revoked_at is not None:
            return None
        edits = self._edits()
        return edits[-1].text if edits else self.text

    @property
    def texts_before(self) -> tuple[str, ...]:
        """What an edited message said before, oldest first."""
        edits = [edit.text for edit in self._edits()]
        return tuple(text for text in [self.text, *edits][:-1] if text) if edits else ()

    def may_be_changed(self, by: Iterable[str]) -> bool:
        """Whether one of these said it: anybody can *tell* WhatsApp to change anything.

        A contact's message in a private chat may be changed by whoever isn't us: only the two of
        us know its id. Ours only where the event says that it was we, or reads as our own phone
        writes it; a group's only by its author, or where no event says by whom.
        """
        tellers = set(by)
        if self.from_me:
            return any(who in (ME, *map(ours_in, keys_of(self.contact))) for who in tellers)
        if self.contact.group and tellers != {SOMEBODY}:
            tellers -= {SOMEBODY}
        return any(self._may_be_by(who) for who in tellers)

    def _may_be_by(self, who: str) -> bool:
        if who.startswith(ME):
            return False
        if not self.contact.group or who == SOMEBODY:
            return True
        return self.author is not None and may_be(who, self.author)

    def _edits(self) -> list[Edit]:
        fitting = [told for told in self.edits.items() if self.may_be_changed(told[1].by)]
        return [edit for _, edit in sorted(fitting, key=newest)]

    def reactions_now(self) -> dict[str, str]:
        """Each person's newest reaction, by contact key (or `me`), without those taken back."""
        last = {
            actor: max(given.items(), key=newest)[1]
            for actor, given in self.reactions.items()
            if given
        }
        return {actor: each.emoji for actor, each in last.items() if each.emoji}


def _is_claim(who: str) -> bool:
    """Tell whether an event only reads as our own phone writes it."""
    return who.startswith(f"{ME}@")


def _is_somebody_else(who: str) -> bool:
    return who != SOMEBODY and who != ME and not _is_claim(who)


def newest(told: tuple[str, Edit] | tuple[str, Reaction]) -> tuple[int, str]:
    """Of two at the same time the one whose key sorts last, whichever was told first."""
    key, what = told
    return what.at, key


def quote_of(message: KeptMessage) -> Quoted:
    """The message as one that answers it shows it."""
    author = message.author.key if message.author else message.contact.key
    return Quoted(
        id=message.id,
        author=None if message.from_me else author,
        kind=message.kind,
        preview=preview_of(message).text,
    )


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


def is_stub(fields: Mapping[str, Any]) -> bool:
    """Only news of a message is kept so far, not the message."""
    return "kind" not in fields


NOTHING_SAID: Mapping[str, Any] = {
    "text": None,
    "media": None,
    "place": None,
    "cards": (),
    "poll": None,
    "quoted": None,
    "mentions": (),
    "original": None,
}
"""What is left of the words of a message that was taken back."""


def hushed(fields: Mapping[str, Any]) -> bool:
    """Nothing of what a kept message said is kept any more."""
    return not fields.get("edits") and not any(map(fields.get, NOTHING_SAID))
