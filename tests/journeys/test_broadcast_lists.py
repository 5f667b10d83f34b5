"""What contacts write through a broadcast list is private; statuses and WhatsApp are nobody."""

from dataclasses import replace
from typing import Any

from shared.domain.upstream import Configuration
from shared.evolution.subscription import SETTINGS
from tests.cases import in_each
from tests.journeys.test_odd_intake import MARIA, OWN, inbox, post, said
from tests.journeys.test_who_changed_it import thread
from tests.perene import Perene

LIST = "1700000005@broadcast"
BY_MARIA = {"participant": f"{MARIA}@s.whatsapp.net"}


def through_list(id: str, text: str = "cardápio", **key: Any) -> dict[str, Any]:
    """A message as it is posted: the chat is the list, and the author stands beside it."""
    return said(id, text, jid=LIST, key=BY_MARIA | key) | {"broadcast": True}


async def test_broadcast_joins_the_senders_conversation(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("M1", "oi"))

    await post(on_2, name, "messages.upsert", through_list("B1"))

    (conversation,) = await inbox(on_2)
    assert (conversation["last"]["text"], conversation["unread"]) == ("cardápio", 2)
    assert not conversation["contact"]["group"]


async def test_sender_may_be_a_lid(on_2: Perene):
    name = await on_2.pair()
    key = {"participant": "777@lid", "participantAlt": f"{MARIA}@s.whatsapp.net"}

    await post(on_2, name, "messages.upsert", through_list("B1", **key))

    (conversation,) = await inbox(on_2)
    assert conversation["contact"]["number"] == MARIA


async def test_the_sender_takes_it_back(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", through_list("B1"))

    key = {"remoteJid": LIST, "fromMe": False, "id": "B1", **BY_MARIA}
    await post(on_2, name, "messages.delete", key)

    assert (await thread(on_2))["messages"][0]["revoked"]


async def test_history_may_carry_a_broadcast(on_2: Perene):
    name = await on_2.pair()

    await post(on_2, name, "messages.set", [through_list("B1")])

    assert len(await inbox(on_2)) == 1


@in_each(
    "message",
    [
        said("S1", jid="status@broadcast", key=BY_MARIA),
        said("S2", jid=LIST, me=True, key={"participant": f"{OWN}@s.whatsapp.net"}),
        said("S3", jid=LIST, key={"participant": f"{OWN}@s.whatsapp.net"}),
        said("S0", jid=LIST),
        said("S4", jid="0@s.whatsapp.net"),
        said("S5", jid="0@c.us"),
        said("S6", jid="0:0@s.whatsapp.net"),
    ],
    ids=[
        "a status",
        "ours to a list",
        "ours, unmarked",
        "nobody's",
        "WhatsApp",
        "WhatsApp, old",
        "a device",
    ],
)
async def test_message_without_contact_gets_no_conversation(on_2: Perene, message: dict[str, Any]):
    name = await on_2.pair()

    answer = await post(on_2, name, "messages.upsert", message)

    assert answer.status_code == 204
    assert await inbox(on_2) == []
    assert on_2.documents("dead_letters") == {}


async def test_new_instance_has_the_settings(on_2: Perene):
    name = await on_2.pair()

    for jid in (LIST, "status@broadcast"):
        arrival = {"key": {"remoteJid": jid, **BY_MARIA}, "message": {"conversation": jid}}
        await on_2.evolution.receive_message(name, arrival)
    await on_2.evolution.drain()

    (message,) = (await thread(on_2))["messages"]
    assert message["text"] == LIST


@in_each("how", ["ensure", "sweep"])
async def test_earlier_instance_gets_new_settings(perene: Perene, how: str):
    name = await perene.pair()
    row = perene.evolution.world.rows[name]
    row.setting["readStatus"] = False
    perene.write(f"instances/{name}", configured="of-before")

    if how == "ensure":
        await perene.ensure()
    else:
        await perene.sweep()

    assert row.setting["readStatus"] is SETTINGS["readStatus"] is True


def test_other_settings_are_another_configuration():
    wanted = Configuration("https://x.test", {}, (), {"readStatus": False})

    assert wanted.mark != replace(wanted, settings={"readStatus": True}).mark
