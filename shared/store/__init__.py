"""The adapter of Firestore. No other package knows its paths, preconditions and faults."""

from shared.store import base
from shared.store.act_records import Acts
from shared.store.aliases import Aliases
from shared.store.base import Database, LineScope, Tell, Unfit
from shared.store.candidates import Candidates
from shared.store.conversations import Conversations
from shared.store.dead_letters import DeadLetters
from shared.store.desks import Desks
from shared.store.endpoint_records import Endpoints
from shared.store.incidents import Incidents
from shared.store.instances import Full, Instances, Placed
from shared.store.link_records import PairingLinks
from shared.store.logged import LoggedDocuments
from shared.store.media_copies import MediaCopies
from shared.store.messages import Messages
from shared.store.messages.quotes import Quotes
from shared.store.missed_windows import MissedWindows
from shared.store.numbers import Numbers
from shared.store.sends import Sends
from shared.store.server_rooms import Servers
from shared.store.sweeps import Sweeps
from shared.store.tenants import Tenants


class Store:
    """Everything that Perene keeps, by topic."""

    def __init__(self, db: Database, tell: Tell = base.tell_none) -> None:
        """`tell`: called for changes of lines and conversations that no event reports."""
        self.db = db
        self.tenants = Tenants(db)
        self.servers = Servers(db)
        self.numbers = Numbers(db)
        self.instances = Instances(db, self.servers, self.numbers, tell)
        self.pairing_links = PairingLinks(db)
        self.messages = Messages(db)
        self.quotes = Quotes(db)
        self.conversations = Conversations(db, tell)
        self.media_copies = MediaCopies(db)
        self.desks = Desks(db)
        self.aliases = Aliases(db)
        self.sends = Sends(db, self.messages, self.instances)
        self.missed_windows = MissedWindows(db)
        self.dead_letters = DeadLetters(db)
        self.sweeps = Sweeps(db)
        self.candidates = Candidates(db, self.servers)
        self.incidents = Incidents(db)
        self.acts = Acts(db)
        self.logged = LoggedDocuments(db)
        self.endpoints = Endpoints(db)


__all__ = ["Database", "Full", "LineScope", "Placed", "Store", "Unfit"]
