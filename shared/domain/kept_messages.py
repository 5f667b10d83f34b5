"""Messages as they are kept: how what is told of them, in any order, adds up."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import Field

from shared.domain import content
from shared.domain.contacts import ContactKey, ConversationId, keys_of, lid_key, may_be
from shared.domain.content import Content
from shared.domain.content.calls import CallContent, PhoneCall, outcome_of_rank
from shared.domain.content.polls import PollContent, count_votes
from shared.domain.conversations import Preview
from shared.domain.media_state import MediaCopy, MediaLoss, MediaState
from shared.domain.messages import Delivery, Message, Quoted
from shared.domain.names import LineId
from shared.domain.positions import second_of
from shared.domain.record import Record

ME: Final = "me"
"""Who said, changed or reacted when we did."""

UNNAMED = "?"
"""Who changed a message when the event doesn't say."""

ACKNOWLEDGED_WITHIN_MS = 5 * 60 * 1000
"""After which a message of ours that WhatsApp didn't acknowledge is shown as such."""


def ours_in(chat: ContactKey) -> str:
    """Name the author of a change whose event reads as our phone writes it in this chat."""
    return f"{ME}@{chat}"


def member_of(group: ContactKey) -> str:
    """Name the member that took a message back in a group, as WhatsApp's server let it."""
    return f"member@{group}"


def lid_in(by: str) -> str | None:
    """Return the lid of the chat that our phone addressed, in the words of `ours_in`."""
    return by.removeprefix(beginning) if by.startswith(beginning := ours_in(lid_key(""))) else None


class Edit(Record):
    """What a message was changed to, when, and by whom (as far as each event told).

    `unseen`: it was encrypted for the phone only, so that the text of before stays.
    """

    text: str | None
    at: int
    unseen: bool = False
    by: dict[str, bool] = Field(default_factory=dict)


class Reaction(Record):
    """An emoji, or None where one was taken back."""

    emoji: str | None
    at: int


class Vote(Record):
    """The marks of the options of a poll that one voter is for; none where they took it back."""

    options: tuple[str, ...]
    at: int


