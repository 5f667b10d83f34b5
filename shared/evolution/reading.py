"""Reading JSON that somebody else wrote: what it may hold, in our words and types."""

import re
from datetime import UTC, datetime
from typing import Any

from shared.domain.upstream import Connection

STATES = {
    "open": Connection.OPEN,
    "connecting": Connection.CONNECTING,
    "close": Connection.CLOSED,
}

OWN_NUMBER = re.compile(r"([0-9]{5,20})(?::[0-9]+)?@(?:s\.whatsapp\.net|c\.us)")


class MalformedError(Exception):
    """A successful answer that doesn't have the shape it must have."""


def state(word: Any) -> Connection:
    """Evolution's word for a socket's state, in ours."""
    return STATES.get(word, Connection.UNKNOWN) if isinstance(word, str) else Connection.UNKNOWN


def own_number(jid: Any) -> str | None:
    """The digits of an instance's own address, or None if it has none (or hides it)."""
    found = OWN_NUMBER.fullmatch(jid) if isinstance(jid, str) else None
    return found[1] if found else None


def number(value: Any) -> int | None:
    """A whole number as Evolution may write it: itself, its digits, or `{low, high}`."""
    match value:
        case bool():
            return None
        case int():
            return value
        case str() if value.isascii() and value.isdigit() and len(value) < 20:
            return int(value)
        case {"low": int(low), "high": int(high)}:
            return (high << 32) + (low & 0xFFFFFFFF)
        case _:
            return None


def moment(value: Any) -> datetime | None:
    """Read a moment as databases tell it (ISO 8601, UTC where it names no zone)."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def fields(value: Any) -> dict[str, Any]:
    """An object. Raises MalformedError."""
    if not isinstance(value, dict):
        raise MalformedError
    return value


def text(value: Any) -> str | None:
    """A text with something in it."""
    return value if isinstance(value, str) and value else None


def texts(value: Any) -> dict[str, str]:
    """Those fields of an object that are texts."""
    found = value if isinstance(value, dict) else {}
    return {name: held for name, held in found.items() if isinstance(held, str)}
