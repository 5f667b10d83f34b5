"""Compose what the functions work with: store, servers, network and clock, on first use."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from msgspec import Struct, field
from msgspec.structs import replace

from shared import config, problems
from shared.domain.names import LineId, TenantId

if TYPE_CHECKING:
    import httpx

    from shared.bucket import Bucket
    from shared.domain.event_types import LogPart
    from shared.evolution.client import Evolution
    from shared.store import Store

HTTP_CONNECTIONS = 100
HTTP_IDLE_SECONDS = 3.0
"""Evolution's server (Node's default) closes a connection that was idle for 5 s: we close it
first, or a request that goes out just then is lost without an answer."""


class Services(Struct, frozen=True):
    """The seams: where time, the database and the network come from."""

    clock: Callable[[], datetime] = field(default=partial(datetime.now, UTC))
    pause: Callable[[float], Any] = asyncio.sleep
    transport: "httpx.AsyncBaseTransport | None" = None
    objects: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Any]] = field(
        default_factory=WeakKeyDictionary
    )

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return the one object of that name for this event loop (clients are tied to theirs)."""
        of_loop = self.objects.setdefault(asyncio.get_running_loop(), {})
        if name not in of_loop:
            of_loop[name] = make()
        return of_loop[name]


_current = Services()


def now() -> datetime:
    """Return the time, aware and in UTC."""
    return _current.clock()


async def pause(seconds: float) -> None:
    """Wait."""
    await _current.pause(seconds)


def store() -> "Store":
    """Return the store of records."""
    return _current.once("store", _make_store)  # type: ignore[no-any-return]


def server(server_id: str) -> config.Server:
    """Return the configured server of that id. Raises ServerUnknown."""
    configured = config.settings().servers.get(server_id)
    if configured is None:
        raise problems.ServerUnknown(f"Server {server_id} carries the line.")
    return configured


def evolution(server_id: str) -> "Evolution":
    """Return the client of the Evolution server of that id. Raises ServerUnknown."""
    configured = server(server_id)
    from shared.evolution.client import Evolution

    return _current.once(f"evolution {server_id}", lambda: Evolution(configured, http()))  # type: ignore[no-any-return]


def bucket() -> "Bucket | None":
    """Return the bucket of media; None if this deployment has none."""
    if config.settings().media_bucket is None:
        return None
    return _current.once("bucket", _make_bucket)  # type: ignore[no-any-return]


def once(name: str, make: Callable[[], Any]) -> Any:
    """Return the one object of that name for this event loop; make it on first use."""
    return _current.once(name, make)


@contextmanager
def using(**seams: Any) -> Iterator[Services]:
    """Use these seams inside (for tests and tools)."""
    global _current
    before = _current
    _current = replace(before, objects=WeakKeyDictionary(), **seams)
    try:
        yield _current
    finally:
        _current = before


async def poke(tenant: TenantId, *news: "LogPart") -> None:
    """Say what there is news of, if the tenant has endpoints. Never raises; at most 1 s."""
    if config.settings().events_topic is not None:
        await _current.once("pokes", _make_pokes).poke(tenant, news)


async def poke_media(tenant: TenantId, line: LineId, message: str) -> None:
    """Say that a message has a file to copy, if there is a topic for that. Never raises; 1 s."""
    if (topic := config.settings().media_topic) is not None:
        await _current.once("pokes", _make_pokes).poke_media(topic, tenant, line, message)


def _make_pokes() -> Any:
    from shared.pokes import Pokes

    return Pokes(store().endpoints.read_told_tenants, http)


def _make_store() -> "Store":
    from google.cloud import firestore

    from shared.store import Database, Store

    settings = config.settings()
    client = firestore.AsyncClient(
        project=settings.google_cloud_project, database=settings.firestore_database
    )

    return Store(Database(client), poke)


def _make_bucket() -> "Bucket":
    from shared.bucket import ORIGIN, Bucket
    from shared.google_account import EmulatorAccount, FunctionAccount

    settings, emulator = config.settings(), config.settings().storage_emulator_host
    assert settings.media_bucket
    account = EmulatorAccount() if emulator else FunctionAccount(http())
    return Bucket(
        settings.media_bucket,
        http(),
        account,
        clock=now,
        pause=pause,
        origin=emulator or ORIGIN,
    )


def http() -> "httpx.AsyncClient":
    """Return the HTTP client, for adapters only."""
    import httpx

    from shared import http_requests

    limits = httpx.Limits(max_connections=HTTP_CONNECTIONS, keepalive_expiry=HTTP_IDLE_SECONDS)
    make = partial(http_requests.Client, transport=_current.transport, limits=limits)
    return _current.once("http", make)  # type: ignore[no-any-return]
