"""Documents in the order in which they changed: what the log of events is derived from.

The place of a change is the database's own time of the commit (milliseconds). A commit may become
visible a moment after a later one, so a reader looks at the newest of it twice.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from google.cloud.firestore_v1.base_query import FieldFilter
from msgspec import Struct

from shared.domain import kept_messages, names
from shared.domain.names import TenantId
from shared.store import base
from shared.store.base import Snapshot, Topic
from shared.store.instance_documents import instance_in
from shared.store.messages.documents import LANES, conversation_in, message_in
from shared.store.messages.read import MOST_WORDS
from shared.store.sends import SETTLED, send_in

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class LogPlace(NamedTuple):
    """A place in the log: microseconds since 1970 by the database's clock, then a document.

    An empty path stands before all documents of that time.
    """

    at: int
    path: str = ""

    @property
    def order(self) -> tuple[int, list[str]]:
        """Return what places are sorted by, as Firestore sorts."""
        return self.at, self.path.split("/")


class LogSource(StrEnum):
    """A collection whose documents tell events."""

    MESSAGES = "m"
    SENDS = "s"
    CONVERSATIONS = "c"
    LINES = "l"


class Logged(Struct, frozen=True):
    """A document as it is now. `logged` and `stored`: when it changed, and was stored.

    `written`: when news of it was last written, `created`: first. All are microseconds since 1970.
    """

    path: str
    tenant: TenantId
    record: Any
    logged: int | None
    stored: int | None
    written: int
    created: int


class LoggedPage(Struct, frozen=True):
    """Documents in their order, and the place of the last, shown or not (None without any).

    `count`: how many were read, shown or not. `is_full`: there may be more. `read_at`: the
    database's time of the reading; 0 without any.
    """

    documents: list[Logged]
    last: LogPlace | None
    count: int
    is_full: bool
    read_at: int


class LoggedDocuments(Topic):
    """Changed documents of a tenant, or of all tenants (None)."""

    async def list_page(
        self,
        source: LogSource,
        tenant: TenantId | None,
        after: LogPlace,
        limit: int,
        *,
        until: int | None = None,
        by_storing: bool = False,
    ) -> LoggedPage:
        """Return a page of the documents that changed after that place, in the order of changes.

        `by_storing`: of messages, those that were stored after it, in that order.
        Firestore: n reads, 1 at least.
        """
        field = "stored_at" if by_storing else _FIELDS[source]
        query = self._of(source, tenant)
        if not after.path:
            query = query.where(filter=FieldFilter(field, ">=", moment_of(after.at)))
        if until is not None:
            query = query.where(filter=FieldFilter(field, "<=", moment_of(until)))
        query = query.order_by(field).order_by("__name__")
        if after.path:
            reference = self._db.client.document(after.path)
            query = query.start_after({field: moment_of(after.at), "__name__": reference})
        return await self._query_page(query, source, field, limit, MOST_WORDS)

    async def list_moved(
        self, tenant: TenantId | None, since: int, until: int, limit: int, words: int = MOST_WORDS
    ) -> LoggedPage:
        """Return messages that were stored in that time and changed after it, as they were stored.

        Also those that changed at its very end. `words`: as many characters of words as end the
        page early. Firestore: n reads, 1 at least.
        """
        query = self._of(LogSource.MESSAGES, tenant)
        query = query.where(filter=FieldFilter("stored_at", ">=", moment_of(since)))
        query = query.where(filter=FieldFilter("stored_at", "<=", moment_of(until)))
        query = query.where(filter=FieldFilter("logged_at", ">=", moment_of(until)))
        query = query.order_by("stored_at").order_by("logged_at").order_by("__name__")
        return await self._query_page(query, LogSource.MESSAGES, "stored_at", limit, words)

    # How -------------------------------------------------------------------------------------

    def _of(self, source: LogSource, tenant: TenantId | None) -> Any:
        """Return the query of a source; of all tenants one that has a composite index."""
        group = self._db.client.collection_group
        match source, tenant:
            case LogSource.MESSAGES, None:
                in_lanes = FieldFilter("lane", "in", list(range(LANES)))
                return group("messages").where(filter=in_lanes)
            case LogSource.SENDS, None:
                return group("sends").where(filter=FieldFilter("state", "in", list(SETTLED)))
            case LogSource.CONVERSATIONS, None:
                return group("conversations").where(
                    filter=FieldFilter("group", "in", [False, True])
                )
            case LogSource.MESSAGES, str():
                return self._db.messages(tenant)
            case LogSource.SENDS, str():
                return self._db.sends(tenant)
            case LogSource.CONVERSATIONS, str():
                return self._db.conversations(tenant)
            case LogSource.LINES, None:
                return self._db.instances
            case _:
                return self._db.instances.where(filter=FieldFilter("tenant", "==", tenant))

    async def _query_page(
        self, query: Any, source: LogSource, field: str, limit: int, words: int
    ) -> LoggedPage:
        snapshots = await self._db.query(query.limit(limit), words)
        is_full = len(snapshots) == limit or sum(map(base.words_in, snapshots)) >= words
        last = None
        if snapshots:
            last = LogPlace(micros_of(snapshots[-1].get(field)), snapshots[-1].reference.path)
        told = base.readable(snapshots, lambda snapshot: _logged(snapshot, source))
        read_at = max((_stamp(snapshot.read_time) for snapshot in snapshots), default=0)
        documents = [one for one in told if one]
        return LoggedPage(documents, last, len(snapshots), is_full, read_at)


def moment_of(micros: int) -> datetime:
    """Return the moment of so many microseconds since 1970."""
    return _EPOCH + micros * _MICROSECOND


def micros_of(moment: datetime) -> int:
    """Return a moment in microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


