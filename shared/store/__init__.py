"""The only place that knows Firestore: its paths, its preconditions and its faults."""

from shared.store.lines import Full, Lines, Placed


class Store(Lines):
    """Everything that Perene keeps."""


__all__ = ["Full", "Placed", "Store"]
