"""The adapter of Firestore. No other package knows its paths, preconditions and faults."""

from shared.store.base import Unfit
from shared.store.candidates import CandidateStore
from shared.store.gaps import MissedWindows
from shared.store.inbox import Inbox
from shared.store.incidents import IncidentStore
from shared.store.letters import DeadLetters
from shared.store.lines import Full, Placed
from shared.store.link_records import PairingLinks
from shared.store.messages import LineScope
from shared.store.sends import Sends
from shared.store.sweeps import Sweeps


class Store(
    CandidateStore, Sends, Inbox, MissedWindows, DeadLetters, Sweeps, IncidentStore, PairingLinks
):
    """The store of everything that Perene keeps."""


__all__ = ["Full", "LineScope", "Placed", "Store", "Unfit"]
