"""The numbers: which instance has which, as a line has a number for itself (P11)."""

from collections.abc import AsyncIterator
from typing import Any

from google.cloud import firestore

from shared.domain.instances import Instance
from shared.domain.names import InstanceName
from shared.store import base
from shared.store.base import CONTENDED, Snapshot, Topic


class Numbers(Topic):
    """One claim per number. Every method is one question or one change."""

    async def iterate(self) -> AsyncIterator[tuple[str, InstanceName]]:
        """Yield all numbers, with the instance that has the number. Firestore: n reads."""
        async for snapshot in self._db.iterate(self._db.numbers, ["instance"]):
            owner = (snapshot.to_dict() or {}).get("instance")
            if isinstance(owner, str):
                yield snapshot.id, InstanceName(owner)

    async def free(self, instance: Instance) -> None:
        """Free the number that the instance had, unless another instance has it by now.

        Firestore: 1 read, 1 write.
        """

        async def attempt(first: bool) -> None:
            batch = self._db.batch()
            await self.add_release(batch, instance.name, instance.claimed)
            await self._db.commit(batch)

        await base.retry_contended(attempt, CONTENDED)

    # Parts of others' commits ------------------------------------------------------------------

    def add_claim(self, batch: Any, claim: Snapshot, instance: Instance) -> None:
        """Add to the batch: the number is the instance's.

        The claim changes even if it is the instance's already, so that every line that opens with
        this number contends here. (Firestore keeps the update time of a document that a write
        leaves as it was.)
        """
        fields = {
            "instance": instance.name,
            "tenant": instance.tenant,
            "opened": firestore.Increment(1),
        }
        if claim.exists:
            batch.update(claim.reference, fields, option=self._db.since(claim.update_time))
        else:
            batch.create(claim.reference, fields)

    async def add_release(self, batch: Any, name: InstanceName, number: str | None) -> None:
        """Add to the batch: the number is nobody's, if it is the instance's. Firestore: 1 read."""
        if not number:
            return
        (claim,) = await self._db.read(self._db.number(number))
        if (claim.to_dict() or {}).get("instance") == name:
            batch.delete(claim.reference, option=self._db.since(claim.update_time))
