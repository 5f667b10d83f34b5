"""Read what Evolution says went wrong, in whichever of its shapes (EVOLUTION.md §2)."""

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


def list_texts(body: Any) -> list[str]:
    """List the texts under the body's `message`s; at most 50, each cut at 2 000 characters."""
    return [text[:LONGEST_TEXT] for text in islice(_flatten(_find_messages(body)), MOST_TEXTS)]


def says_error(body: Any) -> bool:
    """Tell whether a body calls itself an error, whatever its status (connect and restart do)."""
    return isinstance(body, dict) and body.get("error") is True


def says_not_licensed(body: Any, status: int) -> bool:
    """Tell whether the server serves nothing before its licence is activated (2.4, §9)."""
    if status != 503 or not isinstance(body, dict):
        return False
    return NOT_LICENSED in (body.get("code"), body.get("error")) or _says(_NOT_LICENSED, body)


def says_instance_missing(body: Any) -> bool:
    """Tell whether the server carries no such instance.

    `Cannot GET …` and a proxy's 404 don't say that.
    """
    return _says(_MISSING, body)


def says_name_in_use(body: Any) -> bool:
    """Tell whether this is the 403 of a create whose name is taken."""
    return _says(_IN_USE, body)


def says_still_connected(body: Any) -> bool:
    """Tell whether 1.8 refuses to delete an instance because it is open."""
    return _says(_CONNECTED, body)


def says_database_failed(body: Any) -> bool:
    """Tell whether a text is a database's error: of a create, a lost race says that (§1.1)."""
    return _says(_DATABASE, body)


def says_full(body: Any) -> bool:
    """Tell whether a server or its proxy takes no more instances (EVOLUTION.md §3, limits)."""
    return _says(_FULL, body) and not says_invalid(body)


def comes_from_evolution(body: Any, status: int) -> bool:
    """Tell Evolution's own errors, which repeat the status, from those of an impatient proxy."""
    return isinstance(body, dict) and body.get("status") == status and bool(list_texts(body))


def says_media_gone(body: Any) -> bool:
    """Tell whether there is no such message, it has no file, or WhatsApp dropped the file."""
    return _says(_MEDIA_GONE, body)


def says_invalid(body: Any) -> bool:
    """Tell whether validation failed, so that nothing was tried.

    Only a failed validation answers with a list in a list.
    """
    messages = _find_messages(body)
    return isinstance(messages, list) and any(isinstance(item, list) for item in messages)


def says_number_unknown(body: Any) -> bool:
    """Tell whether the number isn't on WhatsApp: the text is an object that says so."""
    messages = _find_messages(body)
    return isinstance(messages, list) and any(
        isinstance(item, dict) and item.get("exists") is False for item in messages
    )


def _find_messages(body: Any) -> Any:
    """Return what is under `response`, or under `message` where a route leaves it at the top."""
    if not isinstance(body, dict):
        return None
    response = body.get("response")
    nested = response.get("message") if isinstance(response, dict) else response
    return body.get("message") if nested is None else nested


def _says(pattern: re.Pattern[str], body: Any) -> bool:
    return any(pattern.search(text) for text in list_texts(body))


def _flatten(message: Any) -> Iterator[str]:
    """Yield texts depth first, without recursion: the server decides how deep they are nested."""
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
