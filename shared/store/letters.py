"""Dead letters: events that could not be processed, kept with the reason for replay."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore
from pydantic import AwareDatetime, Field

from shared.domain.names import InstanceName
from shared.domain.record import Kept
from shared.store import base
from shared.store.base import CONTENDED, Base, Snapshot

KEPT_FOR = timedelta(days=30)
LONGEST = 900_000
"""Bytes of an event that are kept; a document holds 1 MiB (Firestore limit)."""


class DeadLetter(Kept):
    """An event that could not be processed, and why. `cut`: only its beginning is stored."""

    id: str
    instance: InstanceName
    raw: str = Field(default="", repr=False)
    cut: bool = False
    reason: str = ""
    attempts: int = 1
    at: AwareDatetime


class DeadLetters(Base):
    """Dead letters. Every method is one question or one change."""

    async def store_dead_letter(
        self, name: InstanceName, raw: str, reason: str, now: datetime, whole: str | None = None
    ) -> None:
        """Store an event once, however often it arrives. Firestore: 1 write.

        `whole` identifies an event of which `raw` is only the beginning.
        """
        digest = hashlib.sha256(f"{name}\n{whole or raw}".encode()).hexdigest()
        beginning = raw.encode()[:LONGEST].decode(errors="ignore")
        batch = self._client.batch()
        letter = {
            "instance": name,
            "raw": beginning,
            "cut": whole is not None or len(beginning) < len(raw),
            "reason": reason,
            "attempts": firestore.Increment(1),
            "at": now,
            "expires_at": now + KEPT_FOR,
        }
        batch.set(self._client.collection("dead_letters").document(digest), letter, merge=True)
        await self._commit_unordered(batch)

    async def list_dead_letters(
        self, limit: int, after: str | None
    ) -> tuple[list[DeadLetter], str | None]:
        """Return a page of dead letters, and its end if there may be more. Firestore: n reads."""
        collection = self._client.collection("dead_letters")
        query: Any = collection.order_by("__name__").limit(limit)
        if after is not None:
            query = query.start_after({"__name__": collection.document(after)})
        snapshots = await self._query(query)
        end = snapshots[-1].id if len(snapshots) == limit else None
        return base.readable(snapshots, _dead_letter), end

    async def find_dead_letter(self, name: str) -> DeadLetter | None:
        """Return a dead letter. Firestore: 1 read."""
        (snapshot,) = await self._read(self._client.collection("dead_letters").document(name))
        return _dead_letter(snapshot) if snapshot.exists else None

    async def delete_dead_letter(self, letter: DeadLetter) -> bool:
        """Delete a dead letter; False if it was stored again meanwhile. Firestore: 1 delete."""
        batch = self._client.batch()
        reference = self._client.collection("dead_letters").document(letter.id)
        batch.delete(reference, option=self._since(letter.version))
        try:
            await self._commit(batch)
        except CONTENDED:
            return False
        except exceptions.NotFound:
            return True
        return True


def _dead_letter(snapshot: Snapshot) -> DeadLetter:
    return base.understood(snapshot, DeadLetter, id=snapshot.id)
