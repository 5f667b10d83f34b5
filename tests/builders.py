"""Build domain objects with sensible defaults, so that a test says only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain import content, names
from shared.domain.content import Content, Kind
from shared.domain.events import CodeShown
from shared.domain.instances import CODE_LIFETIME, Code, Instance, State, new_instance
from shared.domain.names import LineId, LineKey, TenantId
from shared.domain.placing import Capacity
from shared.domain.tenants import Tenant
from shared.domain.upstream import Scannable

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LATER = NOON + timedelta(minutes=10)
"""A moment at which codes and leases from noon have expired."""

NUMBER = "5511999990001"
PREFIX = "instance_"


def a_content(kind: Kind, **fields: Any) -> Content:
    """Build a content."""
    return content.read_content({"kind": kind, **fields})


def a_key(tenant: str = "acme", line: str = "default") -> LineKey:
    """Build the key of a line."""
    return LineKey(TenantId(tenant), LineId(line))


FINGERPRINT = "as we want it"
"""The fingerprint of the configuration that lines have."""


def a_line(
    state: State = State.CLOSED,
    *,
    open: bool = False,
    tenant: str = "acme",
    line: str = "default",
    held_by: str | None = None,
    **change: Any,
) -> Instance:
    """Build a line's instance; `open` gives it a number, `held_by` a lease since noon."""
    key = a_key(tenant, line)
    new = new_instance(key, names.instance_name(PREFIX, key), "Vendas", "main", NOON)
    opened = {"state": State.OPEN, "number": NUMBER}
    fields = {"reason": None, "configured": FINGERPRINT, **(opened if open else {"state": state})}
    instance = new.model_copy(update=fields | change)
    return instance.granted(held_by, NOON) if held_by else instance


def a_new_line(**change: Any) -> Instance:
    """Build a line to be placed: new, and leased to a caller."""
    return a_line(State.CREATING, **{"held_by": "caller", **change})


def a_tenant(tenant: str = "acme", *lines: str, **change: Any) -> Tenant:
    """Build an active tenant that has these lines."""
    line_ids = tuple(map(LineId, lines))
    return Tenant(**{"tenant": TenantId(tenant), "lines": line_ids, "created_at": NOON, **change})


def a_room(server: str = "main", reserved: int = 0, limit: int = 10, **change: Any) -> Capacity:
    """Build the capacity of a server."""
    return Capacity(server=server, limit=limit, reserved=reserved, **change)


def a_scan(qr: str = "2@a", pairing_code: str | None = None) -> Scannable:
    """Build a code as a server shows it."""
    return Scannable(qr, f"data:image/png;base64,{qr}", pairing_code)


def a_code(qr: str = "2@a", pairing_code: str | None = None, born: datetime = NOON) -> Code:
    """Build a stored code."""
    return Code.begin(a_scan(qr, pairing_code), born)


def code_shown(qr: str = "2@a") -> CodeShown:
    """Build the event of a new code."""
    return CodeShown(a_scan(qr))


CODE_EXPIRY = NOON + CODE_LIFETIME
