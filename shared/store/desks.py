"""The desk of a tenant's people, and their notes on conversations."""

from collections.abc import Iterable
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.field_path import FieldPath

from shared import problems
from shared.domain.conversations import Conversation
from shared.domain.desk import MOST_NOTES, MOST_ON_DESK, ConversationNote, Desk, find_new
from shared.domain.names import TenantId
from shared.store import base
from shared.store.base import Snapshot, Topic
from shared.store.messages.documents import ids_of


class Desks(Topic):
    """Desks and notes. Every method takes the tenant, so none reads another's."""

    async def find(self, tenant: TenantId) -> Desk:
        """Return a tenant's desk; an empty one if there is none. Firestore: 1 read."""
        (snapshot,) = await self._db.read(self._db.desk(tenant))
        return _desk(snapshot)

    async def learn(
        self, tenant: TenantId, labels: Iterable[str] = (), assignees: Iterable[str] = ()
    ) -> None:
        """Add labels and people to the desk that it doesn't have yet. Raises DeskFull.

        Firestore: 1 read, 1 write if something is new.
        """

        async def build(batch: Any, snapshot: Snapshot) -> None:
            desk, added = _desk(snapshot), dict[str, Any]()
            for field, named in (("labels", labels), ("assignees", assignees)):
                known = getattr(desk, field)
                if new := find_new(known, named):
                    _require_room(len(known) + len(new))
                    added[field] = firestore.ArrayUnion(new)
            if added:
                batch.set(self._db.desk(tenant), {"tenant": tenant, **added}, merge=True)

        await self._db.compare_and_set([self._db.desk(tenant)], build)

    async def put_reply(self, tenant: TenantId, name: str, text: str) -> Desk:
        """Store a quick reply, and return the desk with it. Raises DeskFull.

        Firestore: 1 read, 1 write.
        """

        async def build(batch: Any, snapshot: Snapshot) -> Desk:
            desk = _desk(snapshot)
            replies = {**desk.replies, name: text}
            _require_room(len(replies))
            fields = {"tenant": tenant, "replies": {name: text}}
            batch.set(self._db.desk(tenant), fields, merge=True)
            return desk.model_copy(update={"replies": replies})

        return await self._db.compare_and_set([self._db.desk(tenant)], build)

    async def remove_reply(self, tenant: TenantId, name: str) -> None:
        """Delete a quick reply, if it is there. Firestore: 1 read, 1 write."""
        await self._remove(tenant, FieldPath("replies", name), firestore.DELETE_FIELD)

    async def forget(self, tenant: TenantId, field: str, name: str) -> None:
        """Remove from the desk's `labels` or `assignees`; conversations keep what they have.

        Firestore: 1 read, 1 write.
        """
        await self._remove(tenant, FieldPath(field), firestore.ArrayRemove([name]))

    async def list_notes(self, tenant: TenantId, about: Conversation) -> list[ConversationNote]:
        """List the notes on a conversation, newest first. Firestore: n reads, 1 at least."""
        snapshots = await self._db.query(self._notes_on(tenant, about).limit(2 * MOST_NOTES))
        notes = base.readable(snapshots, _note)
        return sorted(notes, key=lambda note: (note.at, note.id), reverse=True)

    async def add_note(self, tenant: TenantId, about: Conversation, note: ConversationNote) -> None:
        """Store a note. Raises NotesFull. Firestore: 1 read (a count), 1 write."""
        if await self._db.count(self._notes_on(tenant, about)) >= MOST_NOTES:
            raise problems.NotesFull()
        batch = self._db.batch()
        batch.create(self._db.note(tenant, note.id), {"tenant": tenant, **note.model_dump()})
        await self._db.commit(batch)

    async def remove_note(self, tenant: TenantId, about: Conversation, name: str) -> None:
        """Delete a note on this conversation, if it is there. Firestore: 1 read, 1 delete."""

        async def build(batch: Any, snapshot: Snapshot) -> None:
            if (snapshot.to_dict() or {}).get("conversation") in ids_of(about):
                batch.delete(snapshot.reference)

        await self._db.compare_and_set([self._db.note(tenant, name)], build)

    # How -------------------------------------------------------------------------------------

    def _notes_on(self, tenant: TenantId, about: Conversation) -> Any:
        of_one = FieldFilter("conversation", "in", ids_of(about))
        return self._db.notes(tenant).where(filter=of_one)

    async def _remove(self, tenant: TenantId, path: FieldPath, nothing: Any) -> None:
        async def build(batch: Any, snapshot: Snapshot) -> None:
            if snapshot.exists:
                batch.update(snapshot.reference, {path.to_api_repr(): nothing})

        await self._db.compare_and_set([self._db.desk(tenant)], build)


def _require_room(count: int) -> None:
    if count > MOST_ON_DESK:
        raise problems.DeskFull()


def _desk(snapshot: Snapshot) -> Desk:
    return base.understood(snapshot, Desk) if snapshot.exists else Desk()


def _note(snapshot: Snapshot) -> ConversationNote:
    return ConversationNote.model_validate({**(snapshot.to_dict() or {}), "id": snapshot.id})
