"""One person has several addresses, and strangers have none of theirs."""

import time

import pytest

from tests.journeys.test_odd_intake import MARIA, inbox, kept, post, said
from tests.journeys.test_who_changed_it import ANA, GROUP, an_order, order, thread
from tests.perene import Perene

NOW = int(time.time())
BY_MARIA = {"participant": f"{MARIA}@s.whatsapp.net"}


async def test_unsigned_edit_helps_no_forger(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("G1", "sim", jid=GROUP, key=BY_MARIA))
    forged = an_order("G1", "não")
    key = {"remoteJid": GROUP, "fromMe": False, "id": "G1", "participant": BY_MARIA["participant"]}

    edit = {**forged["protocolMessage"], "key": key}
    await post(on_2, name, "messages.edited", edit)
    await order(on_2, name, "X1", forged, jid=GROUP, key={"participant": ANA})

    assert (await thread(on_2))["messages"][0]["text"] == "sim"


async def test_numbered_member_cannot_edit_hidden(on_2: Perene):
    name = await on_2.pair()
    await post(
        on_2, name, "messages.upsert", said("G1", "sim", jid=GROUP, key={"participant": "111@lid"})
    )

    ana = {"participant": "222@lid", "participantAlt": ANA}
    await order(on_2, name, "X1", an_order("G1", "não"), jid=GROUP, key=ana)

    assert (await thread(on_2))["messages"][0]["text"] == "sim"


@pytest.mark.parametrize("forged_first", [True, False])
async def test_contact_cannot_erase_what_we_said(on_2: Perene, forged_first: bool):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("OURS", "R$ 1000", me=True))
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True, "id": "OURS"}

    # Maria's phone sends a REVOKE whose inner key reads as if ours; the outer one says it was her
    posts = [
        ("messages.edited", {"key": key, "type": "REVOKE"}),
        ("messages.delete", {**key, "fromMe": False}),
    ]
    for event, data in posts if forged_first else posts[::-1]:
        assert (await post(on_2, name, event, data)).status_code == 204

    assert kept(on_2)["default~OURS"]["text"] == "R$ 1000"
    assert (await thread(on_2))["messages"][0]["text"] == "R$ 1000"


async def test_phones_edit_to_lid_counts(on_2: Perene):
    name = await on_2.pair()
    await post(
        on_2, name, "messages.upsert", said("K1", at=NOW - 50, key={"remoteJidAlt": "777@lid"})
    )
    await post(on_2, name, "messages.upsert", said("OURS", "R$ 1000", me=True))
    key = {"remoteJid": "777@lid", "fromMe": True, "id": "OURS"}
    edit = {**an_order("OURS", "R$ 900")["protocolMessage"], "key": key}
    await post(on_2, name, "messages.edited", edit)

    assert "R$ 900" in str(await thread(on_2))


async def test_lid_history_keeps_archived(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("N1", jid="777@lid", at=NOW - 40))
    await post(on_2, name, "messages.upsert", said("K2", key={"remoteJidAlt": "777@lid"}))
    await inbox(on_2)
    (conversation,) = await inbox(on_2)
    await on_2.call("PATCH", f"/conversations/{conversation['id']}", json={"archived": True})

    await post(on_2, name, "messages.set", [said("N0", jid="777@lid", at=NOW - 9999)])
    await inbox(on_2)

    assert await inbox(on_2) == []


async def test_second_lid_hides_nothing(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("N1", "oculta", jid="777@lid", at=NOW - 40))
    await post(on_2, name, "messages.upsert", said("K2", key={"remoteJidAlt": "777@lid"}))
    await inbox(on_2)
    await post(on_2, name, "messages.upsert", said("K3", key={"remoteJidAlt": "888@lid"}))
    await inbox(on_2)

    page = await thread(on_2)
    assert "N1" in {message["id"] for message in page["messages"]}


@pytest.mark.parametrize(
    "number", ["5521977776661", "5521977776662", "5521977776663", "5521977776664"]
)
async def test_changed_number_starts_another_contact(on_2: Perene, number: str):
    name = await on_2.pair()
    await post(
        on_2, name, "messages.upsert", said("K1", at=NOW - 50, key={"remoteJidAlt": "777@lid"})
    )
    await post(
        on_2,
        name,
        "messages.upsert",
        said("K2", jid=f"{number}@s.whatsapp.net", at=NOW - 40, key={"remoteJidAlt": "777@lid"}),
    )

    await post(on_2, name, "messages.upsert", said("N3", jid="777@lid"))

    assert kept(on_2)["default~N3"]["conversation"] == kept(on_2)["default~K2"]["conversation"]


async def test_repeated_id_elsewhere_is_dead_letter(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("SAME", "spam", jid=ANA))
    await post(on_2, name, "messages.upsert", said("SAME", "importante"))

    (letter,) = on_2.documents("dead_letters").values()
    assert "importante" in letter["raw"]