class KeptMessage(Message):
    """A message and all that became of it, however it was told."""

    conversation: ConversationId
    line: LineId
    number: str
    progress: int = 0
    call_progress: int = 0
    """How far a call got: the rank of its outcome; it only moves forward."""
    call_until: int = 0
    """The second of the last event of a call (epoch milliseconds)."""
    refused: bool = False
    edits: dict[str, Edit] = Field(default_factory=dict)
    reactions: dict[str, dict[str, Reaction]] = Field(default_factory=dict)
    votes: dict[str, dict[str, Vote]] = Field(default_factory=dict)
    revoked_by: dict[str, int] = Field(default_factory=dict)
    seen: bool = False
    """Our phone read it before it was stored."""
    send: str | None = None
    """The key of the send that said it."""
    left_through: str | None = None
    """The number that it really left by, if that isn't the one that it was sent with (P7)."""
    recalled: bool = False
    """Reported by history, and not yet as news."""
    from_history: bool = False
    """Stored as history reported it."""
    changed: int = 0
    gap: int | None = None
    """The beginning of the gap that it was found in, if no webhook told it."""
    possibly_incomplete: bool = False
    """Others of that gap may be lost."""
    media_tries: int = 0
    """How often its file was tried to be copied."""
    media_copy: MediaCopy | None = None
    """The copy of its file; it may not be whole while another attempt is due."""
    media_lost: MediaLoss | None = None
    version: Any = Field(default=None, exclude=True, repr=False)
    """When the store last wrote it; the condition of a compare-and-set."""

    @property
    def counts_unread(self) -> bool:
        """Tell whether a person of ours should read it, and our phone hasn't."""
        return super().counts_unread and not self.seen

    @property
    def tells_reading(self) -> bool:
        """Tell whether we answered by it, or our phone read it."""
        return self.is_answer or self.seen

    @property
    def outcome(self) -> Delivery | None:
        """Return how far an own message got; None for a contact's."""
        return Delivery(self.progress) if self.from_me and self.progress else None

    @property
    def failed(self) -> bool:
        """Tell whether WhatsApp refused it, and nothing later says that it arrived after all."""
        return self.refused and self.progress < Delivery.DELIVERED

    def unacknowledged(self, now: int) -> bool:
        """Tell whether WhatsApp had long enough (until `now`, epoch ms) to say that it got it."""
        waiting = self.from_me and not self.failed and self.progress == Delivery.PENDING
        return waiting and now - self.at > ACKNOWLEDGED_WITHIN_MS

    @property
    def revoked_at(self) -> int | None:
        """Return when an author that may revoke it did so; None if none did."""
        may = [at for who, at in self.revoked_by.items() if self._may_revoke(who)]
        return max(may, default=None)

    @property
    def surely_revoked(self) -> bool:
        """Tell whether it was taken back beyond doubt, so that its words may go for good.

        An order that only reads as our own phone writes it can be forged by the contact.
        """
        return any(self._may_revoke(who) and not _is_claim(who) for who in self.revoked_by)

    def _may_revoke(self, who: str) -> bool:
        """Tell whether a revocation by them counts: like an edit, but in a group only of a person
        who is named, and there an administrator's too: WhatsApp's server let it pass.
        """
        if who == ME or (self.contact.group and who == member_of(self.contact.key)):
            return True
        if _is_claim(who) and any(map(_is_other_person, self.revoked_by)):
            return False
        is_unnamed = who == UNNAMED and self.contact.group
        return not is_unnamed and self.may_be_changed((who,))

    @property
    def media_state(self) -> MediaState | None:
        """Return what became of the copy of its file; None if none was to be made."""
        if self.media_lost is not None:
            return MediaState(self.media_lost)
        if self.media_due is not None:
            return MediaState.DUE
        return MediaState.STORED if self.media_copy else None

    def may_try_media(self, now: int) -> bool:
        """Tell whether its file may be copied now: it is due, or was never tried."""
        return self.media_due is not None and (self.media_due <= now or not self.media_tries)

    @property
    def edited(self) -> bool:
        """Tell whether its author changed it."""
        return bool(self._edits())

    @property
    def text_now(self) -> str | None:
        """Return the text as last edited; nothing of a message that was taken back."""
        if self.revoked_at is not None:
            return None
        return (self.text, *self._readable_edits())[-1]

    @property
    def content_now(self) -> Content:
        """Return the content as last edited, a call as it ended, and a poll with its results."""
        changed: dict[str, Any] = {"text": self.text_now}
        if isinstance(self.content, CallContent) and self.content.call and self.call_progress:
            outcome = outcome_of_rank(self.call_progress)
            changed["call"] = self.content.call.model_copy(update={"outcome": outcome})
        if isinstance(self.content, PollContent) and self.content.poll and self.votes:
            votes = [vote.options for vote in _newest_of_each(self.votes).values()]
            changed["poll"] = count_votes(self.id, self.content.poll, votes)
        return self.content.model_copy(update=changed)

    @property
    def edited_out_of_sight(self) -> bool:
        """Tell whether its newest edit can be read on the phone only."""
        edits = self._edits()
        return bool(edits) and edits[-1].unseen

    @property
    def texts_before(self) -> tuple[str, ...]:
        """List what an edited message said before, oldest first."""
        return tuple(text for text in (self.text, *self._readable_edits())[:-1] if text)

    def may_be_changed(self, by: Iterable[str]) -> bool:
        """Tell whether one of these authors said it: a phone can ask WhatsApp to change anything.

        A contact's message in a private chat may be changed by any author but us: only the two of
        us know its id. Ours only where the event says that it was we, or reads as our own phone
        writes it; a group's only by its author, or where no event says by whom.
        """
        tellers = set(by)
        if self.from_me:
            return any(who in (ME, *map(ours_in, keys_of(self.contact))) for who in tellers)
        if self.contact.group and tellers != {UNNAMED}:
            tellers -= {UNNAMED}
        return any(self._may_be_by(who) for who in tellers)

    def _may_be_by(self, who: str) -> bool:
        if who.startswith(ME):
            return False
        if not self.contact.group or who == UNNAMED:
            return True
        return self.author is not None and may_be(who, self.author)

    def _readable_edits(self) -> list[str | None]:
        return [edit.text for edit in self._edits() if not edit.unseen]

    def _edits(self) -> list[Edit]:
        fitting = [item for item in self.edits.items() if self.may_be_changed(item[1].by)]
        return [edit for _, edit in sorted(fitting, key=newest)]

    def reactions_now(self) -> dict[str, str]:
        """Return each person's newest reaction, by contact key (or `me`), without revoked ones."""
        last = _newest_of_each(self.reactions)
        return {actor: reaction.emoji for actor, reaction in last.items() if reaction.emoji}


