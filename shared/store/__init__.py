"""The only place that knows Firestore: its paths, its preconditions and its faults."""

from shared.store.base import Unfit
from shared.store.candidates import Candidates
from shared.store.gaps import Gaps
from shared.store.inbox import Inbox
from shared.store.incidents import Incidents
from shared.store.letters import Letters
from shared.store.lines import Full, Placed
from shared.store.links import Links
from shared.store.messages import Through
from shared.store.sends import Sends
from shared.store.sweeps import Sweeps


class Store(Candidates, Sends, Inbox, Gaps, Letters, Sweeps, Incidents, Links):
    """Everything that Perene keeps."""


__all__ = ["Full", "Placed", "Store", "Through", "Unfit"]
