"""The composition root: what the functions work with, made once and on first use."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from shared import config, problems

if TYPE_CHECKING:
    import httpx

    from shared.evolution.client import Evolution
    from shared.store import Store

HTTP_CONNECTIONS = 100
HTTP_IDLE_SECONDS = 3.0
"""Evolution's server (Node's default) closes a connection that nobody used for 5 s: we let go of it
first, or a request that goes out just then is lost without an answer."""


@dataclass(frozen=True)
class Services:
    """The seams: where time, the database and the network come from."""

    clock: Callable[[], datetime] = field(default=partial(datetime.now, UTC))
    pause: Callable[[float], Any] = asyncio.sleep
    transport: "httpx.AsyncBaseTransport | None" = None
    made: dict[Any, Any] = field(default_factory=dict)

    def once(self, what: str, make: Callable[[], Any]) -> Any:
        """The one thing of that name for this event loop (clients are tied to theirs)."""
        key = (what, id(asyncio.get_running_loop()))
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]


_current = Services()


def now() -> datetime:
    """The time, aware and in UTC."""
    return _current.clock()


async def pause(seconds: float) -> None:
    """Time has passed."""
    await _current.pause(seconds)


def store() -> "Store":
    """The records."""
    return _current.once("store", _make_store)  # type: ignore[no-any-return]


def server(server: str) -> config.Server:
    """The configured server of that id. Raises ServerUnknown."""
    known = config.settings().servers.get(server)
    if known is None:
        raise problems.ServerUnknown(f"Server {server} carries the line.")
    return known


def evolution(server_id: str) -> "Evolution":
    """The Evolution server of that id. Raises ServerUnknown."""
    known = server(server_id)
    from shared.evolution.client import Evolution

    return _current.once(f"evolution {server_id}", lambda: Evolution(known, http()))  # type: ignore[no-any-return]


@contextmanager
def using(**seams: Any) -> Iterator[Services]:
    """Inside, the seams given are used (for tests and tools)."""
    global _current
    before = _current
    _current = replace(before, made={}, **seams)
    try:
        yield _current
    finally:
        _current = before


def _make_store() -> "Store":
    from google.cloud import firestore

    from shared.store import Store

    settings = config.settings()
    client = firestore.AsyncClient(
        project=settings.google_cloud_project, database=settings.firestore_database
    )
    return Store(client)


def http() -> "httpx.AsyncClient":
    """The network, for whoever may use it."""
    import httpx

    limits = httpx.Limits(max_connections=HTTP_CONNECTIONS, keepalive_expiry=HTTP_IDLE_SECONDS)
    make = partial(httpx.AsyncClient, transport=_current.transport, limits=limits)
    return _current.once("http", make)  # type: ignore[no-any-return]
