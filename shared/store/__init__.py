"""The only place that knows Firestore: its paths, its preconditions and its faults."""

from shared.store.base import Unfit
from shared.store.letters import Letters
from shared.store.lines import Full, Lines, Placed
from shared.store.messages import Through
from shared.store.threads import Threads


class Store(Lines, Threads, Letters):
    """Everything that Perene keeps."""


__all__ = ["Full", "Placed", "Store", "Through", "Unfit"]
