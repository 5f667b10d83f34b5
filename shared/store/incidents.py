"""Incidents: raised, notified and resolved once, whichever process gets there first."""

from datetime import datetime, timedelta
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.fleet.incidents import Incident, Trouble, decide_incident
from shared.store import base
from shared.store.base import CHANGED, Snapshot, Topic

MOST_OPEN = 500
"""Incidents that are looked at; an operator can't look after more."""

NOTIFYING = timedelta(minutes=2)
"""The time that one process has to notify the channels, before another may."""


class Incidents(Topic):
    """Incidents and their notification. Every method is one question or one change."""

    async def list_open(self, limit: int = MOST_OPEN) -> list[Incident]:
        """List the incidents that aren't over. Firestore: n reads, bounded."""
        return await self._list_flagged("open", limit)

    async def list_page(self, limit: int, before: str | None) -> tuple[list[Incident], str | None]:
        """Return a page of all incidents, the newest change first. Firestore: n reads."""
        collection = self._db.incidents
        back = firestore.Query.DESCENDING
        query: Any = collection.order_by("news_at", direction=back)
        query = query.order_by("__name__", direction=back)
        if before is not None:
            at, name = base.read_position(before)
            query = query.start_after({"news_at": at, "__name__": collection.document(name)})
        snapshots = await self._db.query(query.limit(limit))
        end = base.position_of(snapshots[-1], "news_at") if len(snapshots) == limit else None
        return base.readable(snapshots, _incident), end

    async def list_pending(self, limit: int = MOST_OPEN) -> list[Incident]:
        """List the incidents that a channel still has to deliver. Firestore: n reads, bounded."""
        return await self._list_flagged("pending", limit)

    async def follow(
        self, name: str, trouble: Trouble | None, now: datetime, remind_after: timedelta
    ) -> Incident | None:
        """Update an incident by a look at its trouble; return None if nothing changed.

        Firestore: 1 read; 1 write if something changed.
        """

        async def attempt(first: bool) -> Incident | None:
            current, version = await self._incident(name)
            incident = decide_incident(current, trouble, now, remind_after)
            return incident and await self._write_incident(version, incident)

        return await base.retry_contended(attempt)

    async def claim_news(self, incident: Incident, teller: str, now: datetime) -> Incident | None:
        """Claim the notification of an incident; None if another process has it.

        Firestore: 1 write.
        """
        if incident.teller_until and now < incident.teller_until <= now + 2 * NOTIFYING:
            return None
        change = {"teller": teller, "teller_until": now + NOTIFYING}
        try:
            return await self._write_incident(incident.version, incident.model_copy(update=change))
        except CHANGED:
            return None

    async def record_deliveries(
        self, claimed: Incident, delivered: list[str], given_up: list[str], *, pending: bool
    ) -> None:
        """Record which channels delivered the news of a claimed incident, and which gave it up.

        `pending`: another channel still owes the news. If the incident has newer news by now, it
        stays pending. Firestore: 1 write; 1 read and 1 write more for each concurrent change.
        """

        async def attempt(first: bool) -> None:
            current = claimed if first else (await self._incident(claimed.id))[0]
            if current is None or current.teller != claimed.teller:
                return
            is_newer = current.number != claimed.number
            change: dict[str, Any] = {"teller": None, "teller_until": None}
            change["pending"] = pending or is_newer
            change["told"] = current.told | dict.fromkeys(delivered, claimed.number)
            change["given_up"] = current.given_up | dict.fromkeys(given_up, claimed.number)
            await self._write_incident(current.version, current.model_copy(update=change))

        await base.retry_contended(attempt)

    # How -------------------------------------------------------------------------------------

    async def _list_flagged(self, field: str, limit: int) -> list[Incident]:
        query = self._db.incidents.where(filter=FieldFilter(field, "==", True))
        return base.readable(await self._db.query(query.limit(limit)), _incident)

    async def _incident(self, name: str) -> tuple[Incident | None, Any]:
        """Return an incident and its document's version: an unreadable one will be overwritten."""
        (snapshot,) = await self._db.read(self._db.incidents.document(name))
        if not snapshot.exists:
            return None, None
        return next(iter(base.readable([snapshot], _incident)), None), snapshot.update_time

    async def _write_incident(self, version: Any, incident: Incident) -> Incident:
        """Write an incident over the document of this version (None: none), or raise contention."""
        batch = self._db.batch()
        reference = self._db.incidents.document(incident.id)
        fields: dict[str, Any] = incident.model_dump()
        if version is None:
            batch.create(reference, fields)
        else:
            batch.update(reference, fields, option=self._db.since(version))
        (result,) = await self._db.commit(batch)
        return incident.model_copy(update={"version": result.update_time})


def _incident(snapshot: Snapshot) -> Incident:
    return base.understood(snapshot, Incident)
