"""The adapter of Firestore. No other package knows its paths, preconditions and faults."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.store import base
from shared.store.aliases import Aliases
from shared.store.base import Database, LineScope, Tell, Unfit
from shared.store.conversations import Conversations
from shared.store.dead_letters import DeadLetters
from shared.store.endpoint_records import Endpoints
from shared.store.instances import Full, Instances, Placed
from shared.store.logged import LoggedDocuments
from shared.store.media_copies import MediaCopies
from shared.store.messages import Messages
from shared.store.messages.quotes import Quotes
from shared.store.numbers import Numbers
from shared.store.sends import Sends
from shared.store.server_rooms import Servers
from shared.store.tenants import Tenants

if TYPE_CHECKING:
    from shared.store.act_records import Acts
    from shared.store.candidates import Candidates
    from shared.store.desks import Desks
    from shared.store.incidents import Incidents
    from shared.store.link_records import PairingLinks
    from shared.store.missed_windows import MissedWindows
    from shared.store.sweeps import Sweeps


class Store:
    """Everything that Perene keeps, by topic.

    The topics of only some functions, below, are loaded when one asks for them: the others start
    without these, and without what the domain says of them.
    """

    def __init__(self, db: Database, tell: Tell = base.tell_none) -> None:
        """`tell`: called for changes of lines and conversations that no event reports."""
        self.db = db
        self.tenants = Tenants(db)
        self.servers = Servers(db)
        self.numbers = Numbers(db)
        self.instances = Instances(db, self.servers, self.numbers, tell)
        self.messages = Messages(db)
        self.quotes = Quotes(db)
        self.conversations = Conversations(db, tell)
        self.media_copies = MediaCopies(db)
        self.aliases = Aliases(db)
        self.sends = Sends(db, self.messages, self.instances)
        self.dead_letters = DeadLetters(db)
        self.logged = LoggedDocuments(db)
        self.endpoints = Endpoints(db)

    @cached_property
    def candidates(self) -> "Candidates":
        """Return the instances that sweeps may delete."""
        from shared.store.candidates import Candidates

        return Candidates(self.db, self.servers)

    @cached_property
    def sweeps(self) -> "Sweeps":
        """Return the reports and standings of sweeps."""
        from shared.store.sweeps import Sweeps

        return Sweeps(self.db)

    @cached_property
    def incidents(self) -> "Incidents":
        """Return the incidents."""
        from shared.store.incidents import Incidents

        return Incidents(self.db)

    @cached_property
    def missed_windows(self) -> "MissedWindows":
        """Return the windows in which webhooks were lost."""
        from shared.store.missed_windows import MissedWindows

        return MissedWindows(self.db)

    @cached_property
    def acts(self) -> "Acts":
        """Return what people did that has consequences."""
        from shared.store.act_records import Acts

        return Acts(self.db)

    @cached_property
    def desks(self) -> "Desks":
        """Return what a tenant's people add: labels, notes and quick replies."""
        from shared.store.desks import Desks

        return Desks(self.db)

    @cached_property
    def pairing_links(self) -> "PairingLinks":
        """Return the links by which a line is paired on another page."""
        from shared.store.link_records import PairingLinks

        return PairingLinks(self.db)


__all__ = ["Database", "Full", "LineScope", "Placed", "Store", "Unfit"]
