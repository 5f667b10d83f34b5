"""Test what differs between versions: the order of a removal, and the licence of 2.4."""

import httpx
import pytest

from infra.local.simulator import Simulator
from tests.simulator.conftest import KEY, Receiver, client_of, create

pytestmark = pytest.mark.anyio
EVENTS = ["CONNECTION_UPDATE", "REMOVE_INSTANCE"]


async def removal_events(version: str) -> list[str]:
    """Delete an open instance, and return the events that its webhook posts."""
    receiver = Receiver()
    transport = httpx.ASGITransport(receiver)
    async with (
        httpx.AsyncClient(transport=transport) as deliver,
        Simulator(KEY, version, deliver=deliver) as sim,
        client_of(sim) as call,
    ):
        await create(call, webhook={"url": "http://receiver/hook", "events": EVENTS})
        await sim.scan("shop", "5511999990001")
        await sim.drain()
        posts_before = len(receiver.posts)
        await call.delete("/instance/delete/shop")
        await sim.drain()
        assert not sim.exists("shop")
        return receiver.events[posts_before:]


async def test_older_server_tells_removal_first():
    assert await removal_events("2.3.6") == ["remove.instance", "connection.update"]


async def test_newer_server_tells_close_first():
    assert await removal_events("2.3.7") == ["connection.update", "remove.instance"]


@pytest.mark.parametrize("code", [402, 403, 406])
async def test_blocked_number_closes_with_code(sim, call, receiver, code: int):
    await create(call)
    await sim.scan("shop", "5511999990001")

    answer = await call.post("/simulator/instances/shop/block", json={"code": code})

    await sim.drain()
    data = receiver.last("connection.update")["data"]
    assert answer.status_code == 200
    assert (data["state"], data["statusReason"]) == ("close", code)
    (row,) = (await call.get("/instance/fetchInstances")).json()
    assert (row["connectionStatus"], row["disconnectionReasonCode"]) == ("close", code)


async def test_only_whatsapp_codes_block_a_number(sim, call):
    await create(call)
    await sim.scan("shop", "5511999990001")

    answer = await call.post("/simulator/instances/shop/block", json={"code": 401})

    assert answer.status_code == 400
    assert sim.state("shop") == "open"


# The licence ---------------------------------------------------------------------------------


@pytest.fixture
async def unlicensed(anyio_backend):
    async with Simulator(KEY, "2.4.0", licensed=False) as sim, client_of(sim) as call:
        yield call


GATED = {
    "GET": ["/instance/fetchInstances", "/instance/connectionState/nobody", "/nope"],
    "POST": ["/instance/create", "/verify-creds", "/message/sendText/nobody"],
    "DELETE": ["/instance/delete/nobody"],
}


async def test_server_without_licence_serves_nothing(unlicensed: httpx.AsyncClient):
    for method, paths in GATED.items():
        for path in paths:
            answer = await unlicensed.request(method, path, headers={"apikey": "wrong"})

            assert (answer.status_code, answer.json()["code"]) == (503, "LICENSE_REQUIRED"), path


async def test_unlicensed_server_still_shows_its_version(unlicensed: httpx.AsyncClient):
    welcome = await unlicensed.get("/")
    licence = (await unlicensed.get("/license/status")).json()

    assert (welcome.status_code, welcome.json()["version"]) == (200, "2.4.0")
    assert licence["status"] == "inactive"
    assert "api_key" not in licence


async def test_activated_server_serves_everything(unlicensed: httpx.AsyncClient):
    await unlicensed.put("/simulator/license", json={"active": True})

    assert (await create(unlicensed)).status_code == 201
    assert (await unlicensed.get("/license/status")).json()["status"] == "active"


async def test_activation_survives_a_restart(tmp_path, anyio_backend):
    async with Simulator(KEY, "2.4.0", data=tmp_path, licensed=False) as sim:
        sim.license()

    async with Simulator(KEY, "2.4.0", data=tmp_path, licensed=False) as sim:
        assert sim.world.licensed


async def test_older_server_knows_no_licence(anyio_backend):
    async with Simulator(KEY, "2.3.7", licensed=False) as sim, client_of(sim) as call:
        assert (await call.get("/license/status")).status_code == 404
        assert (await create(call)).status_code == 201


async def test_newest_server_trims_names(anyio_backend):
    async with Simulator(KEY, "2.4.0") as sim, client_of(sim) as call:
        await create(call, name=" shop ")

        answers = [await call.delete("/instance/logout/shop") for _ in range(2)]

        assert sim.names() == ["shop"]
        assert [answer.status_code for answer in answers] == [200, 200]
