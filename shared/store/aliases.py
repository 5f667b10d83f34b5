"""Contacts by the number that a caller typed, as WhatsApp resolved it when it was looked up."""

from datetime import datetime

from shared.domain.contacts import Contact
from shared.domain.names import LineId, TenantId
from shared.store.base import Topic


class Aliases(Topic):
    """Contacts of looked-up numbers. They are kept: many look-ups get a number banned."""

    async def find(self, tenant: TenantId, line: LineId, number: str) -> Contact | None:
        """Return the contact behind a number, if it was looked up before. Firestore: 1 read."""
        (snapshot,) = await self._db.read(self._db.alias(tenant, line, number))
        if not snapshot.exists:
            return None
        return Contact.model_validate((snapshot.to_dict() or {})["contact"])

    async def store(
        self, tenant: TenantId, line: LineId, number: str, contact: Contact, until: datetime
    ) -> None:
        """Store which contact a number is, as far as WhatsApp says. Firestore: 1 write."""
        batch = self._db.batch()
        alias = {"contact": contact.model_dump(), "expires_at": until}
        batch.set(self._db.alias(tenant, line, number), alias)
        await self._db.commit_unordered(batch)
