"""What no webhook told is fetched: once, in order, unread, and marked as recovered."""

from datetime import timedelta
from typing import Any

import pytest

from tests.perene import Perene

NUMBER, OTHER = "5511999990001", "5511999990002"
MARIA = "5521988887777"
HOUR = timedelta(hours=1)


async def inbox(perene: Perene) -> list[dict[str, Any]]:
    return (await perene.call("GET", "/conversations?limit=100")).json()["conversations"]


async def thread(perene: Perene, conversation: str) -> list[dict[str, Any]]:
    """All messages of a conversation, oldest first."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        path = f"/conversations/{conversation}/messages"
        page = (await perene.call("GET", path, params=query)).json()
        found += page["messages"]
        cursor = page.get("next")
        if cursor is None:
            return found[::-1]


async def deafened(perene: Perene, name: str, said: list[tuple[str, str]]) -> None:
    """Contacts write while no webhook leaves."""
    perene.evolution.faults.turn_on("webhook_lost")
    for sender, text in said:
        await perene.evolution.receive(name, sender, text)
    perene.evolution.faults.turn_off("webhook_lost")
    await perene.evolution.settled()


async def test_500_messages_of_20_contacts_are_recovered_once_in_order_and_unread(perene: Perene):
    name = await perene.pair("acme", NUMBER)
    people = [f"55219888877{at:02}" for at in range(20)]
    await perene.evolution.receive(name, people[0], "antes")
    await perene.evolution.settled()
    said = [(people[at % 20], f"texto {at:03}") for at in range(500)]
    await deafened(perene, name, said)

    report = await perene.sweep()
    again = await perene.sweep()

    assert report["counts"]["recovered"] == 500
    assert "recovered" not in again["counts"]
    found = await inbox(perene)
    assert len(found) == 20
    assert sorted(each["unread"] for each in found) == [25] * 19 + [26]
    assert all(each["recovered_at"] for each in found)
    for each in found:
        messages = await thread(perene, each["id"])
        recovered = [message["text"] for message in messages if message["recovered"]]
        assert len(recovered) == 25
        assert {message["text"] for message in messages if not message["recovered"]} <= {"antes"}
        assert each["last"]["at"] == each["last_at"]
    (gap,) = perene.documents("tenants/acme/gaps").values()
    assert (gap["recovered"], gap["line"], gap["number"]) == (500, "default", NUMBER)


async def test_the_order_is_that_of_the_messages_own_times(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    on_2.clock.advance(3 * HOUR)
    at = int(on_2.clock().timestamp()) - 600
    on_2.evolution.faults.turn_on("webhook_lost")
    for offset in range(120):
        await on_2.evolution.receive_message(
            name,
            {
                "key": {"remoteJid": f"{MARIA}@s.whatsapp.net"},
                "message": {"conversation": f"texto {offset:03}"},
                "messageTimestamp": at + offset,
            },
        )

    await on_2.sweep()

    (conversation,) = await inbox(on_2)
    texts = [message["text"] for message in await thread(on_2, conversation["id"])]
    assert texts == [f"texto {offset:03}" for offset in range(120)]
    assert conversation["last"]["text"] == "texto 119"
    assert conversation["unread"] == 120


async def test_a_message_that_comes_late_after_all_is_counted_once(perene: Perene):
    name = await perene.pair("acme", NUMBER)
    await deafened(perene, name, [(MARIA, "oi")])
    await perene.sweep()
    late = perene.evolution.deliveries[-1]
    lost = [each for each in perene.evolution.deliveries if each.event == "messages.upsert"]
    headers = perene.signed(name)

    answer = await perene.http.post(lost[-1].url, json=lost[-1].body, headers=headers)

    assert late
    assert answer.status_code == 204
    (conversation,) = await inbox(perene)
    assert conversation["unread"] == 1


async def test_what_we_said_on_the_phone_is_recovered_and_isnt_unread(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    on_2.evolution.faults.turn_on("webhook_lost")
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True}
    said = {"key": key, "message": {"conversation": "já vai"}}
    await on_2.evolution.receive_message(name, said)

    await on_2.sweep()

    (conversation,) = await inbox(on_2)
    (message,) = await thread(on_2, conversation["id"])
    assert (conversation["unread"], message["from_me"], message["delivery"]) == (0, True, "sent")


async def test_a_stub_is_filled_with_its_message(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    on_2.evolution.faults.turn_on("webhook_lost", events="messages.upsert")
    message = await on_2.evolution.receive(name, MARIA, "oi")
    await on_2.evolution.edit(name, message, "olá")
    await on_2.evolution.settled()

    await on_2.sweep()

    (conversation,) = await inbox(on_2)
    (found,) = await thread(on_2, conversation["id"])
    assert (found["text"], found["edited"], found["recovered"]) == ("olá", True, True)


async def test_what_was_said_under_an_earlier_number_is_not_the_new_ones(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    await deafened(on_2, name, [(MARIA, "para o número antigo")])
    on_2.evolution.world.rows[name].messages[-1]["messageTimestamp"] -= 60
    await on_2.evolution.unpair(name)
    await on_2.evolution.settled()
    on_2.clock.advance(timedelta(seconds=2))
    await on_2.pair("acme", OTHER)

    await on_2.sweep()

    assert await inbox(on_2) == []


async def test_a_gap_that_is_too_long_for_one_run_goes_on_in_the_next(
    on_2: Perene, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.lines.recover.MOST_PAGES", 2)
    name = await on_2.pair("acme", NUMBER)
    on_2.clock.advance(3 * HOUR)
    at = int(on_2.clock().timestamp()) - 3_000
    on_2.evolution.faults.turn_on("webhook_lost")
    for offset in range(230):
        said = {
            "key": {"remoteJid": f"{MARIA}@s.whatsapp.net"},
            "message": {"conversation": f"texto {offset:03}"},
            "messageTimestamp": at + offset,
        }
        await on_2.evolution.receive_message(name, said)

    counts = [(await on_2.sweep())["counts"].get("recovered", 0) for _ in range(4)]

    assert sum(counts) == 230
    assert counts[0] < 130
    (conversation,) = await inbox(on_2)
    assert conversation["unread"] == 230


async def test_a_line_that_came_back_is_looked_at_first(on_2: Perene):
    for at in range(3):
        await on_2.pair(f"t{at}", f"551199999000{at}")
    await on_2.sweep()
    on_2.clock.advance(HOUR)
    await on_2.evolution.unpair("instance_t2")
    await on_2.evolution.settled()
    await on_2.pair("t2", "5511999990002")
    on_2.evolution.world.calls.clear()

    await on_2.sweep()

    looks = [each.path for each in on_2.evolution.calls if "findMessages" in each.path]
    assert looks[0].endswith("instance_t2")


async def test_a_server_that_fails_is_noted_and_asked_again(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    await deafened(on_2, name, [(MARIA, "oi")])
    on_2.evolution.faults.turn_on("error_500_before", route="findMessages")

    report = await on_2.sweep()
    on_2.evolution.faults.clear()
    again = await on_2.sweep()

    assert [note["what"] for note in report["notes"]] == ["failed"]
    assert again["counts"]["recovered"] == 1
