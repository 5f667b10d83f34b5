"""The only place that knows Firestore: its paths, its preconditions and its faults."""

from shared.store.store import Full, Placed, Store

__all__ = ["Full", "Placed", "Store"]
