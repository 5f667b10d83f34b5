"""A log of events that tests write by hand, in place of the one that is derived from records."""

from datetime import UTC, datetime
from typing import Any

from shared import services
from shared.domain.event_types import EventType
from shared.domain.names import LineId, TenantId
from shared.outbound.event_log import LogPage
from shared.outbound.facts import Event


class Log:
    """Facts in their order; a position is a number of facts, or a time."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(
        self,
        count: int,
        tenant: str = "acme",
        type: str = "message.received",
        line: str = "default",
        conversation: str | None = None,
        at: datetime | None = None,
    ) -> list[str]:
        """Add events, each of a conversation of its own unless one is named; return their ids."""
        names = []
        for _ in range(count):
            number = len(self.events)
            home = conversation or f"c{number}"
            names.append(f"evt_{number}")
            event = Event(
                id=names[-1],
                type=EventType(type),
                timestamp=at or services.now(),
                data={"conversation": home},
                tenant=TenantId(tenant),
                conversation=home,
                line=LineId(line),
            )
            self.events.append(event)
        return names

    def position_at(self, moment: datetime) -> str:
        return f"at {moment.timestamp()}"

    async def read(
        self,
        tenant: str | None,
        after: str,
        limit: int,
        *,
        types: Any = None,
        lines: Any = None,
        until: datetime | None = None,
    ) -> LogPage:
        start = self._start(after)
        facts = [
            (index, event)
            for index, event in enumerate(self.events)
            if index >= start
            and tenant in (None, event.tenant)
            and (types is None or event.type in types)
            and (lines is None or event.line in lines)
            and (until is None or event.timestamp <= until)
        ]
        page = facts[:limit]
        position = str(page[-1][0] + 1) if page else after
        events, is_last = [event for _, event in page], len(facts) <= limit
        return LogPage(events, position, is_last, False, locate=lambda index: str(page[index][0]))

    def _start(self, after: str) -> int:
        if not after.startswith("at "):
            return int(after)
        since = datetime.fromtimestamp(float(after.removeprefix("at ")), UTC)
        later = (i for i, event in enumerate(self.events) if event.timestamp >= since)
        return next(later, len(self.events))
