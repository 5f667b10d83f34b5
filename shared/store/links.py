"""Links that connect one line: who made them, and when each was opened, by the first who came."""

from datetime import datetime

from google.api_core import exceptions
from pydantic import AwareDatetime

from shared.domain.names import LineId, TenantId
from shared.domain.record import Kept
from shared.store import base
from shared.store.base import CONTENDED, Base


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


class Links(Base):
    """What was given to whoever has a phone."""

    async def keep_link(self, link: KeptLink) -> None:
        """The link is there. Firestore: 1 write."""
        batch = self._client.batch()
        batch.create(self._client.collection("links").document(link.id), link.model_dump())
        await self._commit(batch)

    async def link(self, name: str) -> KeptLink | None:
        """One of them. Firestore: 1 read."""
        (found,) = await self._read(self._client.collection("links").document(name))
        return base.understood(found, KeptLink) if found.exists else None

    async def link_opened(self, known: KeptLink, now: datetime) -> bool:
        """It is opened by us; False if somebody was faster. Firestore: 1 write."""
        batch = self._client.batch()
        reference = self._client.collection("links").document(known.id)
        batch.update(reference, {"opened_at": now}, option=self._since(known.version))
        try:
            await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return False
        return True

    async def link_paired(self, name: str, now: datetime) -> None:
        """Through it the line was connected. Firestore: 1 write."""
        batch = self._client.batch()
        reference = self._client.collection("links").document(name)
        batch.set(reference, {"paired_at": now}, merge=True)
        await self._fold(batch)
