"""Stores to which something happens between a change's reads and its commit, or after it."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from google.cloud import firestore

from shared.domain.instances import Instance
from shared.store import Placed, Store, base
from tests.builders import a_new_line


class Server(NamedTuple):
    """A server of the fleet, as far as its room goes."""

    id: str = "main"
    instance_max: int = 10


FLEET = (Server(),)


class Interrupted(Store):
    """Before its first commit, something else happens."""

    def __init__(self, store: Store, between: Callable[[], Awaitable[Any]]) -> None:
        super().__init__(store._client)
        self.between = [between]

    async def _commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        while self.between:
            await self.between.pop()()
        return await super()._commit(batch)


class Lossy(Store):
    """Its first commit is applied, but the answer is lost: an error comes in its place."""

    def __init__(self, store: Store, error: Exception) -> None:
        super().__init__(store._client)
        self.errors = [error]

    async def _commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        done = await super()._commit(batch)
        while self.errors:
            with base.translated():
                raise self.errors.pop()
        return done


class Repeating(Store):
    """Its first commit is applied, its answer is lost, and the client sends it once more."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._client)
        self.repeats = 1

    async def _commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        writes = list(batch._write_pbs)
        done = await super()._commit(batch)
        while self.repeats:
            self.repeats -= 1
            batch._write_pbs = writes
            done = await super()._commit(batch)
        return done


async def placed(store: Store, **line: Any) -> Instance:
    """A line that its caller has just placed, and still holds."""
    match await store.place_instance(a_new_line(**line), FLEET):
        case Placed(held):
            return held
        case other:
            raise AssertionError(other)


async def settled(store: Store, **line: Any) -> Instance:
    """A line that was placed and let go; `line` says what it is then."""
    key = {name: line.pop(name) for name in ("tenant", "line") if name in line}
    held = await placed(store, **key)
    found = await store.release_lease(held, lambda current: current.model_copy(update=line))
    assert found
    return found
