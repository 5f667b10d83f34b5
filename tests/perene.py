"""Run Perene as its callers see it: functions loaded as the platform does, servers and a clock."""

import asyncio
import functools
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest import mock

import httpx
import jwt
import pytest
from google.cloud import firestore

from infra.local import gateway
from infra.local.bucket_emulator import BucketEmulator
from infra.local.simulator import Simulator
from infra.local.simulator.instance_settings import store_webhook
from shared import config, services, webhook_token
from shared.domain import names
from shared.domain.names import InstanceName, LineId, LineKey, TenantId
from shared.lines.configuration import build_configuration
from shared.outbound import event_log

VERSIONS = ("2.3.6", "1.8.2")
in_both_dialects = pytest.mark.parametrize("perene", VERSIONS, indirect=True)
"""A mark for tests of what Evolution 2.x and 1.8 do differently."""

ORIGIN = "http://perene.test"
FUNCTIONS = Path(__file__).parent.parent / "functions"
SECRET = "a secret of the tests, long enough for HS256"
ISSUER, AUDIENCE = "https://issuer.test", "perene-tests"
A_DAY = 24 * 3600
"""Life of a token in seconds: longer than the tests last, as some are made at collection."""


class Clock:
    """A clock that tests can move ahead of the real time."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, step: timedelta) -> None:
        self.ahead += step


class Hosts(httpx.AsyncBaseTransport):
    """A transport to the app of each host; `before` maps a path to an action to run first."""

    def __init__(self, apps: Mapping[str, Any]) -> None:
        self.transports: dict[str, httpx.AsyncBaseTransport] = {
            host: httpx.ASGITransport(app) for host, app in apps.items()
        }
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if act := self.before.pop(request.url.path, None):
            await act()
        return await self.transports[request.url.host].handle_async_request(request)


class _WithKey(httpx.AsyncBaseTransport):
    """A transport that sets the key of the server behind it on every request."""

    def __init__(self, inner: httpx.AsyncBaseTransport, key: str) -> None:
        self.inner, self.key = inner, key

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["apikey"] = self.key
        return await self.inner.handle_async_request(request)


class Perene:
    """A deployment in a test: `async with Perene(main="2.3.6", other="1.8.2")`."""

    def __init__(self, *, instance_max: int = 100, **versions: str) -> None:
        self.versions = versions or {"main": "2.3.6"}
        self.instance_max = instance_max
        self.clock = Clock()
        self.project = f"t-{uuid.uuid4().hex[:20]}"
        self.settings: dict[str, str] = {}
        self._open = ExitStack()

    async def __aenter__(self) -> Self:
        self.app = _gateway()
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=30)
        self.servers = {
            server: Simulator(f"key-of-{server}", version, quick=True, deliver=self.http)
            for server, version in self.versions.items()
        }
        self._open.enter_context(mock.patch.dict(os.environ, self.environment()))
        config.settings.cache_clear()
        self.hosts = Hosts(
            {f"{server}.test": simulator.app for server, simulator in self.servers.items()}
        )
        self.services = self._open.enter_context(
            services.using(clock=self.clock, pause=_pause_briefly, transport=self.hosts)
        )
        # No test waits until what it stored is old enough to be told; those of that wait set it.
        self._open.enter_context(mock.patch.object(event_log, "LATENESS", 0))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for simulator in self.servers.values():
            await simulator.aclose()
        await self.http.aclose()
        every = (objects.items() for objects in list(self.services.objects.values()))
        for what, service in chain.from_iterable(every):
            if what == "store" and (api := service.db.client._firestore_api_internal):
                await api.transport.close()
            if what in ("http", "endpoints' pool"):
                await service.aclose()
        self._open.close()
        config.settings.cache_clear()

    def environment(self) -> dict[str, str]:
        """Return the settings of the deployment as environment variables."""
        fleet = [
            f'{{"id": "{server}", "url": "http://{server}.test", "api_key": "key-of-{server}",'
            f' "instance_max": {self.instance_max}, "version": "{version}"}}'
            for server, version in self.versions.items()
        ]
        return {
            "EVOLUTION_SERVERS": f"[{','.join(fleet)}]",
            "PUBLIC_URL": ORIGIN,
            "WEBHOOK_SECRET": "the webhooks' secret of the tests",
            "AUTH_ISSUER": ISSUER,
            "AUTH_AUDIENCE": AUDIENCE,
            "AUTH_HS256_SECRET": SECRET,
            "AUTH_OPERATOR_CLAIM": "operator",
            "CORS_ORIGINS": "https://app.test",
            "GOOGLE_CLOUD_PROJECT": self.project,
        } | self.settings

    def set(self, **settings: str) -> None:
        """Change settings of the deployment."""
        os.environ.update(settings)
        config.settings.cache_clear()

    def give_bucket(self, folder: Path) -> BucketEmulator:
        """Give the deployment a bucket for media, whose objects are in the folder."""
        bucket = BucketEmulator(folder)
        self.hosts.transports["bucket.test"] = httpx.ASGITransport(bucket.app)
        self.set(MEDIA_BUCKET=bucket.bucket, STORAGE_EMULATOR_HOST="http://bucket.test")
        return bucket

    @property
    def evolution(self) -> Simulator:
        """Return the only server."""
        (only,) = self.servers.values()
        return only

    @property
    def store(self) -> Any:
        return services.store()

    @functools.cached_property
    def database(self) -> firestore.Client:
        return firestore.Client(project=self.project)

    def documents(self, collection: str) -> dict[str, dict[str, Any]]:
        """Return the stored documents of a collection by id."""
        return {
            document.id: document.to_dict()
            for document in self.database.collection(collection).stream()
        }

    def taken(self, server: str) -> int:
        """Count the slots of a server that are taken."""
        return len(self.documents(f"servers/{server}/slots"))

    def write(self, path: str, **fields: Any) -> None:
        """Merge fields into a document, as an operator would by hand."""
        self.database.document(path).set(fields, merge=True)

    def webhook_headers(self, name: str) -> dict[str, str]:
        """Return the headers of an instance's webhooks."""
        born = self.documents("instances").get(name, {}).get("born", 0)
        return {webhook_token.HEADER: webhook_token.sign(InstanceName(name), born)}

    async def call(
        self, method: str, path: str, tenant: str = "acme", **more: Any
    ) -> httpx.Response:
        """Send a request with a valid token of the tenant."""
        headers = {"authorization": f"Bearer {token(tenant)}", **more.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **more)

    async def operate(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request with a valid token of an operator."""
        headers = {"authorization": f"Bearer {token('olga', operator=True)}"}
        return await self.http.request(method, path, headers=headers, **more)

    async def sweep(self, path: str = "/sweep-orphans") -> dict[str, Any]:
        """Run a sweep and return its report."""
        answer = await self.operate("POST", path)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()
        return report

    async def ensure(self, tenant: str = "acme", **body: Any) -> httpx.Response:
        """Ensure a line, as the tenant's frontend does."""
        return await self.call("POST", "/ensure-instance", tenant, json=body)

    async def plant_orphan(
        self, name: str, number: str | None = None, *, open: bool = False, server: str | None = None
    ) -> None:
        """Plant an instance that Perene made once and has no record of."""
        home = server or next(iter(self.servers))
        await self.servers[home].plant(name, number, open=open)
        configuration = build_configuration(config.settings().servers[home], InstanceName(name), 1)
        store_webhook(
            self.servers[home].world.rows[name],
            {
                "enabled": True,
                "url": configuration.webhook_url,
                "headers": dict(configuration.webhook_headers),
                "events": list(configuration.webhook_events),
            },
        )

    @contextmanager
    def alias_servers(self, server: str) -> Iterator[None]:
        """Make every configured server this one, as if each had its address and key."""
        transports = self.hosts.transports
        shared = _WithKey(transports[f"{server}.test"], f"key-of-{server}")
        self.hosts.transports = dict.fromkeys(transports, shared)
        yield
        self.hosts.transports = transports

    async def pair(self, tenant: str = "acme", number: str = "5511999990001", **body: Any) -> str:
        """Open a line with the number, unless it is; return the name of its instance."""
        answer = (await self.ensure(tenant, **body)).json()
        name: str = answer["instance"]
        if answer["state"] == "open" and answer["number"] == number:
            return name
        carrier = next(server for server in self.servers.values() if server.exists(name))
        await carrier.scan(name, number)
        await carrier.drain()
        return name


async def _pause_briefly(seconds: float) -> None:
    """Pause for a fiftieth of the time, as the simulator's delays are short too."""
    await asyncio.sleep(seconds / 50)


def name_of(tenant: str, line: str = "default") -> str:
    """Return the name of a line's instance."""
    return names.instance_name("instance_", LineKey(TenantId(tenant), LineId(line)))


def token(subject: str = "acme", secret: str = SECRET, **claims: Any) -> str:
    """Sign a token as the issuer of the tests."""
    now = int(time.time())
    fields = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "iat": now,
        "exp": now + A_DAY,
    }
    return jwt.encode({**fields, **claims}, secret, "HS256")


@functools.cache
def _gateway() -> Any:
    return gateway.build(FUNCTIONS)
