"""Tenants: the clients of the agency, and what each is allowed."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from shared.domain.names import DEFAULT_LINE, LineId, TenantId
from shared.domain.record import Kept

MAX_LINES_LIMIT = 100


class Status(StrEnum):
    """Whether a tenant may use its lines."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


class Tenant(Kept):
    """One client of the agency. `lines` are the ids of the lines it has now."""

    tenant: TenantId
    status: Status = Status.ACTIVE
    max_lines: int = Field(default=1, ge=0, le=MAX_LINES_LIMIT)
    lines: tuple[LineId, ...] = ()
    created_at: AwareDatetime | None = None

    def has_room_for(self, line: LineId) -> bool:
        """Whether the line is one of the tenant's or may become one.

        Every tenant has the line `default`, used or not, so the others share what is left.
        """
        others = {known for known in self.lines if known != DEFAULT_LINE}
        room = self.max_lines if line == DEFAULT_LINE else self.max_lines - 1 - len(others)
        return line in self.lines or room > 0
