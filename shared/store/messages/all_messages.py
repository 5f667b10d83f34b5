"""Messages of every conversation: written, updated, revoked, read."""

from shared.store.messages.read import Reads
from shared.store.messages.revoke import Revocations
from shared.store.messages.updates import Updates
from shared.store.messages.write import Writes


class Messages(Writes, Updates, Revocations, Reads):
    """The messages. Every change is safe to repeat, in any order."""
