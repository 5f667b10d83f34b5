"""Sweeps: their lease, their memory, their reports, and the fleet's history by day."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.fleet.reports import Day, Report, SweepKind, SweepStanding
from shared.store import base
from shared.store.base import Snapshot, Topic

REPORTS_KEPT_FOR = timedelta(days=90)
DAYS_KEPT = 400
"""Days of history per deployment; earlier days are deleted."""

LEASE = timedelta(minutes=5)


class Sweeps(Topic):
    """State that sweeps share. Every method is one question or one change."""

    async def begin(
        self, kind: SweepKind, holder: str, run: str, now: datetime
    ) -> SweepStanding | None:
        """Take the lease of a sweep; None while another process holds it. 1 read, 1 write."""

        def begin(current: SweepStanding) -> dict[str, Any] | None:
            is_held = current.until is not None and now < current.until <= now + 2 * LEASE
            if is_held and current.holder != holder:
                return None
            since = current.since or now
            lease = {"holder": holder, "until": now + LEASE}
            return {**lease, "run": run, "began_at": now, "step": None, "since": since}

        return await self._change_standing(kind, begin)

    async def extend(self, kind: SweepKind, holder: str, now: datetime, step: str | None) -> bool:
        """Extend the lease of a sweep that is at that step; False if the caller doesn't hold it.

        Firestore: 1 read, 1 write.
        """
        return bool(await self._change_held(kind, holder, {"until": now + LEASE, "step": step}))

    async def end(self, kind: SweepKind, holder: str, learned: dict[str, Any]) -> bool:
        """Release the lease of a sweep, and store what the next one needs. 1 read, 1 write."""
        return bool(
            await self._change_held(kind, holder, {**learned, "holder": None, "until": None})
        )

    async def find_standing(self, kind: SweepKind) -> SweepStanding:
        """Return the memory of a kind of sweep; `forgotten` if it is unreadable or deleted.

        Firestore: 1 read, and 1 if there is nothing.
        """
        (snapshot,) = await self._db.read(self._sweep(kind))
        (standing,) = (base.readable([snapshot], _standing) if snapshot.exists else ()) or (None,)
        if standing:
            return standing
        ran = snapshot.exists or bool((await self.list_reports(kind, 1))[0])
        return SweepStanding(version=snapshot.update_time, forgotten=ran)

    async def accept_loss(self) -> None:
        """Let the next sweep skip the comparison, as the loss was intended. 1 write."""
        batch = self._db.batch()
        batch.set(self._sweep(SweepKind.ORPHANS), {"accept_next": True}, merge=True)
        await self._db.commit_unordered(batch)

    async def store_report(self, report: Report) -> None:
        """Store a report for REPORTS_KEPT_FOR. Firestore: 1 write."""
        fields = report.model_dump() | {"expires_at": report.started_at + REPORTS_KEPT_FOR}
        batch = self._db.batch()
        batch.set(self._reports(report.kind).document(report.id), fields)
        await self._db.commit(batch)

    async def list_reports(
        self, kind: SweepKind, limit: int, before: str | None = None
    ) -> tuple[list[Report], str | None]:
        """Return a page of reports, newest first (an id begins with its time). n reads."""
        query: Any = self._reports(kind).order_by("id", direction=firestore.Query.DESCENDING)
        if before is not None:
            query = query.where(filter=FieldFilter("id", "<", before))
        snapshots = await self._db.query(query.limit(limit))
        end = snapshots[-1].id if len(snapshots) == limit else None
        return base.readable(snapshots, _report), end

    async def find_report(self, kind: SweepKind, name: str) -> Report | None:
        """Return a report. Firestore: 1 read."""
        (snapshot,) = await self._db.read(self._reports(kind).document(name))
        return next(iter(base.readable([snapshot], _report)), None) if snapshot.exists else None

    # History ---------------------------------------------------------------------------------

    async def store_day(self, day: Day) -> None:
        """Store how full the fleet was on a day, and delete the oldest day. 2 writes."""
        batch = self._db.batch()
        batch.set(self._days.document(_day_id(day.day)), day.model_dump())
        batch.delete(self._days.document(_day_id(day.day - DAYS_KEPT)))
        await self._db.commit(batch)

    async def list_days(self, since: int) -> list[Day]:
        """List the days since then, in order. Firestore: n reads, DAYS_KEPT at most."""
        query = self._days.where(filter=FieldFilter("day", ">=", since)).order_by("day")
        snapshots = await self._db.query(query.limit(DAYS_KEPT))
        return base.readable(snapshots, lambda snapshot: Day.model_validate(snapshot.to_dict()))

    # How -------------------------------------------------------------------------------------

    @property
    def _days(self) -> Any:
        return self._db.sweeps.document(SweepKind.CAPACITY).collection("days")

    def _sweep(self, kind: SweepKind) -> firestore.AsyncDocumentReference:
        return self._db.sweeps.document(kind)

    def _reports(self, kind: SweepKind) -> Any:
        return self._db.sweeps.document(kind).collection("reports")

    async def _change_held(
        self, kind: SweepKind, holder: str, change: dict[str, Any]
    ) -> SweepStanding | None:
        def decide(current: SweepStanding) -> dict[str, Any] | None:
            return change if current.holder == holder else None

        return await self._change_standing(kind, decide)

    async def _change_standing(
        self, kind: SweepKind, decide: Callable[[SweepStanding], dict[str, Any] | None]
    ) -> SweepStanding | None:
        """Change the fields that `decide` returns; None if it returns None."""

        async def attempt(first: bool) -> SweepStanding | None:
            current = await self.find_standing(kind)
            change = decide(current)
            if change is None:
                return None
            return await self._write_standing(kind, current.model_copy(update=change))

        return await base.retry_contended(attempt)

    async def _write_standing(self, kind: SweepKind, standing: SweepStanding) -> SweepStanding:
        """Write the memory over the document of its version, or raise contention."""
        batch, reference = self._db.batch(), self._sweep(kind)
        if standing.version is None:
            batch.create(reference, standing.model_dump())
        else:
            option = self._db.since(standing.version)
            batch.update(reference, standing.model_dump(), option=option)
        (result,) = await self._db.commit(batch)
        return standing.model_copy(update={"version": result.update_time})


def _day_id(day: int) -> str:
    return f"{day:06}"


def _standing(snapshot: Snapshot) -> SweepStanding:
    return base.understood(snapshot, SweepStanding)


def _report(snapshot: Snapshot) -> Report:
    return Report.model_validate(snapshot.to_dict())
