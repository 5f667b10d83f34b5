"""What an envelope tells that its data doesn't, and reading data that may be a list."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from shared.domain.events import Event, Ignored, Unreadable
from shared.evolution import redaction

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
    if not isinstance(items, list):
        return tuple(dict.fromkeys(one(items))) or (Ignored("nothing in it"),)
    told = dict.fromkeys(_of(item, event) for item in items for event in one(item))
    return tuple(told) or (Ignored("nothing in it"),)


def _of(item: Any, event: Event) -> Event:
    """What can't be read of a list is kept by itself: the whole may be too long to keep."""
    return (
        replace(event, item=json.dumps(redaction.strip_secrets(item)))
        if isinstance(event, Unreadable)
        else event
    )
