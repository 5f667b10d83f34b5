"""What a table of the agency's says of a tenant: its status, how many lines, and as of when."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from shared.domain import names
from shared.domain.names import TenantId
from shared.domain.record import Record
from shared.domain.tenants import MAX_LINES_LIMIT, Status

STATUSES = {
    "active": Status.ACTIVE,
    "trialing": Status.ACTIVE,
    "suspended": Status.SUSPENDED,
    "past_due": Status.SUSPENDED,
    "unpaid": Status.SUSPENDED,
    "paused": Status.SUSPENDED,
    "cancelled": Status.CANCELLED,
    "canceled": Status.CANCELLED,
}
"""What billing calls it, in our words. Whatever else it says is refused, never guessed."""


AHEAD = timedelta(minutes=10)
"""How far a table's clock may be before ours."""


class Kind(StrEnum):
    """What happened to the row."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


def _status(value: Any) -> Any:
    return STATUSES.get(value.strip().lower(), value) if isinstance(value, str) else value


def _usable(value: Any) -> Any:
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not names.usable(text):
        raise ValueError("can't be a tenant's id")
    return text


class Row(Record):
    """A tenant's row; other columns are its table's own business."""

    id: Annotated[TenantId, BeforeValidator(_usable)]
    status: Annotated[Status, BeforeValidator(_status)]
    max_lines: Annotated[int | None, Field(ge=0, le=MAX_LINES_LIMIT)] = None
    updated_at: AwareDatetime


class RowChanged(Record):
    """A change of that table, as a Supabase database webhook posts it."""

    type: Kind
    record: Row | None = None
    old_record: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _gone_is_what_was(cls, value: Any) -> Any:
        """Of a row that is gone, the old one says whose it was."""
        if isinstance(value, dict) and value.get("type") == Kind.DELETE:
            old = value.get("old_record")
            cancelled = {"status": Status.CANCELLED, "max_lines": None}
            return {**value, "record": {**old, **cancelled} if isinstance(old, dict) else old}
        return value

    @model_validator(mode="after")
    def _whole(self) -> "RowChanged":
        if self.record is None:
            raise ValueError("the row is missing")
        if self.type is Kind.UPDATE and self.old_record:
            before = self.old_record.get("id", self.record.id)
            if str(before) != self.record.id:
                raise ValueError("a tenant's id never changes")
        return self


class Fed(Record):
    """What to make of a tenant, unless something newer was fed already."""

    tenant: TenantId
    change: dict[str, Any]
    order: int


Outcome = Literal["taken", "stale"]


def is_ahead(told: RowChanged, now: datetime) -> bool:
    """Whether the row's time hasn't come: until then, every later row would be stale."""
    assert told.record
    return told.record.updated_at > now + AHEAD


def decide_fed(told: RowChanged) -> Fed:
    """Status and `max_lines`, and nothing else. Of two changes, the one of the later row counts;
    of one row, that it is gone."""
    row = told.record
    assert row
    change: dict[str, Any] = {"status": row.status}
    if row.max_lines is not None:
        change["max_lines"] = row.max_lines
    microseconds = round(row.updated_at.timestamp() * 1_000_000)
    return Fed(tenant=row.id, change=change, order=2 * microseconds + (told.type is Kind.DELETE))
