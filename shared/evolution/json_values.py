"""Read values of JSON that an Evolution server wrote, in every shape that it writes them in.

Protocol buffers leave JavaScript as numbers, digits, `{low, high}` or `{"0": 1, …}` (EVOLUTION.md
§4). A reader returns None for what it can't read.
"""

import binascii
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

GREATEST = 2**53 - 1
"""The greatest whole number that every reader of JSON agrees on."""

_FIRST_MILLIS = 10**11
_LAST_MILLIS = 10**14


class MalformedError(Exception):
    """A successful answer that doesn't have the shape it must have."""


def require_object(value: Any) -> dict[str, Any]:
    """Return an object. Raises MalformedError for anything else."""
    if not isinstance(value, dict):
        raise MalformedError
    return value


def read_text(value: Any) -> str | None:
    """Return a text that isn't empty."""
    return value if isinstance(value, str) and value else None


def read_texts(value: Any) -> dict[str, str]:
    """Return the fields of an object that are texts."""
    fields = value if isinstance(value, dict) else {}
    return {name: text for name, text in fields.items() if isinstance(text, str)}


def read_integer(value: Any) -> int | None:
    """Read a whole number: itself, its digits, or `{low, high}`."""
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


def read_count(value: Any) -> int | None:
    """Read a whole number from 0 to 2^53 - 1, also one that is written as a float."""
    count = int(value) if _is_integral(value) else read_integer(value)
    return count if count is not None and 0 <= count <= GREATEST else None


def read_float(value: Any) -> float | None:
    """Read a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= GREATEST else None


def read_millis(value: Any) -> int | None:
    """Read a moment in epoch milliseconds, from seconds or from milliseconds; never 0."""
    count = read_count(value)
    if not count or count >= _LAST_MILLIS:
        return None
    return count if count >= _FIRST_MILLIS else count * 1000


def read_moment(value: Any) -> datetime | None:
    """Read a moment as databases write it (ISO 8601, UTC where it names no zone)."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def read_bytes(value: Any, limit: int) -> bytes | None:
    """Read up to `limit` bytes from `{"0": 1, …}`, a list, base64 or Node's `{type, data}`."""
    match value:
        case {"type": "Buffer", "data": list() | str() as inner}:
            return read_bytes(inner, limit)
        case str():
            return _decode_base64(value, limit)
        case list():
            return _pack_bytes(value) if len(value) <= limit else None
        case dict() if len(value) <= limit:
            return _pack_bytes([value.get(str(index)) for index in range(len(value))])
        case _:
            return None


def _is_integral(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _pack_bytes(values: list[Any]) -> bytes | None:
    try:
        return bytes(values)
    except (TypeError, ValueError):
        return None


def _decode_base64(value: str, limit: int) -> bytes | None:
    if len(value) > 4 * (limit // 3 + 1):
        return None
    try:
        content = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if len(content) <= limit else None
