"""Test what callers send, what contacts receive, and what contacts write."""

import pytest

from infra.local.simulator import Impossible
from infra.local.simulator.phones import address_of

pytestmark = pytest.mark.anyio
CONTACT = "5511988887777"
PIXEL = "iVBORw0KGgo="


def send_text(call, name, text="oi", number=CONTACT, **more):
    body = {"number": number, "text": text} | more
    return call.post(f"/message/sendText/{name}", json=body)


async def test_a_contact_receives_what_was_sent(sim, shop, call):
    await send_text(call, shop, "olá")

    (received,) = sim.sent_messages(shop)
    assert (received.to, received.text) == (f"{CONTACT}@s.whatsapp.net", "olá")
    assert received.sender == "5511999990001"


async def test_same_send_twice_sends_two_messages(sim, shop, call):
    first, second = await send_text(call, shop), await send_text(call, shop)

    assert first.json()["key"]["id"] != second.json()["key"]["id"]
    assert len(sim.sent_messages()) == 2


async def test_send_is_echoed_and_then_delivered(sim, shop, call, receiver):
    receiver.posts.clear()
    sent = (await send_text(call, shop)).json()

    await sim.drain()

    assert receiver.events == ["send.message", "messages.update"]
    assert receiver.last("send.message")["data"] == sent
    update = receiver.last("messages.update")["data"]
    assert (update["keyId"], update["status"]) == (sent["key"]["id"], "DELIVERY_ACK")


async def test_a_status_is_said_once(sim, shop, call, receiver):
    sent = (await send_text(call, shop)).json()["key"]["id"]
    await sim.drain()

    for status in ("READ", "READ", "PLAYED"):
        await sim.acknowledge(shop, sent, status)

    await sim.drain()
    statuses = [
        b["data"]["status"] for _, _, b in receiver.posts if b["event"] == "messages.update"
    ]
    assert statuses == ["DELIVERY_ACK", "READ", "PLAYED"]


@pytest.mark.parametrize("status", ["SEEN", "read", ""])
async def test_there_are_no_other_statuses(status, sim, shop, call):
    sent = (await send_text(call, shop)).json()["key"]["id"]

    with pytest.raises(Impossible, match="no status"):
        await sim.acknowledge(shop, sent, status)


async def test_groups_acknowledge_nothing(sim, shop, call, receiver):
    group = "120363000000000001@g.us"
    await sim.receive_message(shop, {
        "key": {"remoteJid": group, "participant": f"{CONTACT}@s.whatsapp.net"},
        "message": {"conversation": "oi grupo"},
    })  # fmt: skip

    sent = await send_text(call, shop, number=group)

    await sim.drain()
    assert sent.status_code == 201
    assert "messages.update" not in receiver.events


@pytest.mark.parametrize(
    ("number", "jid"),
    [
        ("5511988887777", "5511988887777@s.whatsapp.net"),
        ("+55 (31) 98888-7777", "553188887777@s.whatsapp.net"),
        ("553188887777", "553188887777@s.whatsapp.net"),
        ("5531988887777@s.whatsapp.net", "5531988887777@s.whatsapp.net"),
        ("5531968887777", "5531968887777@s.whatsapp.net"),
        ("5215512345678", "525512345678@s.whatsapp.net"),
        ("5491112345678", "541112345678@s.whatsapp.net"),
        ("111222333444555@lid", "111222333444555@lid"),
        ("5511988887777:12@s.whatsapp.net", "5511988887777@s.whatsapp.net"),
        ("120363000000000001", "120363000000000001@g.us"),
        ("5511988887777-1600000000", "5511988887777-1600000000@g.us"),
    ],
)
def test_addresses_follow_evolution(number, jid):
    assert address_of(number) == jid


async def test_media_can_be_fetched_again(sim, shop, call):
    body = {"number": CONTACT, "mediatype": "image", "media": PIXEL, "caption": "foto"}
    sent = (await call.post(f"/message/sendMedia/{shop}", json=body)).json()["key"]

    answer = await call.post(f"/chat/getBase64FromMediaMessage/{shop}", json={
        "message": {"key": {"id": sent["id"]}},
    })  # fmt: skip

    assert answer.status_code == 201
    assert (answer.json()["base64"], answer.json()["caption"]) == (PIXEL, "foto")


async def test_media_of_contacts_can_be_fetched(sim, shop, call):
    received = await sim.receive_media(shop, CONTACT, "document", PIXEL, mimetype="application/pdf")

    answer = await call.post(f"/chat/getBase64FromMediaMessage/{shop}", json={
        "message": {"key": {"id": received}},
    })  # fmt: skip

    assert answer.json()["mimetype"] == "application/pdf"


