"""A webhook without what could be misused, so that it may be kept for replay."""

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


def strip_secrets(value: Any) -> Any:
    """The same JSON without keys, tokens, files, and URLs that open something by themselves."""
    return _stripped(value, DEEPEST, _Room(inf))


def strip_secrets_within(characters: int, value: Any) -> tuple[Any, bool]:
    """Strip only as much as so many characters hold; tell whether that isn't all."""
    room = _Room(characters)
    stripped = _stripped(value, DEEPEST, room)
    return stripped, room.left < 0


@dataclass
class _Room:
    """Characters that there is room for; less than none once something was left out."""

    left: float


def _stripped(value: Any, depth: int, room: _Room) -> Any:
    if room.left < 0:
        return None
    room.left -= len(value) if isinstance(value, str) else 1
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [_stripped(item, depth - 1, room) for item in _while_room(value, room)]
    kept = ((name, value[name]) for name in _while_room(value, room))
    return {
        name: _stripped(item, depth - 1, room) for name, item in kept if not _secret(name, item)
    }


def _while_room(items: Iterable[Any], room: _Room) -> Iterator[Any]:
    for item in items:
        if room.left < 0:
            return
        yield item


def _secret(name: Any, value: Any) -> bool:
    plain = "".join(filter(str.isalnum, str(name))).lower()
    if plain in DROPPED or plain.endswith(SECRETS):
        return True
    return plain.endswith("url") and _opens_something(value)


def _opens_something(url: Any) -> bool:
    return isinstance(url, str) and ("?" in url or "@" in url)
