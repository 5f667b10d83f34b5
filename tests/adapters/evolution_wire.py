"""Answer an Evolution client as a test says, and record its requests."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from shared.config import Server
from shared.domain.upstream import Configuration
from shared.evolution.client import Evolution
from shared.setting_types import Password

RECORDINGS = Path(__file__).parent.parent / "recordings"
URL = "http://evolution.test"
KEY = "evo-global-key-0123456789"
WANTED = Configuration(
    webhook_url="https://perene.example/webhook",
    webhook_headers={"authorization": "Bearer signed"},
    webhook_events=("MESSAGES_UPSERT", "CONNECTION_UPDATE"),
)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)

Answering = Callable[[httpx.Request], httpx.Response] | Callable[[Any], Awaitable[httpx.Response]]


@dataclass
class Wire:
    """Requests in the order they came, answered by `answer`."""

    answer: Answering
    requests: list[httpx.Request] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answered = self.answer(request)
        return answered if isinstance(answered, httpx.Response) else await answered

    @property
    def paths(self) -> list[str]:
        return [f"{r.method} {r.url.raw_path.decode()}" for r in self.requests]

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(r.content) if r.content else None for r in self.requests]


def a_server(version: str = "2.3.6", key: str = KEY, url: str = URL) -> Server:
    return Server(id="main", url=url, api_key=Password(key), version=version)


def an_evolution(
    answer: Answering, version: str = "2.3.6", url: str = URL
) -> tuple[Evolution, Wire]:
    """Build a client that would follow redirects unless told not to, and its wire."""
    wire = Wire(answer)
    http = httpx.AsyncClient(transport=httpx.MockTransport(wire), follow_redirects=True)
    return Evolution(a_server(version, url=url), http), wire


def says(text: Any) -> dict[str, Any]:
    """Write an error as Evolution does."""
    return {"status": 400, "error": "Bad Request", "response": {"message": [text]}}


def saying(status: int, body: Any = None) -> Callable[[httpx.Request], httpx.Response]:
    """Answer everything alike; text and bytes as they are, the rest as JSON."""
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return lambda request: httpx.Response(status, content=content)


def failing(error: type[Exception], text: str = "broken") -> Answering:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error(text)

    return answer


def exchange(name: str) -> dict[str, Any]:
    """Return a recorded exchange."""
    folder = "derived/exchanges" if name.startswith("v1.") else "exchanges"
    return json.loads((RECORDINGS / folder / f"{name}.json").read_text())


def exchanges() -> list[str]:
    """List the names of all recorded exchanges of one request and one answer."""
    files = [*RECORDINGS.glob("exchanges/*.json"), *RECORDINGS.glob("derived/exchanges/*.json")]
    return sorted(
        file.stem for file in files if {"request", "response"} <= exchange(file.stem).keys()
    )
