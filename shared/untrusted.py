"""Read JSON that others wrote, within bounds: the only place that does.

A text is checked for its size before it is parsed, and counted before it is validated: a text of a
few megabytes can hold millions of values, and every one costs many times its own length.
"""

import json
import re
from typing import Any

from msgspec import Struct
from pydantic_core import from_json

FILE = "base64"
"""The field whose text is a file: it isn't parsed, and doesn't count as structure."""

MOST_FILES = 4
"""Files that are looked for in one text."""

_PIECE = 1024 * 1024
_MOST_LOOKS = 32
_NAME = f'"{FILE}"'.encode()
_OPENING = re.compile(rb'\s*:\s*"')
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_MARK = "\0file"
"""The mark of the n-th file while the rest is read; only where a file can stand."""


class NotJson(ValueError):
    """The text isn't JSON, or more of it than its reader takes."""


class TooMuch(NotJson):
    """The text is larger, fuller or deeper than its bounds; the message says which."""


class TooDeep(TooMuch):
    """The text is nested deeper than Python can follow."""


class Bounds(Struct, frozen=True):
    """The most that a JSON text may hold: bytes besides files, values, levels below the first."""

    size: int
    items: int = 10_000
    depth: int = 32


SERVERS = Bounds(size=256 * 1024 * 1024, items=3_000_000)
"""Bounds for reports of servers: 32 MiB of messages have 2 million values."""


def read(text: bytearray | bytes, bounds: Bounds) -> Any:
    """Return the value of what a caller wrote, as Python objects.

    A `bytearray` is emptied, so that a large file isn't in memory twice.
    Raises NotJson, TooMuch.
    """
    places = _find_files(text) if len(text) > bounds.size else []
    frame = _cut(text, places)
    if len(frame) > bounds.size:
        raise TooMuch(f"{bounds.size} bytes at most besides files")
    if _marks(frame) > 2 * bounds.items and _is_fuller(frame, bounds.items):
        raise TooMuch(f"{bounds.items} values at most")
    try:
        value = from_json(frame, allow_inf_nan=False, cache_strings="keys")
        _count(value, bounds)
        return _restore(value, _files(text, places)) if places else value
    except NotJson:
        raise
    except ValueError as error:
        raise NotJson("not valid JSON") from error


def read_lenient(text: str | bytes, bounds: Bounds = SERVERS) -> Any:
    """Return the value of what a server wrote; NaN and infinities count as null.

    Lone surrogates stay as they are. Items are estimated by their punctuation, levels are only
    bounded by Python's own limit. Raises NotJson, TooMuch, TooDeep.
    """
    if len(text) > bounds.size or _punctuation(text) > bounds.items:
        raise TooMuch(f"{bounds.size} bytes and {bounds.items} values at most")
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise TooDeep("nested too deep") from None
    except ValueError as error:
        raise NotJson("not valid JSON") from error


def _punctuation(text: str | bytes) -> int:
    marks: tuple[Any, ...] = (",", "[", "{") if isinstance(text, str) else (b",", b"[", b"{")
    return sum(map(text.count, marks))


def _is_fuller(frame: bytearray | bytes, items: int) -> bool:
    """Tell whether there are more values than these; look no further than needed."""
    most = 2 * items
    rest, texts = _TEXT.subn(b"", frame, count=most + 1)
    return texts > most or _marks(rest) > most


def _marks(frame: bytearray | bytes) -> int:
    """Count the marks that end values: at least one a value, and at most two."""
    return sum(map(frame.count, (b",", b"]", b"}")))


def _find_files(text: bytearray | bytes) -> list[slice]:
    """Return where the texts of files are, without their quotes."""
    places, at = list[slice](), 0
    for _ in range(_MOST_LOOKS):
        if len(places) == MOST_FILES or (name := text.find(_NAME, at)) < 0:
            break
        at = name + len(_NAME)
        if opening := _OPENING.match(text, at):
            end = text.find(b'"', opening.end())
            if end < 0 or text[end - 1 : end] == b"\\":
                break
            places.append(slice(opening.end(), end))
            at = end + 1
    return places


def _cut(text: bytearray | bytes, places: list[slice]) -> bytearray | bytes:
    """Return the text with a mark in the place of every file."""
    if not places:
        return text
    frame, at = bytearray(), 0
    with memoryview(text) as whole:
        for index, place in enumerate(places):
            frame += whole[at : place.start]
            frame += json.dumps(f"{_MARK}{index}")[1:-1].encode()
            at = place.stop
        frame += whole[at:]
    return frame


def _files(text: bytearray | bytes, places: list[slice]) -> dict[str, str]:
    """Return the files' texts by their marks, and never hold more of them than twice.

    Raises ValueError, also for a file that isn't ASCII.
    """
    with memoryview(text) as whole:
        if len(places) == 1 and text.find(b"\\", places[0].start, places[0].stop) < 0:
            texts = [_ascii(whole[places[0]])]
            literals = list[bytes]()
        else:
            literals = [bytes(whole[place.start - 1 : place.stop + 1]) for place in places]
            texts = []
    if isinstance(text, bytearray):
        text.clear()
    texts += map(from_json, literals)
    return {f"{_MARK}{index}": text for index, text in enumerate(texts)}


def _ascii(file: memoryview) -> str:
    """Return the text. (Python's own error of one that isn't ASCII would hold a copy of it.)"""
    for start in range(0, len(file), _PIECE):
        if not bytes(file[start : start + _PIECE]).isascii():
            raise NotJson("a file that isn't ASCII")
    return str(file, "ascii")


def _count(value: Any, bounds: Bounds) -> None:
    """Raise TooMuch if the value holds more than the bounds allow."""
    level, items = [value], 0
    for _ in range(bounds.depth + 1):
        items += len(level)
        if items > bounds.items:
            raise TooMuch(f"{bounds.items} values at most")
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise TooMuch(f"{bounds.depth} levels at most")


def _children(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []


def _restore(value: Any, files: dict[str, str]) -> Any:
    """Return the value with every file in the place of its mark."""
    match value:
        case dict():
            return {
                name: files[item]
                if name == FILE and isinstance(item, str) and item in files
                else _restore(item, files)
                for name, item in value.items()
            }
        case list():
            return [_restore(item, files) for item in value]
        case _:
            return value
