"""Sweeps: one at a time, what they remember, what they reported, and how full each day was."""

from datetime import datetime, timedelta
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.fleet.reports import Day, Kind, Report, Standing
from shared.store import base
from shared.store.base import CONTENDED, Base, Snapshot

REPORTS_KEPT_FOR = timedelta(days=90)
DAYS_KEPT = 400
"""Days of history per deployment; those before are deleted."""

LEASE = timedelta(minutes=5)


class Sweeps(Base):
    """What sweeps know of each other."""

    async def begin_sweep(
        self, kind: Kind, holder: str, run: str, now: datetime
    ) -> Standing | None:
        """The sweep is ours to make; None while somebody else is at it. 1 read, 1 write."""
        async for _ in base.attempts():
            known = await self.standing(kind)
            held = known.until is not None and now < known.until <= now + 2 * LEASE
            if held and known.holder != holder:
                return None
            begun = {"holder": holder, "until": now + LEASE, "run": run}
            begun |= {"since": known.since or now}
            if kept := await self._replace(kind, known, known.model_copy(update=begun)):
                return kept
        raise AssertionError("attempts() ends with a problem")

    async def extend_sweep(self, kind: Kind, holder: str, now: datetime) -> bool:
        """It stays ours for another while; False if it isn't ours any more. 1 read, 1 write."""
        return bool(await self._held(kind, holder, {"until": now + LEASE}))

    async def end_sweep(self, kind: Kind, holder: str, learned: dict[str, Any]) -> bool:
        """Whoever is next may begin, and knows what we learned. 1 read, 1 write."""
        return bool(await self._held(kind, holder, {**learned, "holder": None, "until": None}))

    async def standing(self, kind: Kind) -> Standing:
        """What that kind of sweep remembers; forgotten, if nobody can read it or it is gone.

        Firestore: 1 read, and 1 if there is nothing.
        """
        (found,) = await self._read(self._sweep(kind))
        known = base.readable([found], _standing) if found.exists else []
        if known:
            return known[0]
        ran = found.exists or bool((await self.reports(kind, 1))[0])
        return Standing(version=found.update_time, forgotten=ran)

    async def standings(self) -> dict[Kind, Standing]:
        """The same of every kind. Firestore: 1 read each."""
        return {kind: await self.standing(kind) for kind in Kind}

    async def accept_loss(self) -> None:
        """The next sweep compares with nothing: what shrank was meant to. 1 write."""
        batch = self._client.batch()
        batch.set(self._sweep(Kind.ORPHANS), {"accept_next": True}, merge=True)
        async for _ in base.attempts():
            try:
                await self._commit(batch)
            except exceptions.Aborted:
                continue
            return

    async def keep_report(self, report: Report) -> None:
        """The report is kept for a while. Firestore: 1 write."""
        kept = report.model_dump() | {"expires_at": report.started_at + REPORTS_KEPT_FOR}
        batch = self._client.batch()
        batch.set(self._reports(report.kind).document(report.id), kept)
        await self._commit(batch)

    async def reports(
        self, kind: Kind, limit: int, before: str | None = None
    ) -> tuple[list[Report], str | None]:
        """A page of reports, newest first (an id begins with its time). Firestore: n reads."""
        query: Any = self._reports(kind).order_by("id", direction=firestore.Query.DESCENDING)
        if before is not None:
            query = query.where(filter=FieldFilter("id", "<", before))
        with base.translated():
            found = [each async for each in query.limit(limit).stream(**base.LIMITS)]
        end = found[-1].id if len(found) == limit else None
        return base.readable(found, _report), end

    async def report(self, kind: Kind, name: str) -> Report | None:
        """One report. Firestore: 1 read."""
        (found,) = await self._read(self._reports(kind).document(name))
        return next(iter(base.readable([found], _report)), None) if found.exists else None

    # History ---------------------------------------------------------------------------------

    async def keep_day(self, day: Day) -> None:
        """How full it was on that day, as last seen; what is too old goes. 1 read, 1 – 2 writes."""
        batch = self._client.batch()
        batch.set(self._days.document(_named(day.day)), day.model_dump())
        batch.delete(self._days.document(_named(day.day - DAYS_KEPT)))
        await self._commit(batch)

    async def days(self, since: int) -> list[Day]:
        """The days since then, in order. Firestore: n reads; n is bounded by what is kept."""
        query = self._days.where(filter=FieldFilter("day", ">=", since)).order_by("day")
        with base.translated():
            found = [each async for each in query.limit(DAYS_KEPT).stream(**base.LIMITS)]
        return base.readable(found, lambda each: Day.model_validate(each.to_dict()))

    # How -------------------------------------------------------------------------------------

    @property
    def _days(self) -> Any:
        return self._client.collection("sweeps", Kind.CAPACITY, "days")

    def _sweep(self, kind: Kind) -> firestore.AsyncDocumentReference:
        return self._client.collection("sweeps").document(kind)

    def _reports(self, kind: Kind) -> Any:
        return self._client.collection("sweeps", kind, "reports")

    async def _held(self, kind: Kind, holder: str, change: dict[str, Any]) -> Standing | None:
        async for _ in base.attempts():
            known = await self.standing(kind)
            if known.holder != holder:
                return None
            if kept := await self._replace(kind, known, known.model_copy(update=change)):
                return kept
        raise AssertionError("attempts() ends with a problem")

    async def _replace(self, kind: Kind, known: Standing, wanted: Standing) -> Standing | None:
        batch, reference = self._client.batch(), self._sweep(kind)
        if known.version is None:
            batch.create(reference, wanted.model_dump())
        else:
            batch.update(reference, wanted.model_dump(), option=self._since(known.version))
        try:
            (version,) = await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return None
        return wanted.model_copy(update={"version": version})


def _named(day: int) -> str:
    return f"{day:06}"


def _standing(snapshot: Snapshot) -> Standing:
    return base.understood(snapshot, Standing)


def _report(snapshot: Snapshot) -> Report:
    return Report.model_validate(snapshot.to_dict())
