"""Incidents: raised, told and resolved once, whichever process gets there first."""

from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.fleet.incidents import Incident, Trouble, decide_incident
from shared.store import base
from shared.store.base import CONTENDED, Base, Snapshot

MOST_OPEN = 500
"""So many incidents are looked at; nobody can look after more."""

TELLING = timedelta(minutes=2)
"""How long whoever tells the news may take, before somebody else does."""


class Incidents(Base):
    """What is wrong, until it isn't any more."""

    async def open_incidents(self, limit: int = MOST_OPEN) -> list[Incident]:
        """Those that aren't over. Firestore: n reads, bounded."""
        return await self._those("open", limit)

    async def incidents(self, limit: int, before: str | None) -> tuple[list[Incident], str | None]:
        """A page of all of them, those with news first. Firestore: n reads."""
        collection = self._client.collection("incidents")
        back = firestore.Query.DESCENDING
        query: Any = collection.order_by("news_at", direction=back)
        query = query.order_by("__name__", direction=back)
        if before is not None:
            news, _, name = before.partition("~")
            at = datetime.fromtimestamp(int(news) / 1_000_000, UTC)
            query = query.start_after({"news_at": at, "__name__": collection.document(name)})
        with base.translated():
            found = [each async for each in query.limit(limit).stream(**base.LIMITS)]
        end = _position(found[-1]) if len(found) == limit else None
        return base.readable(found, _incident), end

    async def pending_incidents(self, limit: int = MOST_OPEN) -> list[Incident]:
        """Those that some channel hasn't told yet. Firestore: n reads, bounded."""
        return await self._those("pending", limit)

    async def follow_incident(
        self, name: str, trouble: Trouble | None, now: datetime, remind_after: timedelta
    ) -> Incident | None:
        """The incident is what a look at its trouble makes of it; None if nothing changed.

        Firestore: 1 read; 1 write if something changed.
        """
        async for _ in base.attempts():
            known, version = await self._incident(name)
            wanted = decide_incident(known, trouble, now, remind_after)
            if wanted is None:
                return None
            if kept := await self._keep(version, wanted):
                return kept
        raise AssertionError("attempts() ends with a problem")

    async def claim_news(self, known: Incident, teller: str, now: datetime) -> Incident | None:
        """The news are ours to tell; None if somebody else tells them. Firestore: 1 write."""
        if known.teller_until and now < known.teller_until <= now + 2 * TELLING:
            return None
        change = {"teller": teller, "teller_until": now + TELLING}
        return await self._keep(known.version, known.model_copy(update=change))

    async def told(self, claimed: Incident, told: dict[str, int], pending: bool) -> None:
        """These channels have told so much. What changed meanwhile is still to be told.

        Firestore: 1 write; 1 read and 1 write more for each change meanwhile.
        """
        current: Incident | None = claimed
        async for _ in base.attempts():
            if current is None or current.teller != claimed.teller:
                return
            newer = current.number != claimed.number
            change = {"told": current.told | told, "pending": pending or newer}
            change |= {"teller": None, "teller_until": None}
            if await self._keep(current.version, current.model_copy(update=change)):
                return
            current, _version = await self._incident(claimed.id)

    # How -------------------------------------------------------------------------------------

    async def _those(self, field: str, limit: int) -> list[Incident]:
        query = self._client.collection("incidents").where(filter=FieldFilter(field, "==", True))
        with base.translated():
            found = [each async for each in query.limit(limit).stream(**base.LIMITS)]
        return base.readable(found, _incident)

    async def _incident(self, name: str) -> tuple[Incident | None, Any]:
        """The incident and its document's version: one that nobody understands is made anew."""
        (found,) = await self._read(self._client.collection("incidents").document(name))
        if not found.exists:
            return None, None
        return next(iter(base.readable([found], _incident)), None), found.update_time

    async def _keep(self, version: Any, wanted: Incident) -> Incident | None:
        batch = self._client.batch()
        reference = self._client.collection("incidents").document(wanted.id)
        fields: dict[str, Any] = wanted.model_dump()
        if version is None:
            batch.create(reference, fields)
        else:
            batch.update(reference, fields, option=self._since(version))
        try:
            (version,) = await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return None
        return wanted.model_copy(update={"version": version})


def _position(snapshot: Snapshot) -> str | None:
    """Where a page ended: by its news, which may be others by the time the next is asked for."""
    news = (snapshot.to_dict() or {}).get("news_at")
    if not isinstance(news, datetime):
        return None
    return f"{int(news.timestamp() * 1_000_000)}~{snapshot.id}"


def _incident(snapshot: Snapshot) -> Incident:
    return base.understood(snapshot, Incident)
