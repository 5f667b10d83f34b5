"""The programs that are there to be copied, run: receivers answer once, and a caller sends once."""

import asyncio
import importlib.util
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import httpx
import pytest

from infra.local import children
from shared.outbound import signatures
from tests.perene import Perene, token
from tests.serving import HOST, serving

INFRA = Path(__file__).parents[2] / "infra"
RECIPES = INFRA / "docs" / "recipes"
EDGE_FUNCTION = INFRA / "examples/react-supabase/supabase/functions/perene/index.js"
MARIA, QUESTION, ANSWER = "5521988887777", "Qual é o horário?", "Abrimos de segunda a sexta"
LIBRARY = """
import { createHmac, timingSafeEqual } from "node:crypto";
export class Webhook {
  constructor(secret) { this.key = Buffer.from(secret.replace("whsec_", ""), "base64"); }
  verify(body, headers) {
    const names = ["id", "timestamp", "signature"];
    const [id, at, signatures] = names.map((name) => headers[`webhook-${name}`]);
    const expected = createHmac("sha256", this.key).update(`${id}.${at}.${body}`).digest();
    for (const signature of signatures.split(" ")) {
      const given = Buffer.from(signature.replace("v1,", ""), "base64");
      const isEqual = given.length === expected.length && timingSafeEqual(given, expected);
      if (isEqual) return JSON.parse(body);
    }
    throw new Error("No matching signature found");
  }
}
"""
"""The `standardwebhooks` of npm as a receiver sees it: tests install nothing from npm."""


class Needs(NamedTuple):
    """What a receiver is started with."""

    port: int
    perene: str
    secret: str
    token: str

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PORT": str(self.port),
            "PERENE_URL": self.perene,
            "PERENE_SECRET": self.secret,
            "PERENE_TOKEN": self.token,
            "NO_PROXY": HOST,
        }


@asynccontextmanager
async def running_node(*arguments: str | Path, env: dict[str, str]) -> AsyncIterator[None]:
    """Run a program of Node until the test is over, once it says that it listens."""
    if not shutil.which("node"):
        pytest.skip("needs node")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("node", *arguments, env=env, stdout=pipe)
    assert process.stdout
    assert await asyncio.wait_for(process.stdout.readline(), 20) == b"listening\n"
    yield
    process.terminate()
    await process.communicate()


def load_recipe(name: str) -> Any:
    """Run a Python recipe as a module of its own."""
    spec = importlib.util.spec_from_file_location(name, RECIPES / f"{name}.py")
    assert spec
    assert spec.loader
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    return recipe


@asynccontextmanager
async def fastapi_receiver(needs: Needs, place: Path) -> AsyncIterator[None]:
    with mock.patch.dict(os.environ, needs.environment()):
        receiver = load_recipe("fastapi_receiver")
    async with serving(receiver.app, needs.port):
        yield
    await receiver.perene.aclose()


@asynccontextmanager
async def supabase_receiver(needs: Needs, place: Path) -> AsyncIterator[None]:
    library = place / "node_modules" / "standardwebhooks"
    library.mkdir(parents=True)
    (library / "package.json").write_text('{"type": "module", "main": "index.js"}')
    (library / "index.js").write_text(LIBRARY)
    (place / "package.json").write_text('{"type": "module"}')
    shutil.copy(EDGE_FUNCTION, place)
    async with running_node(place / EDGE_FUNCTION.name, env=needs.environment()):
        yield


@asynccontextmanager
async def n8n_workflow(needs: Needs, place: Path) -> AsyncIterator[None]:
    settings = place / "settings.json"
    fields = {"perene": needs.perene, "secret": needs.secret}
    credential = {"authorization": f"Bearer {needs.token}"}
    settings.write_text(json.dumps({"fields": fields, "credential": credential}))
    stand_in = Path(__file__).parent / "n8n_stand_in.mjs"
    arguments = (stand_in, RECIPES / "n8n_answer.json", settings, str(needs.port))
    async with running_node(*arguments, env=needs.environment()):
        yield


Start = Callable[[Needs, Path], AbstractAsyncContextManager[None]]


