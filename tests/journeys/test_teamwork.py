"""A tenant's people label conversations, assign them and write notes, which nobody else sees."""

from typing import Any

import pytest

from shared.domain import desk
from tests.journeys.test_conversations import inbox
from tests.journeys.test_costs import costs
from tests.journeys.test_sending import ANA, MARIA, OWN, talk
from tests.perene import Perene

DESK = "/conversations/desk"


@pytest.fixture
async def paired(on_2: Perene) -> Perene:
    await on_2.pair(number=OWN)
    return on_2


async def patch(perene: Perene, conversation: str, **fields: Any) -> Any:
    return await perene.call("PATCH", f"/conversations/{conversation}", json=fields)


async def write_note(perene: Perene, conversation: str, text: str, tenant: str = "acme") -> Any:
    path = f"/conversations/{conversation}/notes"
    return await perene.call("POST", path, tenant, json={"text": text})


async def test_labels_and_assignee_are_filters(paired: Perene):
    maria, ana = await talk(paired, sender=MARIA), await talk(paired, sender=ANA)

    with costs(paired) as counted:
        labelled = await patch(paired, maria, labels=["orçamento", "vip"], assignee="Bia")
    await patch(paired, ana, labels=["vip"])

    assert (counted.reads, counted.writes) == (4, 2)
    assert labelled.json()["labels"] == ["orçamento", "vip"]
    assert labelled.json()["assignee"] == "Bia"
    for query, ids in (
        ("?label=vip", [ana, maria]),
        ("?label=vip&assignee=Bia&unread=true&line=default", [maria]),
        ("?label=vip&archived=true", []),
        ("?label=or%C3%A7amento&search=9888", [maria]),
        ("?label=vip&assignee=nobody", []),
    ):
        assert [row["id"] for row in await inbox(paired, query)] == ids, query


async def test_desk_offers_what_was_used(paired: Perene):
    maria = await talk(paired)
    await patch(paired, maria, labels=["vip"], assignee="Bia")
    with costs(paired) as again:
        await patch(paired, maria, labels=["vip"], assignee=None)
    saved = await paired.call("PUT", f"{DESK}/replies/pix", json={"text": "A chave é…"})

    assert again.writes == 1
    assert saved.json() == {
        "labels": ["vip"],
        "assignees": ["Bia"],
        "replies": [{"name": "pix", "text": "A chave é…"}],
        "me": "acme",
    }
    for path in ("labels/vip", "assignees/Bia", "replies/pix", "replies/pix"):
        assert (await paired.call("DELETE", f"{DESK}/{path}")).status_code == 204
    after = (await paired.call("GET", DESK)).json()
    assert (after["labels"], after["assignees"], after["replies"]) == ([], [], [])
    assert "assignee" not in (await inbox(paired, "?label=vip"))[0]


async def test_desk_and_notes_are_bounded(paired: Perene, monkeypatch: pytest.MonkeyPatch):
    maria = await talk(paired)
    full = {f"r{at}": "oi" for at in range(desk.MOST_ON_DESK)}
    labels = [f"l{at}" for at in range(desk.MOST_ON_DESK)]
    paired.write("tenants/acme/desk/desk", replies=full, labels=labels)
    monkeypatch.setattr("shared.store.desks.MOST_NOTES", 1)
    await write_note(paired, maria, "a primeira")

    refused = [
        await patch(paired, maria, labels=["one more"]),
        await paired.call("PUT", f"{DESK}/replies/more", json={"text": "oi"}),
        await write_note(paired, maria, "a segunda"),
        await patch(paired, maria, labels=[f"l{at}" for at in range(desk.MOST_LABELS + 1)]),
        await patch(paired, maria, labels=["l1", "l1"]),
        await paired.call("PUT", f"{DESK}/replies/%2Fpix", json={"text": "oi"}),
    ]

    assert [answer.status_code for answer in refused] == [409, 409, 409, 422, 422, 404]
    assert (await inbox(paired))[0]["labels"] == []
    replaced = await paired.call("PUT", f"{DESK}/replies/r1", json={"text": "olá"})
    assert replaced.status_code == 200


async def test_notes_stay_inside(paired: Perene):
    maria, ana = await talk(paired, sender=MARIA), await talk(paired, sender=ANA)
    path = f"/conversations/{maria}/notes"

    first = (await write_note(paired, maria, "cliente antigo")).json()
    await write_note(paired, maria, "prefere Pix")
    stranger = await write_note(paired, maria, "…", tenant="globex")

    assert stranger.status_code == 404
    notes = (await paired.call("GET", path)).json()["notes"]
    assert [(note["text"], note["by"]) for note in notes] == [
        ("prefere Pix", "acme"),
        ("cliente antigo", "acme"),
    ]
    assert (await paired.call("GET", f"/conversations/{ana}/notes")).json() == {"notes": []}
    for conversation in (ana, maria, maria):
        elsewhere = f"/conversations/{conversation}/notes/{first['id']}"
        assert (await paired.call("DELETE", elsewhere)).status_code == 204
    left = (await paired.call("GET", path)).json()["notes"]
    assert [note["text"] for note in left] == ["prefere Pix"]
    assert paired.evolution.sent_messages() == []
