"""Acts of people: recorded once, listed by time."""

from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.acts import KEPT_FOR, Act
from shared.domain.names import TenantId
from shared.store import base
from shared.store.base import Snapshot, Topic, position_of, read_position


class Acts(Topic):
    """The audit. Every method is one question or one change."""

    async def record(self, act: Act) -> None:
        """Store an act for KEPT_FOR. Firestore: 1 write."""
        batch = self._db.batch()
        fields = act.model_dump(exclude={"id"}) | {"expires_at": act.at + KEPT_FOR}
        batch.create(self._db.acts.document(act.id), fields)
        await self._db.commit(batch)

    async def list_page(
        self, tenant: TenantId | None, limit: int, before: str | None
    ) -> tuple[list[Act], str | None]:
        """Return a page of acts, of all or about one tenant, newest first. Firestore: n reads."""
        back = firestore.Query.DESCENDING
        query: Any = self._db.acts
        if tenant is not None:
            query = query.where(filter=FieldFilter("tenant", "==", tenant))
        query = query.order_by("at", direction=back).order_by("__name__", direction=back)
        if before is not None:
            at, name = read_position(before)
            query = query.start_after({"at": at, "__name__": self._db.acts.document(name)})
        snapshots = await self._db.query(query.limit(limit))
        end = position_of(snapshots[-1], "at") if len(snapshots) == limit else None
        return base.readable(snapshots, _act), end


def _act(snapshot: Snapshot) -> Act:
    return base.understood(snapshot, Act, id=snapshot.id)
