"""Read which part of a file a browser asks for (RFC 9110, section 14)."""

import re

from msgspec import Struct

from shared import problems

_ONE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


class ByteSpan(Struct, frozen=True):
    """A part of a file: its first and its last byte, both included."""

    first: int
    last: int


def find_span(asked: str | None, condition: str | None, size: int, etag: str) -> ByteSpan | None:
    """Return the part that `Range` asks for, None for the whole file.

    `condition`: the `If-Range` header. Several ranges, and what is no range, mean the whole file,
    as the standard allows. Raises RangeOutside.
    """
    match = _ONE_RANGE.fullmatch(asked or "")
    if match is None or match[0] == "bytes=-" or condition not in (None, etag):
        return None
    if not match[1]:
        span = ByteSpan(max(size - int(match[2]), 0), size - 1)
    else:
        last = min(int(match[2]), size - 1) if match[2] else size - 1
        span = ByteSpan(int(match[1]), last)
        if match[2] and int(match[2]) < span.first:
            return None
    if span.first > span.last:
        raise problems.RangeOutside(f"The file has {size} bytes.")
    return span
