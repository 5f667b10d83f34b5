"""Stores to which something happens between a change's reads and its commit, or after it."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore

from shared.domain.instances import Instance
from shared.store import Database, Store, base
from shared.store.instances import Placed
from tests.builders import a_new_line


class Server(NamedTuple):
    """A server of the fleet, as far as its room goes."""

    id: str = "main"
    instance_max: int = 10


FLEET = (Server(),)


class Interrupted(Database):
    """A database in which something else happens before its n-th commit."""

    def __init__(
        self, store: Store, between: Callable[[], Awaitable[Any]], before_commit: int = 1
    ) -> None:
        super().__init__(store.db.client)
        self.commits_left, self.between = before_commit, between

    async def commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        self.commits_left -= 1
        if self.commits_left == 0:
            await self.between()
        return await super().commit(batch)


class Lossy(Database):
    """A database that applies its first commit and loses the answer: an error comes instead."""

    def __init__(self, store: Store, error: Exception) -> None:
        super().__init__(store.db.client)
        self.errors = [error]

    async def commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        results = await super().commit(batch)
        while self.errors:
            with base.translated():
                raise self.errors.pop()
        return results


class Repeating(Database):
    """A database that applies its first commit twice, as if the first answer were lost."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.db.client)
        self.repeats = 1

    async def commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        writes = list(batch._write_pbs)
        results = await super().commit(batch)
        while self.repeats:
            self.repeats -= 1
            batch._write_pbs = writes
            results = await super().commit(batch)
        return results


class Contended(Database):
    """A database that aborts its first commits: others write to the same documents."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.db.client)
        self.aborts_left = 2

    async def commit(self, batch: firestore.AsyncWriteBatch) -> list[Any]:
        self.aborts_left -= 1
        if self.aborts_left >= 0:
            raise exceptions.Aborted("contention")
        return await super().commit(batch)


async def placed(store: Store, **line: Any) -> Instance:
    """A line that its caller has just placed, and still holds."""
    match await store.instances.place(a_new_line(**line), FLEET):
        case Placed(held):
            return held
        case other:
            raise AssertionError(other)


async def settled(store: Store, **line: Any) -> Instance:
    """A line that was placed and let go; `line` says what it is then."""
    key = {name: line.pop(name) for name in ("tenant", "line") if name in line}
    held = await placed(store, **key)
    released = await store.instances.release_lease(
        held, lambda current: current.model_copy(update=line)
    )
    assert released
    return released
