"""Dead letters: events that could not be processed, kept with the reason for replay."""

import hashlib
from datetime import datetime, timedelta

from google.api_core import exceptions
from google.cloud import firestore
from pydantic import AwareDatetime, Field

from shared.domain.names import InstanceName
from shared.domain.record import Kept
from shared.store import base
from shared.store.base import CONTENDED, Snapshot, Topic

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


class DeadLetters(Topic):
    """Dead letters. Every method is one question or one change."""

    async def store(
        self, name: InstanceName, raw: str, reason: str, now: datetime, whole: str | None = None
    ) -> None:
        """Store an event once, however often it arrives. Firestore: 1 write.

        `whole` identifies an event of which `raw` is only the beginning.
        """
        digest = hashlib.sha256(f"{name}\n{whole or raw}".encode()).hexdigest()
        beginning = raw.encode()[:LONGEST].decode(errors="ignore")
        batch = self._db.batch()
        letter = {
            "instance": name,
            "raw": beginning,
            "cut": whole is not None or len(beginning) < len(raw),
            "reason": reason,
            "attempts": firestore.Increment(1),
            "at": now,
            "expires_at": now + KEPT_FOR,
        }
        batch.set(self._db.dead_letters.document(digest), letter, merge=True)
        await self._db.commit_unordered(batch)

    async def list_page(self, limit: int, after: str | None) -> tuple[list[DeadLetter], str | None]:
        """Return a page of dead letters, and its end if there may be more. Firestore: n reads."""
        snapshots, end = await self._db.query_page(self._db.dead_letters, limit, after)
        return base.readable(snapshots, _dead_letter), end

    async def find(self, name: str) -> DeadLetter | None:
        """Return a dead letter. Firestore: 1 read."""
        (snapshot,) = await self._db.read(self._db.dead_letters.document(name))
        return _dead_letter(snapshot) if snapshot.exists else None

    async def delete(self, letter: DeadLetter) -> bool:
        """Delete a dead letter; False if it was stored again meanwhile. Firestore: 1 delete."""
        batch = self._db.batch()
        reference = self._db.dead_letters.document(letter.id)
        batch.delete(reference, option=self._db.since(letter.version))
        try:
            await self._db.commit(batch)
        except CONTENDED:
            return False
        except exceptions.NotFound:
            return True
        return True


def _dead_letter(snapshot: Snapshot) -> DeadLetter:
    return base.understood(snapshot, DeadLetter, id=snapshot.id)
