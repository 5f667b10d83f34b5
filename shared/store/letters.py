"""Dead letters: events that nobody understood, kept with the reason for replay."""

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


class Letter(Kept):
    """An event that nobody understood, and why. `cut`: it was too large to be kept whole."""

    id: str
    instance: InstanceName
    raw: str = Field(default="", repr=False)
    cut: bool = False
    reason: str = ""
    attempts: int = 1
    at: AwareDatetime


class Letters(Base):
    """What could not be processed."""

    async def bury(
        self, name: InstanceName, raw: str, reason: str, now: datetime, whole: str | None = None
    ) -> None:
        """The event is kept once, however often it comes. Firestore: 1 write.

        `whole` tells events apart of which `raw` is only the beginning.
        """
        digest = hashlib.sha256(f"{name}\n{whole or raw}".encode()).hexdigest()
        kept = raw.encode()[:LONGEST].decode(errors="ignore")
        batch = self._client.batch()
        letter = {
            "instance": name,
            "raw": kept,
            "cut": whole is not None or len(kept) < len(raw),
            "reason": reason,
            "attempts": firestore.Increment(1),
            "at": now,
            "expires_at": now + KEPT_FOR,
        }
        batch.set(self._client.collection("dead_letters").document(digest), letter, merge=True)
        await self._fold(batch)

    async def letters(self, limit: int, after: str | None) -> tuple[list[Letter], str | None]:
        """A page of them, and where it ended if there may be more. Firestore: n reads."""
        collection = self._client.collection("dead_letters")
        query: Any = collection.order_by("__name__").limit(limit)
        if after is not None:
            query = query.start_after({"__name__": collection.document(after)})
        with base.translated():
            found = [snapshot async for snapshot in query.stream(**base.LIMITS)]
        end = found[-1].id if len(found) == limit else None
        return base.readable(found, _letter), end

    async def letter(self, name: str) -> Letter | None:
        """One of them. Firestore: 1 read."""
        (found,) = await self._read(self._client.collection("dead_letters").document(name))
        return _letter(found) if found.exists else None

    async def discard(self, letter: Letter) -> bool:
        """It is gone; False if it was buried again meanwhile. Firestore: 1 delete."""
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


def _letter(snapshot: Snapshot) -> Letter:
    return base.understood(snapshot, Letter, id=snapshot.id)
