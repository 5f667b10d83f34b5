"""Publishing to Pub/Sub: signed by the function's own account, without a client of its own."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from shared import google_account, pubsub
from tests.cases import in_each

TOPIC = "projects/p/topics/perene-events"
Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def no_token() -> Iterator[None]:
    """Forget the tokens of other tests."""
    google_account._tokens.clear()
    yield
    google_account._tokens.clear()


async def publish(
    answer: Answer, times: int = 1, emulator: str | None = None
) -> list[httpx.Request]:
    """Publish so often where every request is answered so; return the requests."""
    requests: list[httpx.Request] = []

    def keep(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(keep)) as http:
        for _ in range(times):
            await pubsub.publish(http, TOPIC, {"tenant": "acme"}, emulator)
    return requests


def answer_for(seconds: float) -> Answer:
    """Give tokens that last so long, and take every message."""
    tokens = iter(f"token-{number}" for number in range(9))

    def answer(request: httpx.Request) -> httpx.Response:
        if str(request.url) == f"{google_account.METADATA}/token":
            assert request.headers["metadata-flavor"] == "Google"
            return httpx.Response(200, json={"access_token": next(tokens), "expires_in": seconds})
        return httpx.Response(200, json={"messageIds": ["1"]})

    return answer


async def test_token_is_fetched_once_while_it_lasts():
    requests = await publish(answer_for(3600), times=3)

    assert [request.url.host for request in requests] == [
        "metadata.google.internal", *["pubsub.googleapis.com"] * 3,
    ]  # fmt: skip
    assert {request.headers["authorization"] for request in requests[1:]} == {"Bearer token-0"}
    assert requests[1].url.path == f"/v1/{TOPIC}:publish"


async def test_token_is_fetched_anew_before_it_ends():
    requests = await publish(answer_for(google_account.EARLY), times=2)

    signed = [request.headers.get("authorization") for request in requests]
    assert signed == [None, "Bearer token-0", None, "Bearer token-1"]


async def test_emulator_gets_no_token():
    (request,) = await publish(answer_for(3600), emulator="127.0.0.1:8085")

    assert str(request.url) == f"http://127.0.0.1:8085/v1/{TOPIC}:publish"
    assert "authorization" not in request.headers
    assert set(json.loads(request.content)["messages"][0]) == {"data"}


@in_each(
    ("host", "status", "body"),
    [
        ("metadata.google.internal", 404, "no account"),
        ("metadata.google.internal", 200, "no JSON"),
        ("metadata.google.internal", 200, "{}"),
        ("metadata.google.internal", 200, '{"access_token": "secret", "expires_in": "soon"}'),
        ("metadata.google.internal", 200, "[]"),
        ("pubsub.googleapis.com", 403, "secret"),
    ],
)
async def test_failure_is_one_and_tells_no_secret(host: str, status: int, body: str):
    good = answer_for(3600)

    def answer(request: httpx.Request) -> httpx.Response:
        is_bad = request.url.host == host
        return httpx.Response(status, text=body) if is_bad else good(request)

    with pytest.raises(pubsub.PublishFailed) as failure:
        await publish(answer)

    assert "secret" not in repr(failure.value)
    google_account._tokens.clear()
