"""Test 1.8 where it differs, as read in its source."""

import httpx
import pytest

from infra.local.simulator import Simulator
from tests.simulator.conftest import KEY, client_of
from tests.simulator.shapes import recording, shape

pytestmark = pytest.mark.anyio
CONTACT = "5511988887777"


@pytest.fixture
async def sim(receiver, anyio_backend):
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(receiver)) as deliver,
        Simulator(KEY, version="1.8.2", deliver=deliver, expose_token=True) as simulator,
    ):
        yield simulator


@pytest.fixture
async def call(sim):
    async with client_of(sim) as client:
        yield client


@pytest.fixture
async def wa1(sim, call):
    await call.post("/instance/create", json=recording(
        "derived/exchanges", "v1.create")["request"]["body"] | {"events": []})  # fmt: skip
    await sim.scan("wa1", "5511999990001")
    await sim.drain()
    return "wa1"


@pytest.mark.parametrize(
    "name", ["v1.create", "v1.fetchInstances-by-name", "v1.sendText", "v1.webhook-set"]
)
async def test_answers_as_derived(name, sim, call):
    if name != "v1.create":
        await call.post("/instance/create", json=recording(
            "derived/exchanges", "v1.create")["request"]["body"])  # fmt: skip
        await sim.scan("wa1", "5511999990001")
    derived = recording("derived/exchanges", name)
    request = derived["request"]

    answer = await call.request(request["method"], request["path"], json=request.get("body"))

    assert answer.status_code == derived["response"]["status"], answer.text
    theirs = derived["response"]["body"]
    if name == "v1.create":
        theirs["qrcode"]["pairingCode"] = "a number was given"
    assert shape(answer.json()) == shape(theirs)


async def test_instances_are_listed_as_derived(sim, call, wa1):
    sim.world.options.expose_token = False
    await call.post("/instance/create", json={"instanceName": "wa2", "qrcode": True})

    answer = await call.get("/instance/fetchInstances")

    theirs = recording("derived/exchanges", "v1.fetchInstances-all")["response"]["body"]
    assert shape(answer.json()) == shape(theirs)


@pytest.mark.parametrize("event", ["messages.upsert", "messages.update"])
async def test_posts_as_derived(event, sim, call, receiver, wa1):
    await call.post("/message/sendText/wa1", json={
        "number": CONTACT, "textMessage": {"text": "oi"},
    })  # fmt: skip
    await sim.receive(wa1, CONTACT, "oi")

    await sim.drain()

    theirs = recording("derived/webhooks", f"v1.{event}")["request"]["body"]
    ours = receiver.last(event)
    for body in (ours, theirs):
        body["data"].pop("source", None)
        body.pop("destination", None)  # one of the derived ones is abridged
    assert shape(ours) == shape(theirs)


async def test_open_instance_cannot_be_deleted(sim, call, wa1):
    refused = await call.delete("/instance/delete/wa1")
    await call.delete("/instance/logout/wa1")
    accepted = await call.delete("/instance/delete/wa1")

    await sim.drain()

    assert refused.status_code == 400
    assert "needs to be disconnected" in refused.json()["response"]["message"][0]
    assert accepted.status_code == 200
    assert not sim.exists("wa1")


async def test_restart_is_a_put_request(sim, call, wa1):
    await call.post("/instance/create", json={"instanceName": "wa2"})

    closed = await call.put("/instance/restart/wa2")

    assert closed.json() == {"instance": {"instanceName": "wa2", "state": "close"}}
    assert (await call.put("/instance/restart/wa1")).status_code == 200
    assert (await call.post("/instance/restart/wa1")).status_code == 404


async def test_webhook_is_tried_once_without_headers(sim, call, receiver, wa1):
    receiver.answers = lambda body: 500

    await sim.receive(wa1, CONTACT, "oi")

    await sim.drain()
    assert {len(delivery.statuses) for delivery in sim.deliveries} == {1}
    assert sim.deliveries[-1].headers == {}


