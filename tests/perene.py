"""Perene as its callers see it: the functions, loaded as the platform does, with a world around."""

import asyncio
import functools
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest import mock

import httpx
import jwt
import pytest
from google.cloud import firestore

from infra.local import gateway
from infra.local.simulator import Simulator
from infra.local.simulator.configuration import store_webhook
from shared import config, services, webhook_token
from shared.domain import names
from shared.domain.names import InstanceName, LineId, LineKey, TenantId
from shared.lines.configuration import configuration_of

DIALECTS = ("2.3.6", "1.8.2")
in_both_dialects = pytest.mark.parametrize("perene", DIALECTS, indirect=True)
"""For a test, or a module's `pytestmark`, of what Evolution 2.x and 1.8 do differently."""

ORIGIN = "http://perene.test"
FUNCTIONS = Path(__file__).parent.parent / "functions"
SECRET = "a secret of the tests, long enough for HS256"
ISSUER, AUDIENCE = "https://issuer.test", "perene-tests"
A_DAY = 24 * 3600
"""A token is good for longer than tests last: some are made when the tests are collected."""


class Clock:
    """The real time, which tests can move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, step: timedelta) -> None:
        self.ahead += step


class Hosts(httpx.AsyncBaseTransport):
    """Requests go to the app of their host; something can be made to happen just before one."""

    def __init__(self, apps: Mapping[str, Any]) -> None:
        self.transports: dict[str, httpx.AsyncBaseTransport] = {
            host: httpx.ASGITransport(app) for host, app in apps.items()
        }
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if happens := self.before.pop(request.url.path, None):
            await happens()
        return await self.transports[request.url.host].handle_async_request(request)


class _WithKey(httpx.AsyncBaseTransport):
    """A server that everybody has the key of."""

    def __init__(self, inner: httpx.AsyncBaseTransport, key: str) -> None:
        self.inner, self.key = inner, key

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["apikey"] = self.key
        return await self.inner.handle_async_request(request)


class Perene:
    """`async with Perene(main="2.3.6", other="1.8.2")`: functions, servers, a database, a clock."""

    def __init__(self, *, instance_max: int = 100, **versions: str) -> None:
        self.versions = versions or {"main": "2.3.6"}
        self.instance_max = instance_max
        self.clock = Clock()
        self.project = f"t-{uuid.uuid4().hex[:20]}"
        self.settings: dict[str, str] = {}
        self._open = ExitStack()

    async def __aenter__(self) -> Self:
        self.app = _gateway()
        through = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=through, base_url=ORIGIN, timeout=30)
        self.servers = {
            server: Simulator(f"key-of-{server}", version, quick=True, deliver=self.http)
            for server, version in self.versions.items()
        }
        self._open.enter_context(mock.patch.dict(os.environ, self.environment()))
        config.settings.cache_clear()
        self.hosts = Hosts({f"{server}.test": each.app for server, each in self.servers.items()})
        self.services = self._open.enter_context(
            services.using(clock=self.clock, pause=_hardly, transport=self.hosts)
        )
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
        for (what, _), made in self.services.made.items():
            if what == "store" and (api := made._client._firestore_api_internal):
                await api.transport.close()
            if what == "http":
                await made.aclose()
        self._open.close()
        config.settings.cache_clear()

    def environment(self) -> dict[str, str]:
        """A deployment's settings."""
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
        """Some of the deployment's settings are these now."""
        os.environ.update(settings)
        config.settings.cache_clear()

    @property
    def evolution(self) -> Simulator:
        """The one server, where there is one."""
        (only,) = self.servers.values()
        return only

    @property
    def store(self) -> Any:
        return services.store()

    @functools.cached_property
    def database(self) -> firestore.Client:
        return firestore.Client(project=self.project)

    def documents(self, collection: str) -> dict[str, dict[str, Any]]:
        """What is stored, by id."""
        return {
            found.id: found.to_dict() for found in self.database.collection(collection).stream()
        }

    def taken(self, server: str) -> int:
        """How many slots of a server are taken."""
        return len(self.documents(f"servers/{server}/slots"))

    def write(self, path: str, **fields: Any) -> None:
        """A document says so, as if an operator had set it."""
        self.database.document(path).set(fields, merge=True)

    def signed(self, name: str) -> dict[str, str]:
        """The headers of an instance's webhooks."""
        born = self.documents("instances").get(name, {}).get("born", 0)
        return {webhook_token.HEADER: webhook_token.sign(InstanceName(name), born)}

    async def call(
        self, method: str, path: str, tenant: str = "acme", **more: Any
    ) -> httpx.Response:
        """A request with a good token of the tenant."""
        headers = {"authorization": f"Bearer {token(tenant)}", **more.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **more)

    async def operate(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request of somebody who runs the deployment."""
        headers = {"authorization": f"Bearer {token('olga', operator=True)}"}
        return await self.http.request(method, path, headers=headers, **more)

    async def sweep(self, path: str = "/sweep-orphans") -> dict[str, Any]:
        """A sweep has run; its report."""
        answer = await self.operate("POST", path)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()
        return report

    async def ensure(self, tenant: str = "acme", **asked: Any) -> httpx.Response:
        """The tenant's frontend asks for a line."""
        return await self.call("POST", "/ensure-instance", tenant, json=asked)

    async def orphan(
        self, name: str, number: str | None = None, *, open: bool = False, server: str | None = None
    ) -> None:
        """An instance that we made once and no record of ours knows is there."""
        where = server or next(iter(self.servers))
        await self.servers[where].plant(name, number, open=open)
        ours = configuration_of(config.settings().servers[where], InstanceName(name), 1)
        store_webhook(
            self.servers[where].world.rows[name],
            {
                "enabled": True,
                "url": ours.webhook_url,
                "headers": dict(ours.webhook_headers),
                "events": list(ours.webhook_events),
            },
        )

    @contextmanager
    def two_names_for(self, server: str) -> Iterator[None]:
        """All servers are that one, as if its address and key had been set for each of them."""
        known = self.hosts.transports
        only = _WithKey(known[f"{server}.test"], f"key-of-{server}")
        self.hosts.transports = dict.fromkeys(known, only)
        yield
        self.hosts.transports = known

    async def pair(self, tenant: str = "acme", number: str = "5511999990001", **asked: Any) -> str:
        """A line is open with the number; its instance's name."""
        answer = (await self.ensure(tenant, **asked)).json()
        name: str = answer["instance"]
        carrier = next(each for each in self.servers.values() if each.exists(name))
        await carrier.scan(name, number)
        await carrier.settled()
        return name


async def _hardly(seconds: float) -> None:
    """A pause of the code under test, in a world whose faults are as quick."""
    await asyncio.sleep(seconds / 50)


def name_of(tenant: str, line: str = "default") -> str:
    """The instance's name of a line."""
    return names.instance_name("instance_", LineKey(TenantId(tenant), LineId(line)))


def token(subject: str = "acme", secret: str = SECRET, **claims: Any) -> str:
    """A token as the issuer of the tests signs it."""
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
