"""The base of every topic of the store: paths, time-outs, faults, pages, and compare-and-set."""

import asyncio
import random
import re
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from google.api_core import exceptions
from google.api_core.retry_async import AsyncRetry, if_exception_type
from google.cloud import firestore
from google.cloud.firestore_v1.base_document import DocumentSnapshot
from google.cloud.firestore_v1.base_query import FieldFilter
from msgspec import Struct
from pydantic import ValidationError

from shared import log, problems
from shared.domain import names
from shared.domain.contacts import Contact, ConversationId, conversation_id
from shared.domain.event_types import LogPart
from shared.domain.names import LineId, TenantId
from shared.domain.record import Kept
from shared.store import commits

if TYPE_CHECKING:
    from shared.domain.events import LetterReason

Document = firestore.AsyncDocumentReference
Snapshot = DocumentSnapshot[Any]
T = TypeVar("T")
KeptRecord = TypeVar("KeptRecord", bound=Kept)

PAGE: Final = 300
"""Documents in one answer: far below what one takes 5 seconds for."""

MOST_COUNTED: Final = 1000
"""Index entries that a count looks at for the price of one read."""

LONGEST_ID: Final = 1500
"""Bytes of a document's id (Firestore's limit)."""

CALL_TIMEOUT: Final = 5.0
PATIENCE: Final = 15.0
_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.4

_TRANSIENT = if_exception_type(exceptions.ServiceUnavailable, exceptions.InternalServerError)
_AGAIN = AsyncRetry(predicate=_TRANSIENT, initial=0.05, maximum=0.5, timeout=CALL_TIMEOUT)
LIMITS: Final[dict[str, Any]] = {"timeout": CALL_TIMEOUT, "retry": _AGAIN}
"""Options of every call: the client's own defaults wait a minute or more."""

CONTENDED: Final = (exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.Aborted)
"""Faults of a commit with preconditions when another caller wrote in between."""

CHANGED: Final = (*CONTENDED, exceptions.NotFound)
"""The same faults, and the one for a document that another caller deleted in between."""


class Unfit(Exception):
    """A write that Firestore never takes, however often it is tried, mostly for its size.

    Its arguments are the ids of the messages, where it was one of many.
    """

    reason: "LetterReason" = "too large to keep"


class MessageIdTaken(Unfit):
    """A message whose id a message of another chat has already."""

    reason = "another chat's message has this id"


class LineScope(NamedTuple):
    """The owner of messages: a tenant, one of its lines, and the number that it had then."""

    tenant: TenantId
    line: LineId
    number: str

    def conversation_id(self, contact: Contact) -> ConversationId:
        return conversation_id(self.line, self.number, contact.key)


class PageEnd(NamedTuple):
    """The end of a page: the value it is ordered by, and the document's id."""

    value: Any
    id: str


class ResultPage(NamedTuple):
    """Records, and where they end if there may be more."""

    records: list[Any]
    end: PageEnd | None


