"""A revocation that comes before its message, and one that an administrator ordered."""

import time
from typing import Any

import pytest

from tests.journeys.test_odd_intake import MARIA, OWN, inbox, post, said
from tests.journeys.test_who_changed_it import ANA, GROUP, an_order, order, thread
from tests.perene import Perene

NOW = int(time.time())
WORDS = "PALAVRA"
BY_MARIA = {"participant": f"{MARIA}@s.whatsapp.net"}


def an_early_order(id: str, **key: Any) -> dict[str, Any]:
    """Build all that is posted when the server doesn't have the message yet."""
    return {"key": {"fromMe": False, "id": id} | key, "type": 0}


async def everything(perene: Perene) -> str:
    """Return all that is shown and stored, as text."""
    documents = [perene.documents(f"tenants/acme/{name}") for name in ("messages", "conversations")]
    return str([await inbox(perene), await thread(perene), documents])


@pytest.mark.parametrize(
    "key",
    [
        {"remoteJid": f"{MARIA}@s.whatsapp.net"},
        {"remoteJid": f"{OWN}@s.whatsapp.net", "fromMe": True},
        {"remoteJid": "987@lid", "fromMe": True},
    ],
    ids=["the chat as we see it", "as the contact sees it", "by our lid"],
)
@pytest.mark.parametrize("early", [True, False])
async def test_contacts_early_revocation_counts(on_2: Perene, key: dict[str, Any], early: bool):
    name = await on_2.pair()
    posts = [
        ("messages.edited", an_early_order("V1", **key)),
        ("messages.upsert", said("V1", WORDS)),
    ]

    for event, data in posts if early else reversed(posts):
        assert (await post(on_2, name, event, data)).status_code == 204

    assert WORDS not in await everything(on_2)
    assert (await thread(on_2))["messages"][0]["revoked"]


@pytest.mark.parametrize("early", [True, False])
async def test_our_early_revocation_counts(on_2: Perene, early: bool):
    name = await on_2.pair()
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True}
    posts = [
        ("messages.edited", an_early_order("V1", **key)),
        ("messages.upsert", said("V1", WORDS, me=True)),
    ]

    for event, data in posts if early else reversed(posts):
        assert (await post(on_2, name, event, data)).status_code == 204

    assert WORDS not in str([await inbox(on_2), await thread(on_2)])


async def test_our_phone_revokes_through_lid(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("K1", key={"remoteJidAlt": "777@lid"}))
    key = {"remoteJid": "777@lid", "fromMe": True}

    await post(on_2, name, "messages.edited", an_early_order("V1", **key))
    await post(on_2, name, "messages.upsert", said("V1", WORDS, me=True))

    assert WORDS not in str([await inbox(on_2), await thread(on_2)])


@pytest.mark.parametrize(
    "key",
    [
        {"remoteJid": f"{OWN}@s.whatsapp.net", "fromMe": True},
        {"remoteJid": ANA, "fromMe": True},
        {},
    ],
    ids=["the contact's", "our phone's, in another chat", "nobody's"],
)
async def test_nobody_else_takes_our_message_back(on_2: Perene, key: dict[str, Any]):
    name = await on_2.pair()
    await post(on_2, name, "messages.edited", an_early_order("OURS", **key))

    await post(on_2, name, "messages.upsert", said("OURS", "contrato", me=True))

    assert (await thread(on_2))["messages"][0]["text"] == "contrato"


async def test_unsigned_group_revocation_is_ignored(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.edited", an_early_order("G1", remoteJid=GROUP, **BY_MARIA))

    await post(on_2, name, "messages.upsert", said("G1", "sim", jid=GROUP, key=BY_MARIA))

    assert (await thread(on_2))["messages"][0]["text"] == "sim"


async def test_early_revocation_hides_later_message(on_2: Perene):
    name = await on_2.pair()
    await on_2.evolution.revoke_early(name, "3A00000000000000000E", f"{OWN}@s.whatsapp.net")
    await on_2.evolution.receive(name, MARIA, WORDS, id="3A00000000000000000E")

    await on_2.evolution.drain()

    assert WORDS not in await everything(on_2)


# In groups -----------------------------------------------------------------------------------


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("how", ["an order", "a deletion"])
async def test_administrator_takes_back_what_member_said(on_2: Perene, how: str, early: bool):
    name = await on_2.pair()
    by_ana = {"participant": ANA}
    gone = {"remoteJid": GROUP, "fromMe": False, "id": "G1", **by_ana}
    message = ("messages.upsert", said("G1", WORDS, jid=GROUP, key=BY_MARIA))
    deletion = (
        ("messages.delete", gone)
        if how == "a deletion"
        else (
            "messages.upsert",
            said("X1", jid=GROUP, key=by_ana) | {"message": an_order("G1")},
        )
    )

    for event, data in (deletion, message) if early else (message, deletion):
        assert (await post(on_2, name, event, data)).status_code == 204

    assert WORDS not in await everything(on_2)


async def test_our_phone_revokes_members_message(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("G1", WORDS, jid=GROUP, key=BY_MARIA))
    ours = said("X1", jid=GROUP, me=True, key={"participant": f"{OWN}@s.whatsapp.net"})

    await post(on_2, name, "messages.upsert", ours | {"message": an_order("G1")})

    assert WORDS not in await everything(on_2)


@pytest.mark.parametrize("chat", [ANA, "120363000000000099@g.us"])
async def test_outsiders_revoke_nothing_in_groups(on_2: Perene, chat: str):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("G1", "sim", jid=GROUP, key=BY_MARIA))

    await order(on_2, name, "X1", an_order("G1"), jid=chat, key={"participant": ANA})

    (conversation,) = [
        conversation for conversation in await inbox(on_2) if conversation["contact"]["group"]
    ]
    answer = await on_2.call("GET", f"/conversations/{conversation['id']}/messages")
    assert answer.json()["messages"][0]["text"] == "sim"
