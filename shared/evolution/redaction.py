"""Remove from a webhook what could be misused, so that it may be stored for replay."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

DEEPEST = 60

SECRETS = ("apikey", "token", "secret", "password", "authorization", "sidecar", "sha256")
"""How keys of secrets end, without case and punctuation."""

DROPPED = frozenset(
    {
        "base64",
        "code",
        "destination",
        "directpath",
        "jpegthumbnail",
        "jwtkey",
        "mediakey",
        "pairingcode",
        "pngthumbnail",
        "thumbnaildirectpath",
        "waveform",
    }
)
"""Keys of files, of what opens them, and of codes to pair with.

`destination` is our own address, which on 1.8 carries the webhook's token in its path.
"""

_SECRET_FIELD = re.compile(
    r'("(?:api_?key|\w*token|destination|base64|mediaKey)"\s*:\s*)"[^"]*"?', re.IGNORECASE
)


def strip_secrets(value: Any) -> Any:
    """Return the JSON without keys, tokens, files, and URLs that open something by themselves."""
    return _strip(value, DEEPEST, _Room(inf))


def strip_secrets_within(characters: int, value: Any) -> tuple[Any, bool]:
    """Strip only as much as fits into so many characters; tell whether something was left out."""
    room = _Room(characters)
    stripped = _strip(value, DEEPEST, room)
    return stripped, room.characters < 0


def strip_secrets_from_text(text: str) -> str:
    """Blank out secrets in a text that isn't JSON, or is only the beginning of it."""
    return _SECRET_FIELD.sub(r'\1"…"', text)


@dataclass
class _Room:
    """The characters that there is room for; fewer than 0 once something was left out."""

    characters: float


def _strip(value: Any, depth: int, room: _Room) -> Any:
    if room.characters < 0:
        return None
    room.characters -= len(value) if isinstance(value, str) else 1
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [_strip(item, depth - 1, room) for item in _while_room(value, room)]
    fields = ((name, value[name]) for name in _while_room(value, room))
    return {
        name: _strip(item, depth - 1, room) for name, item in fields if not _is_secret(name, item)
    }


def _while_room(items: Iterable[Any], room: _Room) -> Iterator[Any]:
    """Yield items until the room is used up."""
    for item in items:
        if room.characters < 0:
            return
        yield item


def _is_secret(name: Any, value: Any) -> bool:
    plain = "".join(filter(str.isalnum, str(name))).lower()
    if plain in DROPPED or plain.endswith(SECRETS):
        return True
    return plain.endswith("url") and _grants_access(value)


def _grants_access(url: Any) -> bool:
    return isinstance(url, str) and ("?" in url or "@" in url)


OUTLINED = frozenset({"event", "date_time", "messagetype", "status", "source", "type"})
"""Keys whose values say what a webhook is, and nothing of what people said."""

LONGEST_CODE, LARGEST_NUMBER = 60, 10**10
"""Longer values of those keys, and larger numbers, may be something else."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")


def outline(value: Any, key: str = "") -> Any:
    """Return the JSON with the length of each text in its place: its shape, without its words."""
    match value:
        case dict():
            return {_outline_key(name): outline(item, name) for name, item in value.items()}
        case list():
            return [outline(item) for item in value]
        case str() if key.lower() in OUTLINED and len(value) <= LONGEST_CODE:
            return value
        case str():
            return f"({len(value)})"
        case int() | float() if abs(value) >= LARGEST_NUMBER:
            return "(number)"
        case _:
            return value


def _outline_key(name: str) -> str:
    """Return a key of a webhook; one that isn't a word may be a person's address."""
    return name if _NAME.fullmatch(name) else f"({len(name)})"
