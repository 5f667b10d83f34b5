"""Dead letters: events that nobody understood, kept with the reason for replay."""

import hashlib
from datetime import datetime, timedelta

from google.cloud import firestore

from shared.domain.names import InstanceName
from shared.store.base import Base

KEPT_FOR = timedelta(days=30)
LONGEST = 900_000
"""Bytes of an event that are kept; a document holds 1 MiB (Firestore limit)."""


class Letters(Base):
    """What could not be processed."""

    async def bury(self, name: InstanceName, raw: str, reason: str, now: datetime) -> None:
        """The event is kept once, however often it comes. Firestore: 1 write."""
        digest = hashlib.sha256(f"{name}\n{raw}".encode()).hexdigest()
        kept = raw.encode()[:LONGEST].decode(errors="ignore")
        batch = self._client.batch()
        letter = {
            "instance": name,
            "raw": kept,
            "cut": len(kept) < len(raw),
            "reason": reason,
            "attempts": firestore.Increment(1),
            "at": now,
            "expires_at": now + KEPT_FOR,
        }
        batch.set(self._client.collection("dead_letters").document(digest), letter, merge=True)
        await self._fold(batch)
