"""Write and read the cursors of pages, and the tags of answers."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from shared import problems, untrusted
from shared.domain import positions
from shared.domain.record import Record
from shared.store.base import PageEnd

CURSOR = untrusted.Bounds(size=4_000, items=4, depth=1)
_DOCUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:=@+-]{0,299}")


def etag_of(records: Iterable[Record]) -> str:
    """Return a tag that is the same for the same records in the same condition."""
    return f'"{hash_records(records)}"'


def hash_records(records: Iterable[Record]) -> str:
    """Return 20 hexadecimal digits that are the same for the same records in the same condition."""
    texts = "\n".join(record.model_dump_json() for record in records)
    return hashlib.sha256(texts.encode()).hexdigest()[:20]


def encode_cursor(end: PageEnd | None) -> str | None:
    """Write where a page ended as an opaque cursor, good while its document is kept."""
    if end is None:
        return None
    parts: list[Any] = [end.value, end.id]
    if isinstance(end.value, float):
        second, index = positions.divide(end.value)
        parts = [second, end.id, index]
    document = json.dumps(parts, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(document).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> PageEnd | None:
    """Read where a cursor points: to a time or position, and a document. Raises CursorInvalid."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        value, document, *rest = untrusted.read(base64.urlsafe_b64decode(padded), CURSOR)
        fits = all(map(_is_time, [value, *rest]))
    except (ValueError, TypeError):
        raise problems.CursorInvalid() from None
    if not fits or not isinstance(document, str) or not _DOCUMENT.fullmatch(document):
        raise problems.CursorInvalid()
    return PageEnd(positions.join(value, *rest) if rest else value, document)


def _is_time(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
