"""One request to say something: what was asked, and what became of it.

```mermaid
stateDiagram-v2
    [*] --> sending: asked (its key is taken, and only then the server is called)
    sending --> sent: the server answered with the message, or its echo came
    sending --> failed: surely not sent
    sending --> uncertain: no answer, an answer that leaves a doubt, or whoever sent it is gone
    uncertain --> sent: the echo, or a look at what the server keeps
    failed --> sending: asked again with the same key
```

Nothing leads from `uncertain` back to `sending`: what may have been said is never said again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from pydantic import AwareDatetime

from shared.domain import messages
from shared.domain.contacts import Contact, ConversationId
from shared.domain.instances import Instance, State
from shared.domain.messages import Content, Quoted
from shared.domain.names import LineId, TenantId
from shared.domain.record import Kept, Record
from shared.domain.threads import ME, KeptMessage
from shared.domain.upstream import WhyNotSent

LEASE = timedelta(seconds=120)
"""How long a send may be under way: longer than the longest call (75 s, and 10 s of typing)."""

KEPT_FOR = timedelta(days=7)
"""How long a key is known."""

LOOK_AFTER = timedelta(seconds=10)
"""How long an echo may take before the server is asked."""

LOOK_EVERY = timedelta(seconds=20)
"""No more often is a server asked what became of one send."""

SKEW = timedelta(minutes=2)
"""How far a server's clock may be from ours before its messages are no evidence."""


SENT_BY_SERVERS = ("3EB0", "BAE5")
"""What ids begin with that a server makes; what is typed on a phone has others."""


class SendState(StrEnum):
    """What became of a send."""

    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Doubt(StrEnum):
    """Why nobody knows whether a message was sent."""

    NO_ANSWER = "no_answer"
    ABANDONED = "abandoned"


class Reacting(Record):
    """An emoji (empty to take it back) for a message."""

    message: str
    emoji: str


class Send(Kept):
    """What was asked with one idempotency key, and its outcome.

    `request` tells two requests apart without telling what they say. `attempt` rises when a failed
    send is asked for again; `holder` names the call that is at it until `until`.
    """

    key: str
    tenant: TenantId
    request: str
    line: LineId
    number: str
    conversation: ConversationId
    contact: Contact
    content: Content | None = None
    reaction: Reacting | None = None
    """A reaction isn't a message: it is said to one."""
    quoted: Quoted | None = None
    state: SendState
    why: WhyNotSent | Doubt | None = None
    message: str | None = None
    proven: bool = False
    """The server itself named the message; else the evidence was enough."""
    attempt: int = 1
    holder: str
    asked_at: AwareDatetime
    until: AwareDatetime
    looked_at: AwareDatetime | None = None
    expires_at: AwareDatetime

    def settled(self, state: SendState, **change: object) -> "Send":
        """The same, with an outcome."""
        return self.model_copy(update={"state": state, "why": None, **change})

    def again(self, holder: str, now: datetime) -> "Send":
        """The same, asked once more."""
        change = {"attempt": self.attempt + 1, "holder": holder, "asked_at": now}
        ends = {"until": now + LEASE, "expires_at": now + KEPT_FOR}
        return self.settled(SendState.SENDING, **change, **ends)


# May it be sent? -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Speakable:
    """The line may say it, under that number."""

    instance: Instance
    number: str


@dataclass(frozen=True)
class Gone:
    """The line was released."""


@dataclass(frozen=True)
class NotOpen:
    """The line isn't connected; `soon`: it may be in a moment."""

    state: State
    soon: bool


@dataclass(frozen=True)
class Conflicted:
    """The line's number is live on another line."""


@dataclass(frozen=True)
class AnotherNumber:
    """The conversation was held with a number that the line doesn't have now (P7)."""


Speech = Speakable | Gone | NotOpen | Conflicted | AnotherNumber


def decide_speech(instance: Instance | None, number: str | None, now: datetime) -> Speech:
    """Whether a line may speak now, under `number` if that matters (P7)."""
    if instance is None:
        return Gone()
    if instance.state is State.CONFLICT:
        return Conflicted()
    known = instance.number
    if instance.state is not State.OPEN or known is None or instance.leased(now):
        return NotOpen(instance.state, soon=instance.state in _SOON or instance.leased(now))
    return AnotherNumber() if number not in (None, known) else Speakable(instance, known)


_SOON = frozenset({State.OPEN, State.CREATING})


