"""Names: of lines, of instances, and the spelling of a tenant's id inside them.

An instance's name is derived from its tenant and line and nothing else, so the two tell
the name, and a name on a server tells whose it is:

    instance_<tenant>            the line `default`
    instance_<tenant>~~<line>    any other line

Letters, digits, `-`, `_` and `.` of the tenant's id stand for themselves; every other byte of its
UTF-8 is `~` and two hexadecimal digits. That is injective, reversible, URL-safe and, because
Evolution keeps names in a column of 255 characters (EVOLUTION.md §3), bounded.
"""

import re
from functools import lru_cache
from typing import NamedTuple, NewType

TenantId = NewType("TenantId", str)
LineId = NewType("LineId", str)
InstanceName = NewType("InstanceName", str)

DEFAULT_LINE = LineId("default")
LINE_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$"
LINE_LIMIT = 32
NAME_LIMIT = 255
PREFIX_LIMIT = 16
SPELLING_LIMIT = NAME_LIMIT - PREFIX_LIMIT - len("~~") - LINE_LIMIT

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_ESCAPE = re.compile(rb"~([0-9a-f]{2})")


class LineKey(NamedTuple):
    """Which line: the tenant that the caller's token names, and one of its lines."""

    tenant: TenantId
    line: LineId


@lru_cache(maxsize=10_000)
def spell(tenant: TenantId) -> str:
    """Write a tenant's id as names and document ids do: `[A-Za-z0-9._~-]`, never empty.

    A document id may not be `.`, `..` or `__…__` (Firestore's limits), so the first character of
    those is escaped too.
    """
    raw = tenant.encode()
    reserved = set(raw) == {ord(".")} or raw.startswith(b"__")
    letters = [_spell_byte(byte, reserved and index == 0) for index, byte in enumerate(raw)]
    return "".join(letters)


def unspell(spelled: str) -> TenantId | None:
    """Return the tenant whose spelling this is, or None if it is no tenant's."""
    try:
        raw = _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), spelled.encode())
        tenant = TenantId(raw.decode())
    except UnicodeError:
        return None
    return tenant if spelled and spell(tenant) == spelled else None


def usable(tenant: str) -> bool:
    """Tell whether a tenant's id can be part of a name: not empty, real Unicode, short enough."""
    try:
        return 0 < len(spell(TenantId(tenant))) <= SPELLING_LIMIT
    except UnicodeEncodeError:
        return False


def is_line(line: str) -> bool:
    """Tell whether this can be the id of a line."""
    return re.fullmatch(LINE_PATTERN, line) is not None


def instance_name(prefix: str, key: LineKey) -> InstanceName:
    """Return the one name of the instance that carries a line."""
    suffix = "" if key.line == DEFAULT_LINE else f"~~{key.line}"
    return InstanceName(f"{prefix}{spell(key.tenant)}{suffix}")


@lru_cache(maxsize=10_000)
def line_key(prefix: str, name: str) -> LineKey | None:
    """Return the line that a name was derived from, or None if the name isn't one of ours."""
    spelling, separator, line = name.removeprefix(prefix).partition("~~")
    tenant = unspell(spelling)
    if tenant is None or (separator and (line == DEFAULT_LINE or not is_line(line))):
        return None
    key = LineKey(tenant, LineId(line or DEFAULT_LINE))
    return key if instance_name(prefix, key) == name else None


def _spell_byte(byte: int, reserved: bool) -> str:
    return chr(byte) if byte in _PLAIN and not reserved else f"~{byte:02x}"