T = TypeVar("T", Reaction, Vote)


def _newest_of_each(reported: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    """Return what is the newest of each person."""
    return {actor: max(items.items(), key=newest)[1] for actor, items in reported.items() if items}


SAME_CALL_MS = 5_000
"""How far the events of a call and the log's message of it may be apart."""


def join_calls(messages: Sequence[KeptMessage]) -> list[KeptMessage]:
    """Return the messages with one line for a call that events and WhatsApp's log both told.

    Their ids are mostly the same, and then they are one message. Else the line is that of the
    events, with the outcome and the length of both.
    """
    rung, joined = dict[str, KeptMessage](), set[str]()
    for message in messages:
        if (call := _call_of(message)) and not call.logged:
            rung[message.id] = message
    for message in messages:
        if not (log := _call_of(message)) or not log.logged:
            continue
        near = (one for one in rung.values() if _is_same_call(one, message))
        if twin := min(near, key=lambda one: (abs(one.at - message.at), one.id), default=None):
            rung[twin.id] = _add_log(twin, log)
            joined.add(message.id)
    return [rung.get(message.id, message) for message in messages if message.id not in joined]


def _call_of(message: KeptMessage) -> PhoneCall | None:
    content = message.content_now
    return content.call if isinstance(content, CallContent) else None


def _is_same_call(one: KeptMessage, other: KeptMessage) -> bool:
    is_of_same = (one.conversation, one.from_me) == (other.conversation, other.from_me)
    return is_of_same and abs(second_of(one.at) - second_of(other.at)) <= SAME_CALL_MS


def _add_log(message: KeptMessage, log: PhoneCall) -> KeptMessage:
    """Return a call with what the log knows of it."""
    call = _call_of(message) or log
    change = {"video": call.video or log.video, "seconds": call.seconds or log.seconds}
    content = message.content.model_copy(update={"call": call.model_copy(update=change)})
    progress = max(message.call_progress, log.outcome.rank)
    return message.model_copy(update={"content": content, "call_progress": progress})


def _is_claim(who: str) -> bool:
    """Tell whether an event only reads as our own phone writes it."""
    return who.startswith(f"{ME}@")


def _is_other_person(who: str) -> bool:
    return who != UNNAMED and who != ME and not _is_claim(who)


def newest(told: tuple[str, Edit | Reaction | Vote]) -> tuple[int, str]:
    """Order edits, reactions or votes by time; of two at the same time, by key."""
    key, what = told
    return what.at, key


def quote_of(message: KeptMessage) -> Quoted:
    """Return the message as one that answers it shows it."""
    author = message.author.key if message.author else message.contact.key
    return Quoted(
        id=message.id,
        author=None if message.from_me else author,
        kind=message.kind,
        preview=preview_of(message).text,
    )


def preview_of(message: Message) -> Preview:
    """Return what a list shows of a message now: as edited, and nothing of what was revoked."""
    return Preview(
        message=message.id,
        at=message.at,
        kind=message.kind,
        text=_line(message),
        from_me=message.from_me,
        revoked=isinstance(message, KeptMessage) and message.revoked_at is not None,
    )


def _line(message: Message) -> str:
    match message:
        case KeptMessage(revoked_at=int()):
            return ""
        case KeptMessage():
            return content.preview(message.content_now)
        case _:
            return content.preview(message.content)


def is_stub(fields: Mapping[str, Any]) -> bool:
    """Tell whether only news of a message is kept so far, not the message."""
    return "kind" not in fields


EMPTY_CONTENT: Mapping[str, Any] = {
    **content.EMPTY_FIELDS,
    **{name: Message.model_fields[name].get_default() for name in ("quoted", "mentions", "origin")},
}
"""What is left of the words of a message that was taken back."""


def content_to_purge(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a stored message that still hold what it said, emptied."""
    return {name: empty for name, empty in EMPTY_CONTENT.items() if fields.get(name)}


def is_content_purged(fields: Mapping[str, Any]) -> bool:
    """Tell whether nothing of what a message said is stored any more."""
    return not fields.get("edits") and not content_to_purge(fields)
