"""Updates of stored messages: deliveries, edits, revocations, reactions, votes.

Every update is merged blindly, whether the message is stored yet or not.
"""

from typing import Any

from google.cloud import firestore

from shared.domain.kept_messages import Edit, Reaction, Vote, is_stub
from shared.domain.messages import Delivery
from shared.domain.positions import second_of
from shared.store import base, compaction, writing
from shared.store.base import Database, LineScope, Snapshot, Topic, Unfit
from shared.store.messages.documents import changed_fields, message_in

TIDIED_EVERY = 32
"""Edits, reactions and votes of one message, after which those that can't matter are dropped."""


class Updates(Topic):
    """Updates that webhooks report. Every method is one change, safe to repeat in any order."""

    async def advance_delivery(
        self, scope: LineScope, message: str, delivery: Delivery, now: int
    ) -> None:
        """Advance how far the message got, whether it is stored yet or not. Firestore: 1 write."""
        await self._update(scope, message, {"progress": firestore.Maximum(delivery)}, now)

    async def record_reading(self, scope: LineScope, message: str) -> None:
        """Record that we read a contact's message, and all that was said before it.

        A message that isn't stored yet won't be counted as unread. Firestore: 1 read, 1 write.
        """
        reference = self._db.message(scope, message)

        async def build(batch: Any, snapshot: Snapshot) -> None:
            if not snapshot.exists:
                batch.create(reference, {"seen": True})
            elif is_stub(snapshot.to_dict() or {}):
                option = self._db.since(snapshot.update_time)
                batch.update(reference, {"seen": True}, option=option)
            else:
                for stored in base.readable([snapshot], message_in):
                    home = self._db.conversation(scope.tenant, stored.conversation)
                    read_until = firestore.Maximum(second_of(stored.at))
                    fields = {"read_until": read_until, "logged_at": firestore.SERVER_TIMESTAMP}
                    batch.set(home, fields, merge=True)

        await self._db.compare_and_set([reference], build)

    async def record_refusal(self, scope: LineScope, message: str, now: int) -> None:
        """Record that WhatsApp refused the message, stored yet or not. Firestore: 1 write."""
        await self._update(scope, message, {"refused": True}, now)

    async def record_edit(
        self, scope: LineScope, message: str, key: str, edit: Edit, now: int
    ) -> None:
        """Add an edit to the message, and keep its earlier content. Raises Unfit.

        Firestore: 1 write; of every 32nd 1 read and 1 write more.
        """
        await self._append(scope, message, {"edits": {key: edit.model_dump()}}, now)

    async def record_revocation(
        self, scope: LineScope, message: str, at: int, by: tuple[str, ...], now: int
    ) -> None:
        """Record that the message was revoked, and by which actors. Firestore: 1 write."""
        revocation = {"revoked_by": {actor: firestore.Maximum(at) for actor in by}}
        await self._update(scope, message, revocation, now)

    async def record_reaction(
        self, scope: LineScope, message: str, actor: str, key: str, reaction: Reaction, now: int
    ) -> None:
        """Add a reaction of an actor, or its removal.

        Firestore: 1 write; of every 32nd 1 read and 1 write more.
        """
        reactions = {"reactions": {actor: {key: reaction.model_dump()}}}
        await self._append(scope, message, reactions, now)

    async def record_vote(
        self, scope: LineScope, poll: str, actor: str, key: str, vote: Vote, now: int
    ) -> None:
        """Add what an actor is for to a poll, whether it is stored yet or not.

        Firestore: 1 write; of every 32nd 1 read and 1 write more.
        """
        votes = {"votes": {actor: {key: vote.model_dump()}}}
        await self._append(scope, poll, votes, now)

    # How -------------------------------------------------------------------------------------

    async def _update(
        self, scope: LineScope, message: str, fields: dict[str, Any], now: int
    ) -> None:
        """Merge fields into the message or its stub."""
        batch = self._db.batch()
        writing.merge(batch, self._db.message(scope, message), fields | changed_fields(now))
        await self._commit_fitting(scope, message, batch)

    async def _append(
        self, scope: LineScope, message: str, fields: dict[str, Any], now: int
    ) -> None:
        """Merge an entry of a list without bound, and compact the message now and then."""
        reference, batch = self._db.message(scope, message), self._db.batch()
        counter = {"told": firestore.Increment(1), **changed_fields(now)}
        writing.merge(batch, reference, counter | fields)
        (result,) = await self._commit_fitting(scope, message, batch)
        if result.transform_results[0].integer_value % TIDIED_EVERY == 0:
            await compact(self._db, scope, message)

    async def _commit_fitting(self, scope: LineScope, message: str, batch: Any) -> list[Any]:
        """Commit; if the message is too large, compact it first. Raises Unfit."""
        try:
            return await self._db.commit_unordered(batch)
        except Unfit:
            await compact(self._db, scope, message)
        return await self._db.commit_unordered(batch)


async def compact(db: Database, scope: LineScope, message: str) -> None:
    """Drop what was reported of a message and can't matter. Firestore: 1 read, 1 write."""
    reference = db.message(scope, message)

    async def build(batch: Any, snapshot: Snapshot) -> None:
        compacted = base.readable(
            [snapshot], lambda document: compaction.compact(document.to_dict() or {})
        )
        if snapshot.exists and compacted:
            option = db.since(snapshot.update_time)
            batch.update(reference, compacted[0], option=option)

    await db.compare_and_set([reference], build)
