"""Reading what Evolution says went wrong, in whichever of its shapes (EVOLUTION.md §2)."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

MOST_TEXTS = 50
LONGEST_TEXT = 2_000
NOT_LICENSED = "LICENSE_REQUIRED"

_MISSING = re.compile(r"\binstance\b.*\b(does not exist|not found)\b", re.IGNORECASE | re.DOTALL)
_NOT_LICENSED = re.compile(rf"\b{NOT_LICENSED}\b")
_IN_USE = re.compile(r"\bname\b.*\balready in use\b", re.IGNORECASE | re.DOTALL)
_CONNECTED = re.compile(r"needs to be disconnected", re.IGNORECASE)
_FULL = re.compile(r"\b(max(imum)?|limit)\b", re.IGNORECASE)
_MEDIA_GONE = re.compile(
    r"^Message not found|is not of the media type|Failed to fetch stream", re.IGNORECASE
)
_DATABASE = re.compile(
    r"prisma|invocation|foreign key|unique constraint|constraint (violated|failed)|_fkey\b"
    r"|database|duplicate key|mongo",
    re.IGNORECASE,
)


def texts(body: Any) -> list[str]:
    """Every text under the body's `message`s, flat; at most 50, each cut at 2 000 characters."""
    return [text[:LONGEST_TEXT] for text in islice(_flat(_messages(body)), MOST_TEXTS)]


def says_error(body: Any) -> bool:
    """A body that calls itself an error, whatever its status (connect and restart do that)."""
    return isinstance(body, dict) and body.get("error") is True


def not_licensed(body: Any, status: int) -> bool:
    """Tell whether the server serves nothing before its licence is activated (2.4, §9)."""
    if status != 503 or not isinstance(body, dict):
        return False
    return NOT_LICENSED in (body.get("code"), body.get("error")) or _says(_NOT_LICENSED, body)


def instance_missing(body: Any) -> bool:
    """The server carries no such instance; `Cannot GET …` and a proxy's 404 don't say that."""
    return _says(_MISSING, body)


def name_in_use(body: Any) -> bool:
    """The 403 of a create whose name is taken."""
    return _says(_IN_USE, body)


def still_connected(body: Any) -> bool:
    """What 1.8 says instead of deleting an open instance."""
    return _says(_CONNECTED, body)


def from_database(body: Any) -> bool:
    """The text of a database error: of a create, that is what a lost race says (§1.1)."""
    return _says(_DATABASE, body)


def full(body: Any) -> bool:
    """Somebody before the server limits how many instances there are (EVOLUTION.md §3, limits)."""
    return _says(_FULL, body) and not invalid(body)


def by_evolution(body: Any, status: int) -> bool:
    """Evolution itself answered, not a proxy that lost patience: its errors repeat the status."""
    return isinstance(body, dict) and body.get("status") == status and bool(texts(body))


def media_gone(body: Any) -> bool:
    """There is no such message, it has no file, or WhatsApp doesn't keep the file any more."""
    return _says(_MEDIA_GONE, body)


def invalid(body: Any) -> bool:
    """Validation failed, so nothing was tried: only that answers with a list in a list."""
    messages = _messages(body)
    return isinstance(messages, list) and any(isinstance(item, list) for item in messages)


def unknown_number(body: Any) -> bool:
    """The number isn't on WhatsApp: the text is an object that says so."""
    messages = _messages(body)
    return isinstance(messages, list) and any(
        isinstance(item, dict) and item.get("exists") is False for item in messages
    )


def _messages(body: Any) -> Any:
    """Under `response` mostly; some routes leave `message` at the top."""
    if not isinstance(body, dict):
        return None
    response = body.get("response")
    nested = response.get("message") if isinstance(response, dict) else response
    return body.get("message") if nested is None else nested


def _says(pattern: re.Pattern[str], body: Any) -> bool:
    return any(pattern.search(text) for text in texts(body))


def _flat(message: Any) -> Iterator[str]:
    """Depth first, without recursion: the nesting is somebody else's."""
    pending = [message]
    while pending:
        match pending.pop():
            case str() as text:
                yield text
            case list() as items:
                pending.extend(reversed(items))
            case dict() as fields:
                pending.extend(reversed(list(fields.values())))
            case _:
                pass
