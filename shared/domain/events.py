"""What WhatsApp told us, in our words."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from shared.domain.contacts import Contact, ContactKey

if TYPE_CHECKING:
    from shared.domain.messages import Delivery, Message
    from shared.domain.upstream import Scannable

LetterReason = Literal[
    "a call that is no object",
    "a call without a time",
    "a change of members that is no object",
    "a code that can't be shown",
    "a connection without a state",
    "a contact that is no object",
    "a deletion that is no object",
    "a group that is no object",
    "a group that is none",
    "a message that is no object",
    "a message whose content is no object",
    "a message without a time",
    "a reaction by nobody",
    "a reaction to nothing",
    "an edit that is no object",
    "an edit without content",
    "an edit without words",
    "an order about no message",
    "an order of no type",
    "an update of no message, or of nothing",
    "an update that is no object",
    "no address",
    "no key",
    "no message id",
    "not an address",
    "own number unknown",
    "no webhook",
    "too large to keep",
    "another chat's message has this id",
]
"""Why an event became a dead letter. The console says each in both languages."""


class Opened(Struct, frozen=True):
    """The instance is connected; `number` is the phone number it is paired with."""

    number: str | None


class LoggedOut(Struct, frozen=True):
    """The session ended for good: only a new pairing brings it back."""


class Banned(Struct, frozen=True):
    """WhatsApp ended the session because it blocked the number, for a while or for good."""


class ConnectionLost(Struct, frozen=True):
    """The connection closed in a way that isn't a log-out."""


class CodeShown(Struct, frozen=True):
    """There is a new code to scan."""

    shown: "Scannable"


class CodesExhausted(Struct, frozen=True):
    """No code was scanned; none comes until a caller asks again."""


class Removed(Struct, frozen=True):
    """The instance is gone upstream."""


class Said(Struct, frozen=True):
    """A message was said: by a contact, or by us (through us, or on the phone).

    `fresh`: it is news, not history. `by_wall_clock`: only a server's wall clock dates it.
    """

    message: "Message"
    fresh: bool
    by_wall_clock: bool = False


class Recalled(Struct, frozen=True):
    """What was said before the line was ours to hear: history, which may hold what we know."""

    messages: "tuple[Message, ...]"


class DeliveryMoved(Struct, frozen=True):
    """A message of ours got so far; maybe no further than we know."""

    id: str
    delivery: "Delivery"


class ReadByUs(Struct, frozen=True):
    """A contact's message was read on our phone, or on another device of ours."""

    id: str


class SendRefused(Struct, frozen=True):
    """WhatsApp didn't take a message of ours.

    `restricted`: because our number may not write to new contacts for now.
    """

    id: str
    restricted: bool = False


class Edited(Struct, frozen=True):
    """A message reads `text` now, by one of `by` (see `KeptMessage.may_be_changed`).

    Of two edits the later (`at`, then `edit_key`) wins; one edit told twice has the same two.
    """

    id: str
    text: str
    at: int
    edit_key: str
    by: tuple[str, ...]


class EditedOutOfSight(Struct, frozen=True):
    """A message was edited so that only the phone shows it, by one of `by` (like Edited)."""

    id: str
    at: int
    edit_key: str
    by: tuple[str, ...]


class Revoked(Struct, frozen=True):
    """A message was deleted for everybody, by one of `by`. `at` is 0 when the event has no time.

    `group`: in which a member who is named ordered it.
    """

    id: str
    at: int
    by: tuple[str, ...]
    group: ContactKey | None = None


class Reacted(Struct, frozen=True):
    """An emoji was put under a message, or taken away (None). `id` is the reaction's own."""

    target_id: str
    actor: ContactKey | Literal["me"]
    emoji: str | None
    at: int
    id: str


@dataclass(frozen=True)
class Voted:
    """A voter is for these options of a poll now, and no others. `id` is the vote's own."""

    target_id: str
    actor: ContactKey | Literal["me"]
    options: tuple[str, ...] = field(repr=False)
    at: int
    id: str


class ContactNamed(Struct, frozen=True):
    """A person calls themself so, or our phone does."""

    contact: Contact
    name: str


class GroupNamed(Struct, frozen=True):
    """A group has this subject since then (epoch milliseconds; 0: unknown)."""

    contact: Contact
    subject: str
    at: int = 0


class Ignored(Struct, frozen=True):
    """Nothing we are interested in, and why."""

    reason: str


@dataclass(frozen=True)
class Unreadable:
    """An event we should understand and don't, and why: kept for replay, never dropped (P4).

    `item`: which of the several that one webhook told, as JSON; empty if it told only one thing.
    """

    reason: LetterReason
    item: str = field(default="", repr=False)


ConnectionEvent = (
    Opened | LoggedOut | Banned | ConnectionLost | CodeShown | CodesExhausted | Removed
)
MessageEvent = (
    Said
    | Recalled
    | DeliveryMoved
    | ReadByUs
    | SendRefused
    | Edited
    | EditedOutOfSight
    | Revoked
    | Reacted
    | Voted
)
NameEvent = ContactNamed | GroupNamed

Event = ConnectionEvent | MessageEvent | NameEvent | Ignored | Unreadable