_FIELDS: Mapping[LogSource, str] = {
    LogSource.MESSAGES: "logged_at",
    LogSource.SENDS: "settled_at",
    LogSource.CONVERSATIONS: "logged_at",
    LogSource.LINES: "logged_at",
}
_READERS: Mapping[LogSource, Callable[[Snapshot], Any]] = {
    LogSource.MESSAGES: message_in,
    LogSource.SENDS: send_in,
    LogSource.CONVERSATIONS: conversation_in,
    LogSource.LINES: instance_in,
}


def untold_fields(snapshot: Snapshot) -> dict[str, Any]:
    """Return what a write adds that is no news: the log shows the document as if it weren't."""
    fields = snapshot.to_dict() or {}
    mark = {"logged_at": fields.get("logged_at"), "written": _write_time(snapshot, fields)}
    return {"untold": mark}


def _write_time(snapshot: Snapshot, fields: Mapping[str, Any]) -> int:
    """Return when news was written last: the marks of later writes say so, until there is more."""
    match fields.get("untold"):
        case {"logged_at": at, "written": int(written)} if at == fields.get("logged_at"):
            return written
        case _:
            return _stamp(snapshot.update_time)


def _logged(snapshot: Snapshot, source: LogSource) -> Logged | None:
    """Return the document, or None where the API doesn't show it."""
    fields, path = snapshot.to_dict() or {}, snapshot.reference.path
    if source is LogSource.MESSAGES and kept_messages.is_stub(fields):
        return None
    hidden = "last_at" not in fields or fields.get("merged_into")
    if source is LogSource.CONVERSATIONS and hidden:
        return None
    if source is LogSource.SENDS and fields.get("state") not in SETTLED:
        return None
    record = _READERS[source](snapshot)
    is_line = source is LogSource.LINES
    tenant = record.tenant if is_line else names.unspell(path.split("/")[1])
    if tenant is None:
        return None
    return Logged(
        path=path,
        tenant=tenant,
        record=record,
        logged=_micros_in(fields.get(_FIELDS[source])),
        stored=_micros_in(fields.get("stored_at")),
        written=_write_time(snapshot, fields),
        created=_stamp(snapshot.create_time),
    )


def _micros_in(value: Any) -> int | None:
    return micros_of(value) if isinstance(value, datetime) else None


def _stamp(value: Any) -> int:
    """Return a snapshot's time; the client leaves those of collection groups as they were sent."""
    return micros_of(value) if isinstance(value, datetime) else int(value.ToMicroseconds())
