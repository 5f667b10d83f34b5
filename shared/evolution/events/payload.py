"""Hold what an envelope says around the data of an event, and read data that may be a list."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from msgspec import Struct

from shared.domain.events import Event, Ignored, Unreadable
from shared.evolution import redaction

Events = tuple[Event, ...]


class EventPayload(Struct, frozen=True):
    """The data of an event, with our number (digits) and the server's time (ms; 0: unknown).

    `ours`: the event tells of a message that was sent through this server. `emitted`: the server's
    time (None: unknown) where `at` is a message's. `index`: how many messages come before it.
    """

    data: Any
    own_number: str | None = None
    at: int = 0
    ours: bool = False
    emitted: int | None = None
    index: int = 0


EventReader = Callable[[EventPayload], Events]


def read_items(items: Any, read_item: Callable[[Any], Iterable[Event]]) -> Events:
    """Read an item, or every item of a list; an event that is told twice counts once."""
    if not isinstance(items, list):
        return tuple(dict.fromkeys(read_item(items))) or (Ignored("nothing in it"),)
    events = dict.fromkeys(_attach_item(item, event) for item in items for event in read_item(item))
    return tuple(events) or (Ignored("nothing in it"),)


def _attach_item(item: Any, event: Event) -> Event:
    """Attach an unreadable item of a list to its event: the whole list may be too long to store."""
    return (
        replace(event, item=json.dumps(redaction.strip_secrets(item)))
        if isinstance(event, Unreadable)
        else event
    )