async def test_a_contact_writes(sim, shop, receiver):
    receiver.posts.clear()

    message_id = await sim.receive(shop, CONTACT, "bom dia", push_name="João")

    await sim.drain()
    assert receiver.events == [
        "chats.update", "contacts.update", "messages.upsert", "contacts.upsert",
    ]  # fmt: skip
    message = receiver.last("messages.upsert")["data"]
    assert message["key"]["id"] == message_id
    assert (message["message"], message["pushName"]) == ({"conversation": "bom dia"}, "João")


@pytest.mark.parametrize(
    ("number", "lid", "address", "other", "mode"),
    [
        (CONTACT, None, f"{CONTACT}@s.whatsapp.net", None, "pn"),
        (CONTACT, "111", "111@lid", f"{CONTACT}@s.whatsapp.net", "lid"),
        ("", "111@lid", "111@lid", None, "lid"),
    ],
    ids=["by number", "by lid with the number beside it", "by the bare lid"],
)
async def test_contacts_are_addressed_as_whatsapp_likes(
    number, lid, address, other, mode, sim, shop, receiver
):
    await sim.receive(shop, number, "oi", lid=lid)

    await sim.drain()
    key = receiver.last("messages.upsert")["data"]["key"]
    assert (key["remoteJid"], key.get("remoteJidAlt")) == (address, other)
    assert key["addressingMode"] == mode


async def test_the_same_id_again_is_swallowed(sim, shop, receiver):
    for _ in range(2):
        await sim.receive(shop, CONTACT, "oi", id="3A1")

    await sim.drain()
    assert receiver.events.count("messages.upsert") == 1
    assert receiver.events.count("chats.update") == 2


async def test_groups_are_ignored_if_so_set(sim, shop, call, receiver):
    settings = dict.fromkeys(("rejectCall", "alwaysOnline", "readMessages", "readStatus",
                              "syncFullHistory"), False) | {"groupsIgnore": True}  # fmt: skip
    await call.post(f"/settings/set/{shop}", json=settings)
    receiver.posts.clear()

    await sim.receive_message(shop, {
        "key": {"remoteJid": "120363000000000001@g.us"}, "message": {"conversation": "oi"},
    })  # fmt: skip

    await sim.drain()
    assert receiver.posts == []
    assert sim.settings(shop)["groupsIgnore"] is True


async def test_closed_instance_receives_nothing(sim, shop):
    await sim.unpair(shop)

    with pytest.raises(Impossible, match="not open"):
        await sim.receive(shop, CONTACT, "oi")


async def test_stored_messages_are_paged_newest_first(sim, shop, call):
    for at in range(5):
        await sim.receive(shop, CONTACT, str(at))

    page = (await call.post(f"/chat/findMessages/{shop}", json={
        "where": {"key": {"remoteJid": f"{CONTACT}@s.whatsapp.net"}}, "offset": 2, "page": 2,
    })).json()["messages"]  # fmt: skip

    assert (page["total"], page["pages"], page["currentPage"]) == (5, 3, 2)
    assert [record["message"]["conversation"] for record in page["records"]] == ["2", "1"]


async def test_stored_messages_are_filtered(sim, shop, call):
    message_id = await sim.receive(shop, CONTACT, "oi")

    async def total(**where):
        answer = await call.post(f"/chat/findMessages/{shop}", json={"where": where})
        return answer.json()["messages"]["total"]

    assert await total(key={"id": message_id}) == 1
    assert await total(messageType="imageMessage") == 0
    assert await total(messageTimestamp={"gte": "2020-01-01T00:00:00Z"}) == 1
    assert await total(messageTimestamp={"lte": "2020-01-01T00:00:00Z"}) == 0


async def test_unknown_quote_is_left_out(sim, shop, call):
    sent = await send_text(call, shop, quoted={"key": {"id": "NOPE"}})

    assert "stanzaId" not in sent.json()["contextInfo"]


async def test_a_contact_card_for_several_people(sim, shop, call):
    people = [{"fullName": n, "wuid": "5511977776666", "phoneNumber": "5511977776666"}
              for n in ("Ana", "Bia")]  # fmt: skip

    await call.post(f"/message/sendContact/{shop}", json={"number": CONTACT, "contact": people})

    (message,) = sim.sent_messages()
    assert (message.kind, message.text) == ("contactsArrayMessage", "Ana, Bia")