# Asked again ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Other:
    """The key was taken by another request."""


@dataclass(frozen=True)
class UnderWay:
    """Somebody is at it, or nobody knows: the outcome is asked for, not the message sent."""

    send: Send


@dataclass(frozen=True)
class Abandoned:
    """Whoever was at it is gone, and it may have been sent."""

    send: Send


@dataclass(frozen=True)
class Done:
    """It was sent."""

    send: Send


@dataclass(frozen=True)
class Retry:
    """It surely wasn't sent, so it may be."""

    send: Send


Again = Other | UnderWay | Abandoned | Done | Retry


def decide_again(send: Send, request: str | None, now: datetime) -> Again:
    """What it means that a key is used again (P8); `request` is None where only asked about."""
    if request not in (None, send.request):
        return Other()
    match send.state:
        case SendState.SENDING:
            return UnderWay(send) if now < send.until else Abandoned(send)
        case SendState.UNCERTAIN:
            return UnderWay(send)
        case SendState.SENT:
            return Done(send)
        case SendState.FAILED:
            return Retry(send)
        case _ as never:
            assert_never(never)


def abandoned(send: Send) -> Send:
    """Nobody is at it any more, and nobody knows."""
    return send.settled(SendState.UNCERTAIN, why=Doubt.ABANDONED)


def doubted(send: Send) -> Send:
    """What was evidence for it is proof of another."""
    return send.settled(SendState.UNCERTAIN, why=Doubt.NO_ANSWER, message=None)


# Which message was it? -----------------------------------------------------------------------


def matches(send: Send, message: KeptMessage) -> bool:
    """The message may be what was asked for: ours, saying the same, in the time it was sent in.

    By its id it was said through a server (EVOLUTION.md §5), and nothing was known of it before.
    """
    asked, margin = send.asked_at.timestamp() * 1000, SKEW.total_seconds() * 1000
    longest = LEASE.total_seconds() * 1000
    return (
        send.content is not None
        and message.from_me
        and message.id.startswith(SENT_BY_SERVERS)
        and not 0 < message.changed < asked
        and asked - margin <= message.at <= asked + longest + margin
        and _says(message) == _says(send.content)
    )


def pair(sends: Iterable[Send], found: Sequence[KeptMessage], now: datetime) -> dict[str, str]:
    """Which message each uncertain send was, by its key, as far as the evidence tells.

    A message belongs to one send only. What another send that is still under way says in the same
    words isn't taken from it. Of sends that nobody can tell apart, the first asked gets the first.
    """
    unsettled = sorted(sends, key=lambda send: (send.asked_at, send.key))
    live = [send for send in unsettled if send.state is SendState.SENDING and now < send.until]
    free = sorted(
        (each for each in found if not each.send and not any(matches(one, each) for one in live)),
        key=lambda message: (message.at, message.id),
    )
    paired: dict[str, str] = {}
    for send in (each for each in unsettled if each not in live):
        taken = set(paired.values())
        fitting = (each.id for each in free if each.id not in taken and matches(send, each))
        if message := next(fitting, None):
            paired[send.key] = message
    return paired


def _says(content: Content) -> tuple[object, ...]:
    """What two contents have in common if one is the other as WhatsApp tells it.

    A voice message is transcoded and a sticker is made anew, so of a file only its kind, its name
    and its caption are compared.
    """
    place, poll = content.place, content.poll
    return (
        content.kind,
        (content.text or "").strip(),
        content.media.name if content.media and content.kind is messages.Kind.DOCUMENT else None,
        (round(place.latitude, 5), round(place.longitude, 5)) if place else None,
        (poll.question, poll.options) if poll else None,
        tuple(card.name for card in content.cards),
    )


def reacted(send: Send, message: KeptMessage) -> bool:
    """The message has the reaction that was asked for, since it was."""
    assert send.reaction
    ours = message.reactions.get(ME, {}).values()
    since = (send.asked_at - SKEW).timestamp() * 1000
    newest = max(ours, key=lambda reaction: reaction.at, default=None)
    if newest is None or newest.at < since:
        return False
    return (newest.emoji or "") == send.reaction.emoji


def look_due(send: Send, now: datetime) -> bool:
    """Whether the server is to be asked what it keeps: not before the echo had its time."""
    since = now - (send.looked_at or send.asked_at)
    return since >= (LOOK_EVERY if send.looked_at else LOOK_AFTER)
