"""Name what happened: facts, which are the same whenever they are told, and their events.

What an event is about is in `event_views`, which is loaded when there is one to tell.
"""

import hashlib
import re
from typing import Any, Final, NamedTuple

from pydantic import AwareDatetime, Field

from shared.domain.contacts import ConversationId
from shared.domain.event_types import EventType
from shared.domain.names import LineId, TenantId
from shared.domain.record import Record

SHORT_BYTES: Final = 5
"""Of two facts with the same ones the second is never told: with 3 bytes that was one in 20,000,
where a position remembers as many as it may."""


class Event(Record):
    """Something that happened. The same event told twice has the same `id`."""

    id: str = Field(description="Without a number or a word; also good as `after`")
    type: EventType
    timestamp: AwareDatetime
    data: dict[str, Any] = Field(description="What it is about, as the API shows it")
    tenant: TenantId = Field(exclude=True)
    conversation: ConversationId | None = Field(default=None, exclude=True)
    line: LineId | None = Field(default=None, exclude=True)

    @property
    def order(self) -> str:
        """Return what it has to be told in order with: its conversation, or else its line."""
        return self.conversation or f"line {self.line}"


class Fact(NamedTuple):
    """What an event tells: its type, its time (microseconds), and a digest of both and of what
    else tells it from all others. It is the same whenever it is told."""

    type: EventType
    at: int
    digest: str

    @classmethod
    def of(cls, kind: EventType, at: int, *marks: object) -> "Fact":
        """Make a fact from what is the same whenever it is told."""
        text = "\n".join(map(str, (kind, at, *marks)))
        return cls(kind, at, hashlib.sha256(text.encode()).hexdigest()[:24])

    @property
    def id(self) -> str:
        """Return the id of its event."""
        return f"evt_{self.at:x}_{self.digest}"

    @property
    def short(self) -> int:
        """Return the first bytes of the digest, by which readers know what they were told."""
        return int(self.digest[: 2 * SHORT_BYTES], 16)


def parse_event_id(text: str) -> tuple[int, int] | None:
    """Return the time and the short digest in an event's id, or None if it is no such id."""
    match = re.fullmatch(r"evt_([0-9a-f]{1,13})_([0-9a-f]{24})", text)
    return (int(match[1], 16), int(match[2][: 2 * SHORT_BYTES], 16)) if match else None
