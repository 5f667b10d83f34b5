"""Read what a table of the agency's says of a tenant: status, number of lines, as of when."""

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
"""Words of billing systems, as ours. Any other word is refused, never guessed."""

AHEAD = timedelta(minutes=10)
"""The time that a table's clock may be before ours."""


class RowChange(StrEnum):
    """A kind of change of a row."""

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
    """A tenant's row; other columns of its table are ignored."""

    id: Annotated[TenantId, BeforeValidator(_usable)]
    status: Annotated[Status, BeforeValidator(_status)]
    max_lines: Annotated[int | None, Field(ge=0, le=MAX_LINES_LIMIT)] = None
    updated_at: AwareDatetime


class RowChanged(Record):
    """A change of that table, as a Supabase database webhook posts it."""

    type: RowChange
    record: Row | None = None
    old_record: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_deletion(cls, value: Any) -> Any:
        """Read a deleted row as its old one, cancelled."""
        if isinstance(value, dict) and value.get("type") == RowChange.DELETE:
            old = value.get("old_record")
            cancelled = {"status": Status.CANCELLED, "max_lines": None}
            return {**value, "record": {**old, **cancelled} if isinstance(old, dict) else old}
        return value

    @model_validator(mode="after")
    def _require_row(self) -> "RowChanged":
        if self.record is None:
            raise ValueError("the row is missing")
        if self.type is RowChange.UPDATE and self.old_record:
            before = self.old_record.get("id", self.record.id)
            if str(before) != self.record.id:
                raise ValueError("a tenant's id never changes")
        return self


class TenantUpdate(Record):
    """A change of a tenant, unless one with a higher `order` was made before."""

    tenant: TenantId
    change: dict[str, Any]
    order: int


Outcome = Literal["taken", "stale"]


def is_ahead(changed: RowChanged, now: datetime) -> bool:
    """Tell whether the row's time lies ahead: until then, every later row would be stale."""
    assert changed.record
    return changed.record.updated_at > now + AHEAD


def decide_update(changed: RowChanged) -> TenantUpdate:
    """Decide what a row changes: status and `max_lines`, and nothing else.

    Of two changes, the one of the later row wins; of one row's, its deletion.
    """
    row = changed.record
    assert row
    change: dict[str, Any] = {"status": row.status}
    if row.max_lines is not None:
        change["max_lines"] = row.max_lines
    microseconds = round(row.updated_at.timestamp() * 1_000_000)
    order = 2 * microseconds + (changed.type is RowChange.DELETE)
    return TenantUpdate(tenant=row.id, change=change, order=order)
