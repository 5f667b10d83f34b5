"""Links that pair one line: who made them, and when they were first opened and used."""

from datetime import datetime

from pydantic import AwareDatetime

from shared.domain.names import LineId, TenantId
from shared.domain.record import Kept
from shared.store import base
from shared.store.base import CHANGED, Topic


class KeptLink(Kept):
    """A link to one line."""

    id: str
    tenant: TenantId
    line: LineId
    line_made: int
    """When the line was made, in epoch milliseconds: it isn't for a later one of its name."""
    made_by: str
    made_at: AwareDatetime
    ends_at: AwareDatetime
    opened_at: AwareDatetime | None = None
    paired_at: AwareDatetime | None = None
    expires_at: AwareDatetime


class PairingLinks(Topic):
    """Pairing links, for the person who has the phone."""

    async def store(self, link: KeptLink) -> None:
        """Store a new link. Firestore: 1 write."""
        batch = self._db.batch()
        batch.create(self._db.links.document(link.id), link.model_dump())
        await self._db.commit(batch)

    async def find(self, name: str) -> KeptLink | None:
        """Return a link. Firestore: 1 read."""
        (snapshot,) = await self._db.read(self._db.links.document(name))
        return base.understood(snapshot, KeptLink) if snapshot.exists else None

    async def open(self, link: KeptLink, now: datetime) -> bool:
        """Record that a link was opened; False if another caller was faster. Firestore: 1 write."""
        batch = self._db.batch()
        reference = self._db.links.document(link.id)
        batch.update(reference, {"opened_at": now}, option=self._db.since(link.version))
        try:
            await self._db.commit(batch)
        except CHANGED:
            return False
        return True

    async def record_pairing(self, name: str, now: datetime) -> None:
        """Record that the line was connected through the link. Firestore: 1 write."""
        batch = self._db.batch()
        reference = self._db.links.document(name)
        batch.set(reference, {"paired_at": now}, merge=True)
        await self._db.commit_unordered(batch)
