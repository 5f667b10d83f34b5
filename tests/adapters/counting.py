"""What Firestore bills for: documents read, written and deleted; and the round trips it took."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.types import CommitRequest


@dataclass
class Counted:
    """A missing document costs a read, and so does a query without results.

    A count costs a read for each thousand documents counted, one at least. A write that Firestore
    refused costs nothing.
    """

    reads: int = 0
    writes: int = 0
    deletes: int = 0
    round_trips: int = 0


@contextmanager
def counting(client: firestore.AsyncClient) -> Iterator[Counted]:
    """Count what the client does inside the `with`."""
    counted, api = Counted(), client._firestore_api
    wrapped = {name: partial(wrap, counted, getattr(api, name)) for name, wrap in _WRAPS.items()}
    vars(api).update(wrapped)
    try:
        yield counted
    finally:
        for name in wrapped:
            delattr(api, name)


async def _batch_get(counted: Counted, call: Any, *given: Any, **more: Any) -> AsyncIterator[Any]:
    counted.round_trips += 1
    stream = await call(*given, **more)

    async def each() -> AsyncIterator[Any]:
        async for answer in stream:
            counted.reads += bool(answer.found or answer.missing)
            yield answer

    return each()


async def _query(counted: Counted, call: Any, *given: Any, **more: Any) -> AsyncIterator[Any]:
    counted.round_trips += 1
    stream = await call(*given, **more)

    async def each() -> AsyncIterator[Any]:
        documents = 0
        async for answer in stream:
            documents += "document" in answer
            counted.reads += "document" in answer
            yield answer
        counted.reads += not documents

    return each()


async def _listing(counted: Counted, call: Any, *given: Any, **more: Any) -> Any:
    """The first page: nobody counts what fills a second one."""
    counted.round_trips += 1
    pager = await call(*given, **more)
    counted.reads += max(len(pager.documents), 1)
    return pager


async def _aggregation(counted: Counted, call: Any, *given: Any, **more: Any) -> AsyncIterator[Any]:
    counted.round_trips += 1
    stream = await call(*given, **more)

    async def each() -> AsyncIterator[Any]:
        async for answer in stream:
            totals = [value.integer_value for value in answer.result.aggregate_fields.values()]
            counted.reads += max(1, -(-max(totals, default=0) // 1000))
            yield answer

    return each()


async def _commit(counted: Counted, call: Any, request: Any, **more: Any) -> Any:
    counted.round_trips += 1
    done = await call(request=request, **more)
    writes = CommitRequest(request).writes
    deletes = sum(bool(write.delete) for write in writes)
    counted.deletes += deletes
    counted.writes += len(writes) - deletes
    return done


async def _free(counted: Counted, call: Any, *given: Any, **more: Any) -> Any:
    counted.round_trips += 1
    return await call(*given, **more)


_WRAPS: dict[str, Callable[..., Any]] = {
    "batch_get_documents": _batch_get,
    "run_query": _query,
    "list_documents": _listing,
    "run_aggregation_query": _aggregation,
    "commit": _commit,
    "begin_transaction": _free,
    "rollback": _free,
}
