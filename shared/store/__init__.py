"""The only place that knows Firestore: its paths, its preconditions and its faults."""

from shared.store.base import Unfit
from shared.store.inbox import Inbox
from shared.store.letters import Letters
from shared.store.lines import Full, Lines, Placed
from shared.store.messages import Through
from shared.store.sends import Sends


class Store(Lines, Sends, Inbox, Letters):
    """Everything that Perene keeps."""


__all__ = ["Full", "Placed", "Store", "Through", "Unfit"]
