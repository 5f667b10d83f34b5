"""A webhook without what could be misused, so that it may be kept for replay."""

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
    return _stripped(value, DEEPEST)


def _stripped(value: Any, depth: int) -> Any:
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [_stripped(item, depth - 1) for item in value]
    kept = {name: item for name, item in value.items() if not _secret(name, item)}
    return {name: _stripped(item, depth - 1) for name, item in kept.items()}


def _secret(name: Any, value: Any) -> bool:
    plain = "".join(filter(str.isalnum, str(name))).lower()
    if plain in DROPPED or plain.endswith(SECRETS):
        return True
    return plain.endswith("url") and _opens_something(value)


def _opens_something(url: Any) -> bool:
    return isinstance(url, str) and ("?" in url or "@" in url)
