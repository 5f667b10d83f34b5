"""One request to say something: what was asked, and what became of it.

```mermaid
stateDiagram-v2
    [*] --> sending: asked (its key is taken, and only then the server is called)
    sending --> sent: the server answered with the message, or its echo came
    sending --> failed: surely not sent
    sending --> uncertain: no answer, an answer that leaves a doubt, or its caller is gone
    uncertain --> sent: the echo, or a look at what the server keeps
    uncertain --> failed: a person says that it wasn't sent
    failed --> sending: asked again with the same key
```

Nothing leads from `uncertain` back to `sending`: what may have been said is never said again. One
of which a person says that it was sent stays `uncertain`, so that its echo is still its message.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, assert_never

from msgspec import Struct
from pydantic import AwareDatetime, Field

from shared.domain.contacts import Contact, ConversationId, fold
from shared.domain.content import Content, read_content
from shared.domain.instances import Instance, State
from shared.domain.messages import Quoted
from shared.domain.names import LineId, TenantId
from shared.domain.record import Kept, Record
from shared.domain.upstream import WhyNotSent

LEASE = timedelta(seconds=120)
"""How long a send may be under way: longer than the longest call (75 s, and 10 s of typing), and
the 8 s in which an ailing server is asked for something else first."""

KEPT_FOR = timedelta(days=7)
"""How long a key is known."""


class SendState(StrEnum):
    """What became of a send."""

    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class WhyUncertain(StrEnum):
    """Why it is unknown whether a message was sent."""

    NO_ANSWER = "no_answer"
    ABANDONED = "abandoned"


class PersonSaid(StrEnum):
    """What a person said of an uncertain send, after a look at the phone."""

    NOT_SENT = "person_said_so"


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
    quoted: Quoted | None = Field(default=None, exclude=True)
    """What its message quotes. It isn't stored: only the call that sends needs it."""
    state: SendState
    why: WhyNotSent | WhyUncertain | PersonSaid | None = None
    message: str | None = None
    proven: bool = False
    """The server itself named the message; else the evidence was enough."""
    said_sent: bool = False
    """A person says that it was sent, though there is no evidence (yet)."""
    left_through: str | None = None
    """The number that it really left by, if the echo that told so came before the answer and
    named another one."""
    attempt: int = 1
    holder: str
    asked_at: AwareDatetime
    until: AwareDatetime
    looked_at: AwareDatetime | None = None
    expires_at: AwareDatetime

    def settled(self, state: SendState, **change: object) -> "Send":
        """Return the send with an outcome."""
        change = {"state": state, "why": None, "said_sent": False, **change}
        return self.model_copy(update=change)

    @property
    def is_vouched_for(self) -> bool:
        """Tell whether only a person's word says that it was sent."""
        return self.state is SendState.UNCERTAIN and self.said_sent

    def without_words(self) -> "Send":
        """Return the send without what was said: its message was taken back."""
        emptied = self.content and read_content({"kind": self.content.kind})
        return self.model_copy(update={"content": emptied})

    def again(self, holder: str, now: datetime) -> "Send":
        """Return the send as asked once more."""
        change = {"attempt": self.attempt + 1, "holder": holder, "asked_at": now}
        ends = {"until": now + LEASE, "expires_at": now + KEPT_FOR}
        return self.settled(SendState.SENDING, **change, **ends)


# May it be sent? -----------------------------------------------------------------------------


class Speakable(Struct, frozen=True):
    """The line may say it, under that number."""

    instance: Instance
    number: str


class Gone(Struct, frozen=True):
    """The line was released."""


class NotOpen(Struct, frozen=True):
    """The line isn't connected; `soon`: it may be in a moment."""

    state: State
    soon: bool


class Conflicted(Struct, frozen=True):
    """The line's number is live on another line."""


class AnotherNumber(Struct, frozen=True):
    """The conversation was held with a number that the line doesn't have now (P7)."""


Speech = Speakable | Gone | NotOpen | Conflicted | AnotherNumber


def decide_speech(instance: Instance | None, number: str | None, now: datetime) -> Speech:
    """Decide whether a line may speak now, under `number` if that matters (P7)."""
    if instance is None:
        return Gone()
    if instance.state is State.CONFLICT:
        return Conflicted()
    number_now = instance.number
    if instance.state is not State.OPEN or number_now is None or instance.leased(now):
        return NotOpen(instance.state, soon=instance.state in _SOON or instance.leased(now))
    return AnotherNumber() if number not in (None, number_now) else Speakable(instance, number_now)


_SOON = frozenset({State.OPEN, State.CREATING})


# Asked again ---------------------------------------------------------------------------------


class Other(Struct, frozen=True):
    """The key was taken by another request."""


class UnderWay(Struct, frozen=True):
    """Another caller is at it, or its outcome is unknown: ask for it, don't send."""

    send: Send


class Abandoned(Struct, frozen=True):
    """Its caller is gone, and it may have been sent."""

    send: Send


class Done(Struct, frozen=True):
    """It was sent."""

    send: Send


class Retry(Struct, frozen=True):
    """It surely wasn't sent, so it may be."""

    send: Send


Again = Other | UnderWay | Abandoned | Done | Retry


def decide_again(send: Send, request: str | None, now: datetime) -> Again:
    """Decide what it means that a key is used again (P8); `request` is None for a question only."""
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


class Settled(Struct, frozen=True):
    """Its outcome is known, whatever a person says."""


class TooEarly(Struct, frozen=True):
    """Its request may still be running, for so many seconds at most."""

    seconds: int


class Answered(Struct, frozen=True):
    """The send with what a person said of it."""

    send: Send


def decide_answer(send: Send, now: datetime, *, sent: bool) -> Settled | TooEarly | Answered:
    """Decide what a person's word makes of a send: `sent`, or it was not."""
    match send.state:
        case SendState.SENT | SendState.FAILED:
            return Settled()
        case SendState.SENDING | SendState.UNCERTAIN if now < send.until:
            return TooEarly(max(1, -int((now - send.until).total_seconds() // 1)))
        case SendState.SENDING | SendState.UNCERTAIN if sent:
            return Answered(send.model_copy(update={"said_sent": True}))
        case SendState.SENDING | SendState.UNCERTAIN:
            return Answered(send.settled(SendState.FAILED, why=PersonSaid.NOT_SENT))
        case _ as never:
            assert_never(never)


def other_number(meant: str | None, told: str | None) -> str | None:
    """Return the number that was told, if it isn't the one that was meant in another spelling."""
    if meant is None or told is None or fold(meant) == fold(told):
        return None
    return told


def as_echoed(done: Send, message: Mapping[str, Any]) -> Send:
    """Return a send as the document of its message says, whose echo came before the answer.

    By whichever number it left, in that number's conversation it is (P7).
    """
    wrong = other_number(done.number, message.get("number"))
    if wrong is None:
        return done
    change = {"left_through": wrong, "conversation": message.get("conversation")}
    return done.model_copy(update=change)


def abandoned(send: Send) -> Send:
    """Return the send as uncertain: its caller is gone, and it may have been sent."""
    return send.settled(SendState.UNCERTAIN, why=WhyUncertain.ABANDONED)


def doubted(send: Send) -> Send:
    """Return the send as uncertain again: its message proved to be another send's."""
    return send.settled(SendState.UNCERTAIN, why=WhyUncertain.NO_ANSWER, message=None)