class Database:
    """A Firestore client, the paths of all documents, and the ways to read and write them."""

    def __init__(self, client: firestore.AsyncClient) -> None:
        self.client = client
        self.tenants = client.collection("tenants")
        self.instances = client.collection("instances")
        self.servers = client.collection("servers")
        self.numbers = client.collection("numbers")
        self.dead_letters = client.collection("dead_letters")
        self.incidents = client.collection("incidents")
        self.links = client.collection("links")
        self.acts = client.collection("acts")
        self.endpoints = client.collection("endpoints")
        self.sweeps = client.collection("sweeps")
        self.candidates: Any = client.collection("sweeps", "orphans", "candidates")

    def tenant(self, tenant: TenantId) -> Document:
        return self.tenants.document(names.spell(tenant))

    def messages(self, tenant: TenantId) -> Any:
        return self.tenant(tenant).collection("messages")

    def message(self, scope: LineScope, message: str) -> Document:
        return self._of_tenant(scope.tenant, "messages", f"{scope.line}~{message}")

    def conversations(self, tenant: TenantId) -> Any:
        return self.tenant(tenant).collection("conversations")

    def conversation(self, tenant: TenantId, conversation: ConversationId) -> Document:
        return self._of_tenant(tenant, "conversations", conversation)

    def sends(self, tenant: TenantId) -> Any:
        return self.tenant(tenant).collection("sends")

    def send(self, tenant: TenantId, key: str) -> Document:
        return self._of_tenant(tenant, "sends", key)

    def desk(self, tenant: TenantId) -> Document:
        return self._of_tenant(tenant, "desk", "desk")

    def notes(self, tenant: TenantId) -> Any:
        return self.tenant(tenant).collection("notes")

    def note(self, tenant: TenantId, note: str) -> Document:
        return self._of_tenant(tenant, "notes", note)

    def alias(self, tenant: TenantId, line: LineId, number: str) -> Document:
        return self._of_tenant(tenant, "aliases", f"{line}~{number}")

    def missed_window(self, scope: LineScope, number: str, since: int) -> Document:
        return self._of_tenant(scope.tenant, "gaps", f"{scope.line}~{number}~{since}")

    def media_files(self, tenant: TenantId) -> Any:
        return self.tenant(tenant).collection("media_files")

    def media_file(self, tenant: TenantId, sha256: str) -> Document:
        return self._of_tenant(tenant, "media_files", sha256)

    def media_usage(self, tenant: TenantId) -> Document:
        return self._of_tenant(tenant, "usage", "media")

    def instance(self, name: str) -> Document:
        return self.instances.document(name)

    def number(self, number: str) -> Document:
        return self.numbers.document(number)

    def server(self, server: str) -> Document:
        return self.servers.document(server)

    def endpoint(self, name: str) -> Document:
        return self.endpoints.document(name)

    def attempts(self, endpoint: str) -> Any:
        return self.endpoint(endpoint).collection("attempts")

    def told_tenants(self) -> Document:
        """Return the one document that names the tenants which have endpoints."""
        return self.client.document("outbound", "told_tenants")

    def slots(self, server: str) -> Any:
        return self.server(server).collection("slots")

    def batch(self) -> firestore.AsyncWriteBatch:
        return self.client.batch()

    def since(self, version: Any) -> Any:
        """Return the condition of a write: the document is still of this version."""
        return self.client.write_option(last_update_time=version)

    async def compare_and_set(
        self, references: Sequence[Document], build: Callable[..., Awaitable[T]]
    ) -> T:
        """Read documents, build a batch from them, and commit it; all anew if one changed.

        `build(batch, *snapshots)` fills the batch, with preconditions on what it read, and returns
        what the caller gets. A batch that stays empty isn't committed. Raises StoreUnavailable.
        Firestore: 1 read per document and the writes of the batch, for each time.
        """

        async def attempt(first: bool) -> T:
            batch = self.batch()
            outcome = await build(batch, *await self.read(*references))
            if batch._write_pbs:
                await self.commit(batch)
            return outcome

        return await retry_contended(attempt)

    async def read(self, *references: Document) -> list[Snapshot]:
        """Read the documents, in the order asked for. One round trip, one read each."""
        with translated():
            snapshots = {
                snapshot.reference.path: snapshot
                async for snapshot in self.client.get_all(list(references), **LIMITS)
            }
        return [snapshots[reference.path] for reference in references]

    async def query(self, query: Any, most: float = inf) -> list[Snapshot]:
        """Run a query; stop reading once there are `most` characters of words in its results."""
        snapshots, words = list[Snapshot](), 0
        with translated():
            async for snapshot in query.stream(**LIMITS):
                snapshots.append(snapshot)
                words += 0 if most == inf else words_in(snapshot)
                if words >= most:
                    break
        return snapshots

    async def query_page(
        self,
        collection: Any,
        limit: int,
        after: str | None,
        *,
        where: Mapping[str, Any] | None = None,
        fields: Sequence[str] = (),
        token: str | None = None,
        ids: tuple[str, str] | None = None,
    ) -> tuple[list[Snapshot], str | None]:
        """Return a page of a collection by id, and the id of its last document if it is full.

        `where`: values that fields have; `token`: one of its tokens; `ids`: from the first on, and
        below the second; `fields`: the only ones that are read. n reads.
        """
        query = filtered(collection, where or {})
        if token is not None:
            query = query.where(filter=FieldFilter("tokens", "array_contains", token))
        if ids is not None:
            first, beyond = map(collection.document, ids)
            query = query.where(filter=FieldFilter("__name__", ">=", first))
            query = query.where(filter=FieldFilter("__name__", "<", beyond))
        query = query.order_by("__name__").limit(limit)
        query = query.select(fields) if fields else query
        if after is not None:
            query = query.start_after({"__name__": collection.document(after)})
        snapshots = await self.query(query)
        return snapshots, snapshots[-1].id if len(snapshots) == limit else None

    async def iterate(
        self,
        collection: Any,
        fields: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[Snapshot]:
        """Yield all documents, by id, with no more than a page of them in memory. n reads.

        `fields` and `where`: as of `query_page`.
        """
        after: str | None = None
        while True:
            snapshots, after = await self.query_page(
                collection, PAGE, after, fields=fields, where=where
            )
            for snapshot in snapshots:
                yield snapshot
            if after is None:
                return

    async def count(self, query: Any) -> int:
        """Count the documents of a query. Firestore: 1 read per 1000."""
        with translated():
            ((result,),) = await query.count().get(**LIMITS)
        return int(result.value)

    async def choose_token(
        self, tokens: Sequence[str], query: Callable[[str], Any], enough: int
    ) -> str:
        """Return the token that the fewest documents have, or the first that few have (`enough`).

        `query` returns that of a token. Firestore: 1 read for each of several, none for one alone.
        """
        counts = dict[str, int]()
        for token in tokens if len(tokens) > 1 else ():
            counts[token] = await self.count(query(token).limit(MOST_COUNTED))
            if counts[token] <= enough:
                break
        return min(counts, key=counts.__getitem__, default=tokens[0])

    async def commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        """Commit all writes or none. Return the result of each, with its update time.

        Raises one of CONTENDED, NotFound, Unfit, StoreUnavailable.
        """
        with translated():
            return await commits.commit(self.client, batch, **LIMITS)

    async def commit_unordered(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        """Commit a batch of which the order doesn't matter, again if Firestore aborts it."""

        async def attempt(first: bool) -> list[Any]:
            return await self.commit(batch)

        return await retry_contended(attempt, (exceptions.Aborted,))

    def _of_tenant(self, tenant: TenantId, collection: str, name: str) -> Document:
        return self.client.document("tenants", names.spell(tenant), collection, name)


Tell = Callable[[TenantId, LogPart], Awaitable[None]]
"""Called with the tenant whose log has news, and in which part, after the commit."""


async def tell_none(_: TenantId, __: LogPart) -> None:
    """Leave the news to readers of the log."""


class Topic:
    """A part of the store: the questions and changes about one kind of document.

    A topic that needs another one is given it when the store is composed.
    """

    def __init__(self, db: Database) -> None:
        self._db = db


class UnreadableRecord(Struct, frozen=True):
    """A document that was written by hand, wrongly, and can't be read."""

    id: str

    @property
    def instance(self) -> str:
        """Return the name of its instance, if it is a candidate."""
        return self.id.partition("~")[2]


def filtered(query: Any, where: Mapping[str, Any]) -> Any:
    """Return the query of those whose fields have these values."""
    for field, value in where.items():
        query = query.where(filter=FieldFilter(field, "==", value))
    return query


def position_of(snapshot: Snapshot, field: str) -> str | None:
    """Return the end of a page that is ordered by a time; the time may change before the next."""
    at = (snapshot.to_dict() or {}).get(field)
    if not isinstance(at, datetime):
        return None
    return f"{int(at.timestamp() * 1_000_000)}~{snapshot.id}"


def read_position(position: str) -> tuple[datetime, str]:
    """Read the end of a page: the time by which it was ordered, and the document."""
    at, _, name = position.partition("~")
    return datetime.fromtimestamp(int(at) / 1_000_000, UTC), name


def is_document_id(text: str) -> bool:
    """Tell whether Firestore could have a document of this id."""
    fits = re.fullmatch(r"(?!__|\.\.?\Z)[^/]{1,500}", text) is not None
    return fits and len(text.encode(errors="replace")) <= LONGEST_ID


def words_in(snapshot: Snapshot) -> int:
    """Count the characters in all the texts of a document."""
    return _words(snapshot.to_dict())


def _words(value: Any) -> int:
    match value:
        case str():
            return len(value)
        case list():
            return sum(map(_words, value))
        case dict():
            return sum(map(_words, value.values()))
        case _:
            return 0


def readable(snapshots: Iterable[Snapshot], read: Callable[[Snapshot], T]) -> list[T]:
    """Read documents, and log and leave out those that can't be read."""
    records = []
    for snapshot in snapshots:
        try:
            records.append(read(snapshot))
        except ValidationError:
            log.notice("document.unreadable", document=snapshot.id)
        except problems.RecordUnreadable:
            continue
    return records


def read_record(read: Callable[[Snapshot], T | None], snapshot: Snapshot) -> T | UnreadableRecord:
    """Read a document, or return that it is unreadable."""
    return next(filter(None, readable([snapshot], read)), UnreadableRecord(snapshot.id))


def understood(snapshot: Snapshot, kind: type[KeptRecord], **more: Any) -> KeptRecord:
    """Read the record in a document that exists, with its version. Raises RecordUnreadable."""
    try:
        record = kind.model_validate({**(snapshot.to_dict() or {}), **more})
    except ValidationError:
        log.notice("document.unreadable", document=snapshot.id)
        raise problems.RecordUnreadable() from None
    return record.model_copy(update={"version": snapshot.update_time})


@contextmanager
def translated() -> Iterator[None]:
    """Translate Firestore's faults into our problems; contention stays what it is."""
    try:
        yield
    except CONTENDED:
        raise
    except exceptions.InvalidArgument as error:
        raise Unfit from error
    except (exceptions.RetryError, exceptions.ServerError, exceptions.TooManyRequests) as error:
        raise problems.StoreUnavailable() from error


async def retry_contended(
    attempt: Callable[[bool], Awaitable[T]], faults: tuple[type[Exception], ...] = CHANGED
) -> T:
    """Call `attempt` until it meets none of the faults of contention, and return its result.

    It is told whether it is the first time. Raises StoreUnavailable if it never succeeds.
    """
    first = True
    # Left open, each would be closed in a task of its own.
    async with aclosing(attempts()) as times:
        async for _ in times:
            try:
                return await attempt(first)
            except faults:
                first = False
    raise AssertionError("attempts() ends with a problem")


async def attempts() -> AsyncGenerator[None, None]:
    """Yield now, and again after random, growing pauses. Raises StoreUnavailable in the end."""
    started, longest = time.monotonic(), _PAUSE
    while True:
        yield
        if time.monotonic() - started > PATIENCE:
            raise problems.StoreUnavailable("Too many callers at once.")
        await asyncio.sleep(random.uniform(0, longest))
        longest = min(longest * 2, _LONGEST_PAUSE)
