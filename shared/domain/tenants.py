"""Tenants: the clients of the agency, and what each is allowed."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field

from shared.domain.names import DEFAULT_LINE, LineId, TenantId
from shared.domain.record import Kept, Record

MAX_LINES_LIMIT = 100
MEDIA_DAYS_LIMIT = 3_650


def _bounded(value: Any) -> Any:
    """Read a number written by hand, within the limits that the rest is made for."""
    return min(max(value, 0), MAX_LINES_LIMIT) if isinstance(value, int | float) else 1


def _days(value: Any) -> Any:
    return min(max(int(value), 0), MEDIA_DAYS_LIMIT) if isinstance(value, int | float) else 0


def _or_nothing(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else ()


def _labels(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


Label = Annotated[str, Field(min_length=1, max_length=80)]
"""What people call a line."""


class Status(StrEnum):
    """Whether a tenant may use its lines."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


class Tenant(Kept):
    """One client of the agency. `lines` are the ids of the lines it has now."""

    tenant: TenantId
    status: Status = Status.ACTIVE
    max_lines: Annotated[int, BeforeValidator(_bounded)] = 1
    lines: Annotated[tuple[LineId, ...], BeforeValidator(_or_nothing)] = ()
    labels: Annotated[dict[LineId, str], BeforeValidator(_labels)] = Field(default_factory=dict)
    """What people call its lines, those of the past too: their conversations stay."""
    created_at: AwareDatetime | None = None
    cancelled_at: AwareDatetime | None = None
    media_days: Annotated[int, BeforeValidator(_days)] = 0
    """How many days files are kept after a message with them came; 0: for ever."""
    fed: int = 0
    """The order of the newest row that the agency's database told of it."""

    def has_room_for(self, line: LineId) -> bool:
        """Tell whether the line is one of the tenant's or may become one.

        Every tenant has the line `default`, used or not, so the others share what is left.
        """
        others = {name for name in self.lines if name != DEFAULT_LINE}
        room = self.max_lines if line == DEFAULT_LINE else self.max_lines - 1 - len(others)
        return line in self.lines or room > 0


class MediaUsage(Record):
    """How much a tenant has stored: bytes and files, each file once."""

    bytes: int = 0
    files: int = 0
