"""The local stack delivers as a deployment does: by Pub/Sub's push, and by a tick every minute."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from starlette.routing import Route, Router

from infra.local import pubsub_emulator, pushes_and_ticks, stack
from infra.local.children import find_free_port
from infra.local.pushes_and_ticks import PushDoor
from shared import config, pubsub
from tests.perene import AUDIENCE, SECRET, Perene

POKE = {"tenant": "acme", "news": "message"}
PUSH = {"message": {"data": base64.b64encode(json.dumps(POKE).encode()).decode()}}


class Listener:
    """A server that notes what is posted to it; it takes nothing at first `refusals` times."""

    def __init__(self, refusals: int = 0) -> None:
        self.posts: list[tuple[str, str, bytes]] = []
        self.taken = threading.Event()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.posts.append((self.path, self.headers.get("authorization", ""), body))
                is_refused = len(listener.posts) <= refusals
                self.send_response(503 if is_refused else 204)
                self.end_headers()
                if not is_refused:
                    listener.taken.set()

            def log_message(self, *_: Any) -> None:
                """Write nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener(request: pytest.FixtureRequest) -> Iterator[Listener]:
    listener = Listener(getattr(request, "param", 0))
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


def test_stack_without_emulator_says_so(tmp_path: Path, monkeypatch, capsys, mocker):
    monkeypatch.setattr(pubsub_emulator.emulator_sources, "list_sdk_roots", lambda: [str(tmp_path)])
    options = mocker.Mock(quick=False, place=tmp_path)

    events = stack._start_pubsub(options, mocker.Mock())

    assert events is None
    assert capsys.readouterr().out.strip() == pubsub_emulator.ABSENT
    assert "once a minute" in pubsub_emulator.ABSENT


@pytest.mark.parametrize("listener", [1], indirect=True)
async def test_published_poke_is_pushed_until_it_is_taken(tmp_path: Path, listener: Listener):
    events = pubsub_emulator.start(tmp_path / "log")
    if events is None:
        pytest.skip("needs the Google Cloud SDK")
    try:
        push_to = f"http://127.0.0.1:{listener.port}{pushes_and_ticks.PUSHED}"
        assert events.subscribe(push_to)
        assert events.subscribe(push_to)  # of a run that is there already
        async with httpx.AsyncClient() as http:
            await pubsub.publish(http, pubsub_emulator.name_topic("events"), POKE, events.host)
        assert listener.taken.wait(30)
    finally:
        events.child.stop()

    bodies = [json.loads(body) for _, _, body in listener.posts]
    assert {path for path, *_ in listener.posts} == {f"{pushes_and_ticks.PUSHED}/deliver_events"}
    assert len(bodies) == 2
    assert {body["message"]["data"] for body in bodies} == {PUSH["message"]["data"]}


async def test_push_is_signed_at_the_door(perene: Perene):
    """The emulator signs nothing, and the function takes no push that isn't signed."""
    door = PushDoor(config.settings())
    door.app = perene.app
    app = Router([Route(f"{pushes_and_ticks.PUSHED}/{{function}}", door, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        url = f"http://perene.test{pushes_and_ticks.PUSHED}/deliver_events"
        pushed = await http.post(url, json=PUSH)

    assert pushed.status_code == 204
    assert (await perene.http.post("/deliver-events/push", json=PUSH)).status_code == 401


def test_tick_asks_as_an_operator(perene: Perene, listener: Listener):
    settings = config.settings()

    pushes_and_ticks.tick(settings, listener.port, "/deliver-events")
    pushes_and_ticks.tick(
        settings, find_free_port(), "/"
    )  # nobody listens: the next one tries again

    ((path, authorization, _),) = listener.posts
    claims = jwt.decode(
        authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"], audience=AUDIENCE
    )
    assert (path, claims["operator"]) == ("/deliver-events", True)
