"""With a data folder the state survives a restart, as far as Evolution's own does."""

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
def restarted(receiver, tmp_path):
    """Makes a server on the same data, with a client; call it again for the next process."""

    def start():
        deliver = httpx.AsyncClient(transport=httpx.ASGITransport(receiver))
        sim = Simulator(KEY, deliver=deliver, data=tmp_path)
        return sim, client_of(sim)

    return start


async def test_instances_come_back_as_they_were(restarted, receiver):
    sim, call = restarted()
    await create(call, "open")
    await sim.scan("open", "5511999990001")
    await sim.receive("open", CONTACT, "oi")
    await call.post("/message/sendText/open", json={"number": CONTACT, "text": "olá"})
    await create(call, "pairing")
    await create(call, "never", qrcode=False)
    before = (await call.get("/instance/fetchInstances?instanceName=open")).json()[0]
    await sim.aclose()

    sim, call = restarted()
    after = (await call.get("/instance/fetchInstances?instanceName=open")).json()[0]

    await sim.settled()
    assert [sim.state(name) for name in ("open", "pairing", "never")] == [
        "open", "connecting", "close",
    ]  # fmt: skip
    assert (after["id"], after["token"]) == (before["id"], before["token"])
    assert sim.number("open") == "5511999990001"
    assert sim.webhook("open")["url"] == "http://receiver/hook"
    assert [sent.text for sent in sim.sent()] == ["olá"]


async def test_a_restart_posts_connecting_and_open(restarted, receiver):
    sim, call = restarted()
    await create(call)
    await sim.scan("shop", "5511999990001")
    await sim.aclose()
    receiver.posts.clear()

    sim, call = restarted()
    await call.get("/")

    await sim.settled()
    assert [body["data"]["state"] for _, _, body in receiver.posts] == ["connecting", "open"]


async def test_a_restart_forgets_what_it_has_seen_and_hears_again(restarted, receiver):
    sim, call = restarted()
    await create(call)
    await sim.scan("shop", "5511999990001")
    await call.delete("/instance/logout/shop")
    await call.get("/instance/connect/shop")
    await sim.scan("shop", "5511999990001")
    await sim.aclose()

    sim, call = restarted()
    await call.get("/")
    await sim.receive("shop", CONTACT, "oi", id="3A1")

    await sim.settled()
    assert "messages.upsert" in receiver.events


async def test_the_file_is_always_whole(restarted, tmp_path):
    sim, call = restarted()
    await asyncio.gather(*[create(call, f"n{at}") for at in range(5)])

    assert [path.name for path in tmp_path.iterdir()] == ["evolution.json"]
    again, _ = restarted()
    assert sorted(again.names()) == sorted(sim.names())


@pytest.fixture
def process(tmp_path):
    """The simulator as its own process: its origin, and how it ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["--port", str(port), "--api-key", KEY, "--quick", "--data", str(tmp_path)]
    started = subprocess.Popen(
        [sys.executable, "-m", "infra.local.simulator", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=Path(__file__).parents[2], env=os.environ | {"PYTHONPATH": "."},
    )  # fmt: skip
    yield started, f"http://127.0.0.1:{port}"
    started.kill()
    started.communicate()


async def test_as_a_process_it_serves_cuts_and_stops_when_told_to(process):
    started, origin = process
    async with httpx.AsyncClient(base_url=origin, headers={"apikey": KEY}) as call:
        await until_up(call)
        assert (await create(call)).json()["instance"]["status"] == "connecting"

        await call.put("/simulator/faults", json={"cut_after": {"count": 1}})
        with pytest.raises(httpx.TransportError):
            await create(call, "cut")

        await call.put("/simulator/faults", json={"no_answer_after": {"count": 1}})
        with pytest.raises(httpx.ReadTimeout):
            await call.post("/instance/create", timeout=0.3, json={
                "instanceName": "late", "integration": "EVOLUTION"})  # fmt: skip

        names = [each["name"] for each in (await call.get("/simulator/state")).json()["instances"]]
        assert names == ["shop", "cut", "late"]

    started.send_signal(signal.SIGTERM)
    output, _ = await asyncio.to_thread(started.communicate, timeout=10)
    assert (started.returncode, output) == (0, "")


async def until_up(call):
    for _ in range(100):
        try:
            await call.get("/")
            return
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    raise AssertionError("it never came up")