async def test_settings_are_in_snake_case(sim, call, wa1):
    await call.post("/settings/set/wa1", json={
        "reject_call": True, "groups_ignore": False, "always_online": True,
        "read_messages": False, "read_status": False, "sync_full_history": False,
    })  # fmt: skip

    settings = (await call.get("/settings/find/wa1")).json()

    assert settings["reject_call"] is True
    assert settings["groups_ignore"] is False
    assert sim.settings("wa1")["alwaysOnline"] is True


async def test_new_instance_always_ignores_groups(sim, call):
    await call.post("/instance/create", json={"instanceName": "wa2", "groups_ignore": False})

    assert (await call.get("/settings/find/wa2")).json()["groups_ignore"] is True


async def test_messages_are_listed_newest_first(sim, call, wa1):
    ids = [await sim.receive(wa1, CONTACT, text) for text in ("um", "dois", "três")]

    records = (await call.post("/chat/findMessages/wa1", json={"where": {}, "limit": 2})).json()

    assert [record["key"]["id"] for record in records] == ids[:0:-1]
    assert records[0]["key"] == {
        "remoteJid": f"{CONTACT}@s.whatsapp.net", "fromMe": False, "id": ids[2],
    }  # fmt: skip
    assert (records[0]["owner"], records[0]["message"]) == ("wa1", {"conversation": "três"})
    assert not records[0].keys() & {"instanceId", "MessageUpdate"}


@pytest.mark.parametrize(
    ("where", "times"),
    [
        ({"key": {"fromMe": False}}, 1),
        ({"key": {"id": "nope"}}, 0),
        ({"messageType": "conversation"}, 1),
        ({"messageTimestamp": {"gte": "2020-01-01T00:00:00.000Z"}}, 0),
    ],
)
async def test_conditions_are_equalities(where, times, sim, call, wa1):
    await sim.receive(wa1, CONTACT, "oi")

    records = (await call.post("/chat/findMessages/wa1", json={"where": where})).json()

    assert len(records) == times


async def test_put_marks_messages_read(sim, call, wa1):
    keys = [{"id": "3A", "remoteJid": f"{CONTACT}@s.whatsapp.net", "fromMe": False}]

    answer = await call.put("/chat/markMessageAsRead/wa1", json={"read_messages": keys})

    assert (answer.status_code, answer.json()["read"]) == (201, "success")
    assert (await call.put("/chat/markMessageAsRead/wa1", json={})).status_code == 400
    assert (await call.post("/chat/markMessageAsRead/wa1", json={})).status_code == 404


async def test_put_edits_a_message_silently(sim, call, wa1, receiver):
    key = {"id": "3EB0", "remoteJid": f"{CONTACT}@s.whatsapp.net", "fromMe": True}
    edit = {"number": CONTACT, "key": key, "text": "olá!"}

    answer = await call.put("/chat/updateMessage/wa1", json=edit)

    await sim.drain()
    assert answer.json()["message"]["protocolMessage"]["key"] == key
    assert "send.message.update" not in receiver.events
    assert (await call.post("/chat/updateMessage/wa1", json=edit)).status_code == 404


async def test_token_can_be_used_only_once(sim, call, wa1):
    answer = await call.post("/instance/create", json={"instanceName": "wa2", "token": "tok"})

    assert answer.json()["response"]["message"] == ["Token already exists"]


async def test_no_webhook_is_an_empty_one(sim, call):
    await call.post("/instance/create", json={"instanceName": "wa2"})

    webhook = (await call.get("/webhook/find/wa2")).json()

    assert (webhook["enabled"], webhook["url"]) == (False, "")


async def test_2x_body_lacks_what_1x_wants(sim, call, wa1):
    answer = await call.post("/message/sendText/wa1", json={"number": CONTACT, "text": "oi"})

    assert answer.status_code == 400
    assert answer.json()["response"]["message"] == [['instance requires property "textMessage"']]


async def test_media_is_nested_too(sim, call, wa1):
    answer = await call.post("/message/sendMedia/wa1", json={
        "number": CONTACT, "options": {"delay": 1},
        "mediaMessage": {"mediatype": "image", "media": "iVBORw0KGgo=", "caption": "foto"},
    })  # fmt: skip

    assert answer.status_code == 201
    (message,) = sim.sent_messages()
    assert (message.kind, message.text) == ("imageMessage", "foto")
