"""The adapter of Firestore. No other package knows its paths, preconditions and faults."""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.store import base
from shared.store.base import Database, LineScope, Tell, Unfit

if TYPE_CHECKING:
    from shared.store.act_records import Acts
    from shared.store.aliases import Aliases
    from shared.store.candidates import Candidates
    from shared.store.conversations import Conversations
    from shared.store.dead_letters import DeadLetters
    from shared.store.desks import Desks
    from shared.store.endpoint_records import Endpoints
    from shared.store.incidents import Incidents
    from shared.store.instances import Instances
    from shared.store.link_records import PairingLinks
    from shared.store.logged import LoggedDocuments
    from shared.store.media_copies import MediaCopies
    from shared.store.messages.all_messages import Messages
    from shared.store.messages.quotes import Quotes
    from shared.store.missed_windows import MissedWindows
    from shared.store.numbers import Numbers
    from shared.store.sends import Sends
    from shared.store.server_rooms import Servers
    from shared.store.sweeps import Sweeps
    from shared.store.tenants import Tenants


class Store:
    """Everything that Perene keeps, by topic.

    A topic is loaded when one asks for it: a function starts without the others, and without what
    the domain says of them.
    """

    def __init__(self, db: Database, tell: Tell = base.tell_none) -> None:
        """`tell`: called for changes of lines and conversations that no event reports."""
        self.db = db
        self._tell = tell

    @cached_property
    def tenants(self) -> "Tenants":
        """Return the tenants."""
        from shared.store.tenants import Tenants

        return Tenants(self.db)

    @cached_property
    def servers(self) -> "Servers":
        """Return the rooms that servers have for instances."""
        from shared.store.server_rooms import Servers

        return Servers(self.db)

    @cached_property
    def numbers(self) -> "Numbers":
        """Return the phone numbers that lines hold."""
        from shared.store.numbers import Numbers

        return Numbers(self.db)

    @cached_property
    def instances(self) -> "Instances":
        """Return the instances of lines."""
        from shared.store.instances import Instances

        return Instances(self.db, self.servers, self.numbers, self._tell)

    @cached_property
    def conversations(self) -> "Conversations":
        """Return the conversations."""
        from shared.store.conversations import Conversations

        return Conversations(self.db, self._tell)

    @cached_property
    def messages(self) -> "Messages":
        """Return the messages."""
        from shared.store.messages.all_messages import Messages

        return Messages(self.db)

    @cached_property
    def quotes(self) -> "Quotes":
        """Return the quotes of messages."""
        from shared.store.messages.quotes import Quotes

        return Quotes(self.db)

    @cached_property
    def aliases(self) -> "Aliases":
        """Return the addresses of contacts who have several."""
        from shared.store.aliases import Aliases

        return Aliases(self.db)

    @cached_property
    def media_copies(self) -> "MediaCopies":
        """Return the copies of files."""
        from shared.store.media_copies import MediaCopies

        return MediaCopies(self.db)

    @cached_property
    def sends(self) -> "Sends":
        """Return the sends."""
        from shared.store.sends import Sends

        return Sends(self.db, self.messages, self.instances)

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        """Return the webhooks that nobody understood."""
        from shared.store.dead_letters import DeadLetters

        return DeadLetters(self.db)

    @cached_property
    def logged(self) -> "LoggedDocuments":
        """Return the changed documents, of which events tell."""
        from shared.store.logged import LoggedDocuments

        return LoggedDocuments(self.db)

    @cached_property
    def endpoints(self) -> "Endpoints":
        """Return the endpoints that events go to."""
        from shared.store.endpoint_records import Endpoints

        return Endpoints(self.db)

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


__all__ = ["Database", "LineScope", "Store", "Unfit"]
