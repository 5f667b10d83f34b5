"""Contacts by the number that a caller typed, as WhatsApp resolved it when it was looked up."""

from datetime import datetime

from google.cloud import firestore

from shared.domain.contacts import Contact
from shared.domain.names import LineId, TenantId
from shared.store.messages import Messages


class ContactAliases(Messages):
    """Contacts of looked-up numbers. They are kept: many look-ups get a number banned."""

    async def find_alias(self, tenant: TenantId, line: LineId, number: str) -> Contact | None:
        """Return the contact behind a number, if it was looked up before. Firestore: 1 read."""
        (snapshot,) = await self._read(self._alias(tenant, line, number))
        if not snapshot.exists:
            return None
        return Contact.model_validate((snapshot.to_dict() or {})["contact"])

    async def store_alias(
        self, tenant: TenantId, line: LineId, number: str, contact: Contact, until: datetime
    ) -> None:
        """Store which contact a number is, as far as WhatsApp says. Firestore: 1 write."""
        batch = self._client.batch()
        alias = {"contact": contact.model_dump(), "expires_at": until}
        batch.set(self._alias(tenant, line, number), alias)
        await self._commit_unordered(batch)

    def _alias(
        self, tenant: TenantId, line: LineId, number: str
    ) -> firestore.AsyncDocumentReference:
        return self._document(tenant, "aliases", f"{line}~{number}")
