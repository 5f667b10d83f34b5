"""Provide a simulated server, a client that calls it, and a receiver of its webhooks."""

import json
from collections.abc import Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.local.simulator import Simulator

KEY = "evo-global-key"


class Receiver:
    """A receiver of webhooks; `answers` chooses the status from the body, 200 by default."""

    def __init__(self):
        self.posts = []
        self.answers: Callable[[dict], int] = lambda body: 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send):
        request = Request(scope, receive)
        body = json.loads(await request.body())
        self.posts.append((request.url.path, dict(request.headers), body))
        await Response(status_code=self.answers(body))(scope, receive, send)

    @property
    def events(self):
        return [body["event"] for _, _, body in self.posts]

    def last(self, event):
        return next(body for _, _, body in reversed(self.posts) if body["event"] == event)


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture
def receiver():
    return Receiver()


@asynccontextmanager
async def simulated(receiver):
    """Run a simulated server that posts to the receiver."""
    transport = httpx.ASGITransport(receiver)
    async with (
        httpx.AsyncClient(transport=transport) as deliver,
        Simulator(KEY, deliver=deliver) as simulator,
    ):
        yield simulator


@pytest.fixture
async def sim(receiver, anyio_backend):
    async with simulated(receiver) as simulator:
        yield simulator


@pytest.fixture
async def call(sim):
    async with client_of(sim) as client:
        yield client


def client_of(sim):
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(sim.app),
        base_url="http://evolution",
        headers={"apikey": KEY},
    )


@pytest.fixture
async def shop(sim, call):
    """Create the instance `shop`, open, with a webhook for every event."""
    await create(call, "shop")
    await sim.scan("shop", "5511999990001")
    await sim.drain()
    return "shop"


async def create(call, name="shop", **more):
    body = {"instanceName": name, "integration": "WHATSAPP-BAILEYS", "qrcode": True}
    hook = {"url": "http://receiver/hook", "events": []}
    return await call.post("/instance/create", json=body | {"webhook": hook} | more)