@pytest.mark.parametrize("start", [fastapi_receiver, supabase_receiver, n8n_workflow])
async def test_question_is_answered_once(perene: Perene, tmp_path: Path, start: Start):
    perene.set(ENDPOINTS_ON_LOOPBACK="true")
    name = await perene.pair()
    port, home = children.find_free_port(), children.find_free_port()
    url = f"http://{HOST}:{port}/events"
    made = (await perene.call("POST", "/endpoints", json={"url": url})).json()
    needs = Needs(port, f"http://{HOST}:{home}", made["secret"], token("acme"))

    async with serving(perene.app, home), start(needs, tmp_path):
        await perene.evolution.receive(name, MARIA, QUESTION)
        await perene.evolution.drain()
        event = await find_event(perene)
        forged = await post(url, event, signatures.draw_secret())
        changed = await post(url, event, made["secret"], suffix=b" ")
        assert list_answers(perene) == []

        assert (await perene.operate("POST", "/deliver-events")).status_code == 200
        again = await post(url, event, made["secret"])
        replayed = await post(url, event, made["secret"], {"perene-replay": "true"})

    path = f"/endpoints/{made['endpoint']['id']}/attempts"
    attempts = (await perene.call("GET", path)).json()["attempts"]
    assert event["id"] in {attempt["event"] for attempt in attempts if attempt["succeeded"]}
    assert [forged, changed, again, replayed] == [401, 401, 204, 204]
    assert len(list_answers(perene)) == 1


async def find_event(perene: Perene) -> dict[str, Any]:
    """Return the event of the question, as the log has it."""
    answer = await perene.call("GET", "/events", params={"types": "message.received"})
    (event,) = answer.json()["events"]
    found: dict[str, Any] = event
    return found


async def post(
    url: str,
    event: dict[str, Any],
    secret: str,
    headers: dict[str, str] | None = None,
    suffix: bytes = b"",
) -> int:
    """Post an event that is signed with the secret; `suffix` is added to it afterwards."""
    body = json.dumps(event, ensure_ascii=False).encode()
    signed = signatures.build_headers(event["id"], body, [secret], datetime.now(UTC))
    headers = {"content-type": "application/json"} | signed | (headers or {})
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(url, content=body + suffix, headers=headers)
    return answer.status_code


def list_answers(perene: Perene) -> list[Any]:
    return [message for message in perene.evolution.sent_messages() if ANSWER in message.text]


# A caller in Python --------------------------------------------------------------------------


class ForgetfulTransport(httpx.ASGITransport):
    """Lose the first answer of the functions."""

    has_lost = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if not self.has_lost:
            self.has_lost = True
            raise httpx.ReadError("lost")
        return answer


async def test_caller_sends_once(perene: Perene):
    caller = load_recipe("httpx_client")
    await perene.pair()
    client = httpx.AsyncClient(
        transport=ForgetfulTransport(perene.app),
        base_url="http://perene.test",
        headers={"authorization": f"Bearer {token('acme')}"},
    )

    async with client:
        for contact in (MARIA, "5521988886666"):
            send = await caller.send_message(client, {"to": contact, "text": ANSWER})
            assert send["state"] == "sent"
        pages = [page async for page in caller.follow_pages(client, "/conversations", limit=1)]
        with pytest.raises(caller.PereneProblem) as refusal:
            await caller.ask(client, "GET", "/instances/unknown")

    assert [len(page["conversations"]) for page in pages[:2]] == [1, 1]
    assert refusal.value.name == "line-unknown"
    assert len(list_answers(perene)) == 2


# The workflow's file -------------------------------------------------------------------------


def test_workflow_has_the_form_that_n8n_imports():
    workflow = json.loads((RECIPES / "n8n_answer.json").read_text())
    nodes = {node["name"]: node for node in workflow["nodes"]}
    ways = {
        name: {end["node"] for output in outputs["main"] for end in output}
        for name, outputs in workflow["connections"].items()
    }

    assert len({node["id"] for node in nodes.values()}) == len(nodes)
    for node in nodes.values():
        assert node.keys() >= {"id", "name", "type", "typeVersion", "position", "parameters"}
    assert set().union(*ways.values()) == nodes.keys() - {"Perene tells an event"}
    assert ways.keys() == nodes.keys() - {"Tell Perene"}
    webhook = nodes["Perene tells an event"]["parameters"]
    assert webhook["options"]["rawBody"]
    assert webhook["responseMode"] == "responseNode"
