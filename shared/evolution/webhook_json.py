"""Parse the JSON of webhooks so that every part of it can be stored."""

import re
from typing import Any

from shared import untrusted

DEEPEST = 100
"""Levels of JSON that are read of what is nested too deep to be read whole."""


def parse_json(body: bytes) -> Any:
    """Parse JSON into values that can be stored: no half characters, no NaN. Raises ValueError."""
    text = body.decode("utf-8-sig", "replace")
    try:
        return _parse_text(text)
    except (untrusted.TooDeep, RecursionError):
        return _parse_text(_cut_depth(text))


def _parse_text(text: str) -> Any:
    value = untrusted.read_lenient(text)
    return _replace_halves(value) if _HALF.search(text) else value


def _replace_halves(value: Any) -> Any:
    """Replace half characters (lone surrogates), which UTF-8 can't hold."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_replace_halves(item) for item in value]
        case dict():
            return {_replace_halves(name): _replace_halves(item) for name, item in value.items()}
        case _:
            return value


def _cut_depth(text: str) -> str:
    """Put null in the place of everything that is nested deeper than any real webhook."""
    depth, tokens = 0, list[str]()
    for match in _TOKEN.finditer(text):
        token = match[0]
        opens, closes = token in "[{", token in "]}"
        depth -= closes
        if depth < DEEPEST or (depth == DEEPEST and not (opens or closes)):
            tokens.append(token)
        elif depth == DEEPEST and opens:
            tokens.append("null")
        depth += opens
    return "".join(tokens)


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^"\[\]{}]+')
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
