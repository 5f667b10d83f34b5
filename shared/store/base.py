"""The base of every topic of the store: paths, time-outs, faults, and compare-and-set."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, Final, TypeVar

from google.api_core import exceptions
from google.api_core.retry_async import AsyncRetry, if_exception_type
from google.cloud import firestore
from google.cloud.firestore_v1.base_document import DocumentSnapshot
from pydantic import ValidationError

from shared import log, problems
from shared.domain.record import Kept

Snapshot = DocumentSnapshot[Any]
T = TypeVar("T")
KeptRecord = TypeVar("KeptRecord", bound=Kept)

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

    reason = "too large to keep"


class MessageIdTaken(Unfit):
    """A message whose id a message of another chat has already."""

    reason = "another chat's message has this id"


class Base:
    """A Firestore client and the paths of the documents it keeps."""

    def __init__(self, client: firestore.AsyncClient) -> None:
        self._client = client

    def _tenant(self, spelled: str) -> firestore.AsyncDocumentReference:
        return self._client.collection("tenants").document(spelled)

    def _instance(self, name: str) -> firestore.AsyncDocumentReference:
        return self._client.collection("instances").document(name)

    def _server(self, server: str) -> firestore.AsyncDocumentReference:
        return self._client.collection("servers").document(server)

    def _number(self, number: str) -> firestore.AsyncDocumentReference:
        return self._client.collection("numbers").document(number)

    def _since(self, version: Any) -> Any:
        return self._client.write_option(last_update_time=version)

    async def compare_and_set(
        self,
        references: Sequence[firestore.AsyncDocumentReference],
        build: Callable[..., Awaitable[T]],
    ) -> T:
        """Read documents, build a batch from them, and commit it; all anew if one changed.

        `build(batch, *snapshots)` fills the batch, with preconditions on what it read, and returns
        what the caller gets. A batch that stays empty isn't committed. Raises StoreUnavailable.
        Firestore: 1 read per document and the writes of the batch, for each time.
        """

        async def attempt(first: bool) -> T:
            batch = self._client.batch()
            outcome = await build(batch, *await self._read(*references))
            if batch._write_pbs:
                await self._commit(batch)
            return outcome

        return await retry_contended(attempt)

    async def _read(self, *references: firestore.AsyncDocumentReference) -> list[Snapshot]:
        """Read the documents, in the order asked for. One round trip, one read each."""
        with translated():
            snapshots = {
                snapshot.reference.path: snapshot
                async for snapshot in self._client.get_all(list(references), **LIMITS)
            }
        return [snapshots[reference.path] for reference in references]

    async def _query(self, query: Any, most: float = inf) -> list[Snapshot]:
        """Run a query; stop reading once there are `most` characters of words in its results."""
        snapshots, words = list[Snapshot](), 0
        with translated():
            async for snapshot in query.stream(**LIMITS):
                snapshots.append(snapshot)
                words += 0 if most == inf else words_in(snapshot)
                if words >= most:
                    break
        return snapshots

    async def _count(self, query: Any) -> int:
        """Count the documents of a query. Firestore: 1 read per 1000."""
        with translated():
            ((result,),) = await query.count().get(**LIMITS)
        return int(result.value)

    async def _commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        """Commit all writes or none. Return the result of each, with its update time.

        Raises one of CONTENDED, NotFound, Unfit, StoreUnavailable.
        """
        with translated():
            return list(await batch.commit(**LIMITS))

    async def _commit_unordered(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        """Commit a batch of which the order doesn't matter, again if Firestore aborts it."""

        async def attempt(first: bool) -> list[Any]:
            return await self._commit(batch)

        return await retry_contended(attempt, (exceptions.Aborted,))


def is_document_id(text: str) -> bool:
    """Tell whether Firestore could have a document of this id."""
    return re.fullmatch(r"(?!__)[^/]{1,500}", text) is not None


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
    async for _ in attempts():
        try:
            return await attempt(first)
        except faults:
            first = False
    raise AssertionError("attempts() ends with a problem")


async def attempts() -> AsyncIterator[None]:
    """Yield now, and again after random, growing pauses. Raises StoreUnavailable in the end."""
    started, longest = time.monotonic(), _PAUSE
    while True:
        yield
        if time.monotonic() - started > PATIENCE:
            raise problems.StoreUnavailable("Too many callers at once.")
        await asyncio.sleep(random.uniform(0, longest))
        longest = min(longest * 2, _LONGEST_PAUSE)
