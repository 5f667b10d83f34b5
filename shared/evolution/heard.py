"""What an envelope tells that its data doesn't, and reading data that may be a list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from shared.domain.events import Event, Ignored

Events = tuple[Event, ...]


@dataclass(frozen=True)
class Heard:
    """The data of an event; `own` is our number, `at` the server's time (0 if it has none).

    `ours`: it tells what we said through this server.
    """

    data: Any
    own: str | None = None
    at: int = 0
    ours: bool = False


Meaning = Callable[[Heard], Events]


def each(items: Any, one: Callable[[Any], Iterable[Event]]) -> Events:
    """What an item, or every item of a list, means; the same told twice is one."""
    several = items if isinstance(items, list) else [items]
    told = dict.fromkeys(event for item in several for event in one(item))
    return tuple(told) or (Ignored("nothing in it"),)
