"""What every topic of the store shares: paths, time-outs, faults, and trying again."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
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
Read = TypeVar("Read")
KeptRecord = TypeVar("KeptRecord", bound=Kept)

CALL_TIMEOUT: Final = 5.0
PATIENCE: Final = 15.0
_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.4

_TRANSIENT = if_exception_type(exceptions.ServiceUnavailable, exceptions.InternalServerError)
_AGAIN = AsyncRetry(predicate=_TRANSIENT, initial=0.05, maximum=0.5, timeout=CALL_TIMEOUT)
LIMITS: Final[dict[str, Any]] = {"timeout": CALL_TIMEOUT, "retry": _AGAIN}
"""For every call: the client's own defaults wait a minute or more."""

CONTENDED: Final = (exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.Aborted)
"""Somebody else wrote in between (as a commit with preconditions reports it)."""


class Unfit(Exception):
    """Firestore will never take this, however often it is tried: it is too large, mostly.

    Its arguments are the ids of the messages, where it was one of many.
    """

    reason = "too large to keep"


class Taken(Unfit):
    """A message of somebody else has this id."""

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

    async def _read(self, *references: firestore.AsyncDocumentReference) -> list[Snapshot]:
        """The documents, in the order asked for. One round trip, one read each."""
        with translated():
            found = {
                snapshot.reference.path: snapshot
                async for snapshot in self._client.get_all(list(references), **LIMITS)
            }
        return [found[reference.path] for reference in references]

    async def _found(self, query: Any, most: float = inf) -> list[Snapshot]:
        """What is found; no more once there are `most` characters of words in it."""
        several, words = list[Snapshot](), 0
        with translated():
            async for snapshot in query.stream(**LIMITS):
                several.append(snapshot)
                words += 0 if most == inf else words_in(snapshot)
                if words >= most:
                    break
        return several

    async def _commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        """All or nothing; the update times. Raises one of CONTENDED, StoreUnavailable."""
        return [result.update_time for result in await self._written(batch)]

    async def _written(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        """All or nothing; what became of each write. Raises like `_commit`."""
        with translated():
            return list(await batch.commit(**LIMITS))

    async def _fold(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        """A commit that cares for no order: if others write just now, it is done after them."""
        async for _ in attempts():
            try:
                return await self._written(batch)
            except exceptions.Aborted:
                continue
        raise AssertionError("attempts() ends with a problem")


def is_document_id(text: str) -> bool:
    """Whether Firestore could have a document of this id."""
    return re.fullmatch(r"(?!__)[^/]{1,500}", text) is not None


def words_in(snapshot: Snapshot) -> int:
    """Characters in all the texts of a document."""
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


def readable(found: Iterable[Snapshot], read: Callable[[Snapshot], Read]) -> list[Read]:
    """Documents as we know them. One that isn't so costs only itself: it is logged and left out."""
    several = []
    for each in found:
        try:
            several.append(read(each))
        except ValidationError:
            log.refused("document.unreadable", document=each.id)
        except problems.RecordUnreadable:
            continue
    return several


def understood(found: Snapshot, kind: type[KeptRecord], **more: Any) -> KeptRecord:
    """What is kept in a document that is there, and of which version. Raises RecordUnreadable."""
    try:
        kept = kind.model_validate({**(found.to_dict() or {}), **more})
    except ValidationError:
        log.refused("document.unreadable", document=found.id)
        raise problems.RecordUnreadable() from None
    return kept.model_copy(update={"version": found.update_time})


@contextmanager
def translated() -> Iterator[None]:
    """What Firestore fails with becomes our problem; contention stays what it is."""
    try:
        yield
    except CONTENDED:
        raise
    except exceptions.InvalidArgument as error:
        raise Unfit from error
    except (exceptions.RetryError, exceptions.ServerError, exceptions.TooManyRequests) as error:
        raise problems.StoreUnavailable() from error


async def attempts() -> AsyncIterator[None]:
    """One turn now and more after random, growing pauses. Raises StoreUnavailable in the end."""
    started, longest = time.monotonic(), _PAUSE
    while True:
        yield
        if time.monotonic() - started > PATIENCE:
            raise problems.StoreUnavailable("Too many callers at once.")
        await asyncio.sleep(random.uniform(0, longest))
        longest = min(longest * 2, _LONGEST_PAUSE)
