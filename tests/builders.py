"""Nouns of the domain with sensible defaults: a test says only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain import names
from shared.domain.events import CodeShown
from shared.domain.instances import CODE_LIFETIME, Code, Instance, State, new_instance
from shared.domain.names import LineId, LineKey, TenantId
from shared.domain.placing import Capacity
from shared.domain.tenants import Tenant
from shared.domain.upstream import Scannable

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LATER = NOON + timedelta(minutes=10)
"""When what was on show at noon is over: codes and leases."""

NUMBER = "5511999990001"
PREFIX = "instance_"


def a_key(tenant: str = "acme", line: str = "default") -> LineKey:
    """Which line."""
    return LineKey(TenantId(tenant), LineId(line))


MARK = "as we want it"
"""Of the configuration that lines have been given."""


def a_line(
    state: State = State.CLOSED,
    *,
    open: bool = False,
    tenant: str = "acme",
    line: str = "default",
    held_by: str | None = None,
    **change: Any,
) -> Instance:
    """The record of a line's instance; `open` with a number, `held_by` leased since noon."""
    key = a_key(tenant, line)
    new = new_instance(key, names.instance_name(PREFIX, key), "Vendas", "main", NOON)
    opened = {"state": State.OPEN, "number": NUMBER}
    known = {"reason": None, "configured": MARK, **(opened if open else {"state": state}), **change}
    found = new.model_copy(update=known)
    return found.granted(held_by, NOON) if held_by else found


def a_new_line(**change: Any) -> Instance:
    """What a caller wants placed: never seen before and leased to it."""
    return a_line(State.CREATING, **{"held_by": "somebody", **change})


def a_tenant(tenant: str = "acme", *lines: str, **change: Any) -> Tenant:
    """An active tenant that has these lines."""
    has = tuple(map(LineId, lines))
    return Tenant(**{"tenant": TenantId(tenant), "lines": has, "created_at": NOON, **change})


def a_room(server: str = "main", reserved: int = 0, limit: int = 10, **change: Any) -> Capacity:
    """One server's room."""
    return Capacity(server=server, limit=limit, reserved=reserved, **change)


def a_scan(qr: str = "2@a", pairing_code: str | None = None) -> Scannable:
    """What a server shows to be scanned."""
    return Scannable(qr, f"data:image/png;base64,{qr}", pairing_code)


def a_code(qr: str = "2@a", pairing_code: str | None = None, born: datetime = NOON) -> Code:
    """A code that somebody may scan until its life is over."""
    return Code.born(a_scan(qr, pairing_code), born)


def shown(qr: str = "2@a") -> CodeShown:
    """The event that there is a code."""
    return CodeShown(a_scan(qr))


CODE_OVER = NOON + CODE_LIFETIME
