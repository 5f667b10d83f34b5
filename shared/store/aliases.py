"""Who is behind a number, as WhatsApp said when it was looked up."""

from datetime import datetime

from google.cloud import firestore

from shared.domain.contacts import Contact
from shared.domain.names import LineId, TenantId
from shared.store.messages import Messages


class Aliases(Messages):
    """Looking numbers up by the hundred gets a number banned, so what was found is kept."""

    async def alias(self, tenant: TenantId, line: LineId, number: str) -> Contact | None:
        """Who is behind a number, if it was looked up before. Firestore: 1 read."""
        (found,) = await self._read(self._alias(tenant, line, number))
        return Contact.model_validate((found.to_dict() or {})["contact"]) if found.exists else None

    async def learn(
        self, tenant: TenantId, line: LineId, number: str, contact: Contact, until: datetime
    ) -> None:
        """The number is this contact's, as far as WhatsApp says. Firestore: 1 write."""
        batch = self._client.batch()
        known = {"contact": contact.model_dump(), "expires_at": until}
        batch.set(self._alias(tenant, line, number), known)
        await self._fold(batch)

    def _alias(
        self, tenant: TenantId, line: LineId, number: str
    ) -> firestore.AsyncDocumentReference:
        return self._document(tenant, "aliases", f"{line}~{number}")
