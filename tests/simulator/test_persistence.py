"""Test that with a data folder the state survives a restart, as far as Evolution's does."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.local.simulator import Simulator
from tests.simulator.conftest import KEY, client_of, create

pytestmark = pytest.mark.anyio
CONTACT = "5511988887777"


@pytest.fixture
def rechild(receiver, tmp_path):
    """Return a function that starts one more server on the same data, with a client."""

    def start():
        deliver = httpx.AsyncClient(transport=httpx.ASGITransport(receiver))
        sim = Simulator(KEY, deliver=deliver, data=tmp_path)
        return sim, client_of(sim)

    return start


async def test_instances_come_back_as_they_were(rechild, receiver):
    sim, call = rechild()
    await create(call, "open")
    await sim.scan("open", "5511999990001")
    await sim.receive("open", CONTACT, "oi")
    await call.post("/message/sendText/open", json={"number": CONTACT, "text": "olá"})
    await create(call, "pairing")
    await create(call, "never", qrcode=False)
    before = (await call.get("/instance/fetchInstances?instanceName=open")).json()[0]
    await sim.aclose()

    sim, call = rechild()
    after = (await call.get("/instance/fetchInstances?instanceName=open")).json()[0]

    await sim.drain()
    assert [sim.state(name) for name in ("open", "pairing", "never")] == [
        "open", "connecting", "close",
    ]  # fmt: skip
    assert (after["id"], after["token"]) == (before["id"], before["token"])
    assert sim.number("open") == "5511999990001"
    assert sim.webhook("open")["url"] == "http://receiver/hook"
    assert [sent.text for sent in sim.sent_messages()] == ["olá"]


async def test_a_restart_posts_connecting_and_open(rechild, receiver):
    sim, call = rechild()
    await create(call)
    await sim.scan("shop", "5511999990001")
    await sim.aclose()
    receiver.posts.clear()

    sim, call = rechild()
    await call.get("/")

    await sim.drain()
    assert [body["data"]["state"] for _, _, body in receiver.posts] == ["connecting", "open"]


async def test_restarted_instance_hears_messages_again(rechild, receiver):
    sim, call = rechild()
    await create(call)
    await sim.scan("shop", "5511999990001")
    await call.delete("/instance/logout/shop")
    await call.get("/instance/connect/shop")
    await sim.scan("shop", "5511999990001")
    await sim.aclose()

    sim, call = rechild()
    await call.get("/")
    await sim.receive("shop", CONTACT, "oi", id="3A1")

    await sim.drain()
    assert "messages.upsert" in receiver.events


async def test_the_file_is_always_whole(rechild, tmp_path):
    sim, call = rechild()
    await asyncio.gather(*[create(call, f"n{at}") for at in range(5)])

    assert [path.name for path in tmp_path.iterdir()] == ["evolution.json"]
    again, _ = rechild()
    assert sorted(again.names()) == sorted(sim.names())


async def test_crash_leaves_the_database(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    sim = Simulator(KEY, data=tmp_path, save_at_crash=True)
    await create(client_of(sim))
    saved_before = [*tmp_path.iterdir()]
    monkeypatch.setattr(os, "kill", kill)

    with pytest.raises(Killed):
        sim.crash()

    assert saved_before == []
    assert Simulator(KEY, data=tmp_path).names() == ["shop"]


@pytest.fixture
def process(tmp_path):
    """Start the simulator as a process of its own; yield the process and its origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["--port", str(port), "--api-key", KEY, "--quick", "--data", str(tmp_path)]
    child = subprocess.Popen(
        [sys.executable, "-m", "infra.local.simulator", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=Path(__file__).parents[2], env=os.environ | {"PYTHONPATH": "."},
    )  # fmt: skip
    yield child, f"http://127.0.0.1:{port}"
    child.kill()
    child.communicate()


async def test_process_serves_cuts_and_stops(process):
    child, origin = process
    async with httpx.AsyncClient(base_url=origin, headers={"apikey": KEY}) as call:
        await wait_until_up(call)
        assert (await create(call)).json()["instance"]["status"] == "connecting"

        await call.put("/simulator/faults", json={"cut_after": {"count": 1}})
        with pytest.raises(httpx.TransportError):
            await create(call, "cut")

        await call.put("/simulator/faults", json={"no_answer_after": {"count": 1}})
        with pytest.raises(httpx.ReadTimeout):
            await call.post("/instance/create", timeout=0.3, json={
                "instanceName": "late", "integration": "EVOLUTION"})  # fmt: skip

        state = (await call.get("/simulator/state")).json()
        names = [instance["name"] for instance in state["instances"]]
        assert names == ["shop", "cut", "late"]

    child.send_signal(signal.SIGTERM)
    output, _ = await asyncio.to_thread(child.communicate, timeout=10)
    assert (child.returncode, output) == (0, "")


async def wait_until_up(call):
    for _ in range(100):
        try:
            await call.get("/")
            return
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    raise AssertionError("the simulator never came up")
