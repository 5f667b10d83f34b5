"""Whoever writes has a name that somebody can read, and keeps the one that people gave them."""

import pytest

from shared.conversations import group_subjects
from tests.journeys.test_conversations import inbox, only
from tests.journeys.test_sending import MARIA, OWN
from tests.perene import Perene, in_both_dialects, name_of

GROUP = "120363000000000016@g.us"


async def write(perene: Perene, push_name: str, sender: str = MARIA) -> None:
    await perene.evolution.receive(name_of("acme"), sender, "oi", push_name=push_name)
    await perene.evolution.drain()


async def write_to_group(perene: Perene, group: str = GROUP) -> None:
    key = {"remoteJid": group, "participant": f"{MARIA}@s.whatsapp.net"}
    message = {"key": key, "pushName": "Pedro", "message": {"conversation": "Bom dia"}}
    await perene.evolution.receive_message(name_of("acme"), message)
    await perene.evolution.drain()


def asked(perene: Perene) -> int:
    return len([call for call in perene.evolution.calls if "findGroupInfos" in call.path])


@in_both_dialects
async def test_older_group_has_its_subject(perene: Perene):
    await perene.pair(number=OWN)
    await write_to_group(perene)

    for _ in range(3):
        assert (await only(perene))["contact"]["name"] == "Grupo 16"

    assert asked(perene) == 1
    assert len(await inbox(perene, "?search=grupo")) == 1


async def test_unknown_subject_is_asked_daily(on_2: Perene):
    await on_2.pair(number=OWN)
    await write_to_group(on_2)
    on_2.evolution.faults.turn_on("error_500_before", route="findGroupInfos")

    for _ in range(3):
        assert "name" not in (await only(on_2))["contact"]

    assert asked(on_2) <= 3  # of one question, with its repetitions
    on_2.evolution.faults.clear()
    on_2.clock.advance(group_subjects.ASKED_AGAIN_AFTER * 1.1)
    assert (await only(on_2))["contact"]["name"] == "Grupo 16"


async def test_page_asks_for_few_subjects(on_2: Perene):
    await on_2.pair(number=OWN)
    for at in range(5):
        await write_to_group(on_2, f"1203630000000{at:02}0016@g.us")

    await inbox(on_2)
    first = asked(on_2)
    await inbox(on_2)

    assert (first, asked(on_2)) == (3, 5)


@pytest.mark.parametrize("name", ["\u3164", "\u200e \u2060", "\u2800\ufe0f", "\u00ad"])
async def test_name_that_nobody_sees_is_none(on_2: Perene, name: str):
    await on_2.pair(number=OWN)
    await write(on_2, name)

    contact = (await only(on_2))["contact"]

    assert "name" not in contact
    assert contact["number"] == MARIA


async def test_given_name_stays_until_removed(on_2: Perene):
    await on_2.pair(number=OWN)
    await write(on_2, "Mari 🌸")
    path = f"/conversations/{(await only(on_2))['id']}"

    changed = await on_2.call("PATCH", path, json={"name": " Maria  do Açougue "})
    await write(on_2, "Mari ✨")

    assert changed.json()["contact"]["name"] == "Maria do Açougue"
    contact = (await only(on_2))["contact"]
    assert (contact["name"], contact["given"]) == ("Maria do Açougue", True)
    assert len(await inbox(on_2, "?search=acougue")) == len(await inbox(on_2, "?search=mari")) == 1
    back = await on_2.call("PATCH", path, json={"name": None})
    assert (back.json()["contact"]["name"], back.json()["contact"].get("given")) == (
        "Mari ✨",
        None,
    )


@pytest.mark.parametrize("name", ["", "\u3164", "x" * 101, 7])
async def test_unreadable_name_is_a_problem(on_2: Perene, name: object):
    await on_2.pair(number=OWN)
    await write(on_2, "Maria")

    path = f"/conversations/{(await only(on_2))['id']}"

    assert (await on_2.call("PATCH", path, json={"name": name})).status_code == 422


async def test_given_name_survives_merge(on_2: Perene):
    name = await on_2.pair(number=OWN)
    lid, number = "111222333@lid", f"{MARIA}@s.whatsapp.net"
    for key in ({}, {"remoteJidAlt": number}):
        message = {"key": {"remoteJid": lid, **key}, "message": {"conversation": "oi"}}
        await on_2.evolution.receive_message(name, message)
        await on_2.evolution.drain()
        if not key:
            path = f"/conversations/{(await only(on_2))['id']}"
            await on_2.call("PATCH", path, json={"name": "Maria do Açougue"})

    await inbox(on_2)

    assert (await only(on_2))["contact"]["name"] == "Maria do Açougue"
    assert len(await inbox(on_2, "?search=acougue")) == 1
