"""Numbers, bytes and times as protocol buffers leave JavaScript (EVOLUTION.md §4)."""

import binascii
from base64 import b64decode
from typing import Any

from shared.evolution import reading

MOST = 2**53 - 1
"""The greatest whole number that every reader of JSON agrees on."""

_FIRST_MILLIS = 10**11
_LAST_MILLIS = 10**14


def whole(value: Any) -> int | None:
    """A whole number from 0 to 2^53 - 1: itself, its digits, or `{low, high, unsigned}`."""
    found = int(value) if _integral(value) else reading.number(value)
    return found if found is not None and 0 <= found <= MOST else None


def millis(value: Any) -> int | None:
    """A moment in epoch milliseconds, from seconds or from milliseconds; never 0."""
    found = whole(value)
    if not found or found >= _LAST_MILLIS:
        return None
    return found if found >= _FIRST_MILLIS else found * 1000


def raw(value: Any, limit: int) -> bytes | None:
    """At most `limit` bytes: `{"0": 1, …}`, a list, base64 or Node's `{type: "Buffer", data}`."""
    match value:
        case {"type": "Buffer", "data": list() | str() as inner}:
            return raw(inner, limit)
        case str():
            return _decoded(value, limit)
        case list():
            return _packed(value) if len(value) <= limit else None
        case dict() if len(value) <= limit:
            return _packed([value.get(str(index)) for index in range(len(value))])
        case _:
            return None


def number(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= MOST else None


def _integral(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _packed(values: list[Any]) -> bytes | None:
    try:
        return bytes(values)
    except (TypeError, ValueError):
        return None


def _decoded(value: str, limit: int) -> bytes | None:
    if len(value) > 4 * (limit // 3 + 1):
        return None
    try:
        found = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if len(found) <= limit else None
