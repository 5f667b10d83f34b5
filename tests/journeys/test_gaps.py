"""What no webhook told is fetched: once, in order, unread, and marked as recovered."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared import services
from shared.domain.fleet.reports import SweepKind, SweepStanding
from shared.domain.instances import State, epoch_ms
from shared.evolution.client import Evolution
from shared.inbound.backfill import backfill_line
from shared.sweeps.runs import Run, work_on_items
from tests.perene import Perene, in_both_dialects, name_of

NUMBER, OTHER = "5511999990001", "5511999990002"
MARIA = "5521988887777"
HOUR = timedelta(hours=1)


async def inbox(perene: Perene) -> list[dict[str, Any]]:
    return (await perene.call("GET", "/conversations?limit=100")).json()["conversations"]


async def thread(perene: Perene, conversation: str) -> list[dict[str, Any]]:
    """List all messages of a conversation, oldest first."""
    messages: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        path = f"/conversations/{conversation}/messages"
        page = (await perene.call("GET", path, params=query)).json()
        messages += page["messages"]
        cursor = page.get("next")
        if cursor is None:
            return messages[::-1]


async def deafened(perene: Perene, name: str, texts: list[tuple[str, str]]) -> None:
    """Contacts write while no webhook leaves."""
    perene.evolution.faults.turn_on("webhook_lost")
    for sender, text in texts:
        await perene.evolution.receive(name, sender, text)
    perene.evolution.faults.turn_off("webhook_lost")
    await perene.evolution.drain()


@in_both_dialects
async def test_missed_messages_are_backfilled_unread(perene: Perene):
    name = await perene.pair("acme", NUMBER)
    people = [f"55219888877{at:02}" for at in range(20)]
    await perene.evolution.receive(name, people[0], "antes")
    await perene.evolution.drain()
    texts = [(people[at % 20], f"texto {at:03}") for at in range(500)]
    await deafened(perene, name, texts)

    report = await perene.sweep()
    again = await perene.sweep()

    assert report["counts"]["recovered"] == 500
    assert "recovered" not in again["counts"]
    conversations = await inbox(perene)
    assert len(conversations) == 20
    assert sorted(conversation["unread"] for conversation in conversations) == [25] * 19 + [26]
    assert all(conversation["recovered_at"] for conversation in conversations)
    for conversation in conversations:
        messages = await thread(perene, conversation["id"])
        recovered = [message["text"] for message in messages if message["recovered"]]
        assert len(recovered) == 25
        assert {message["text"] for message in messages if not message["recovered"]} <= {"antes"}
        assert conversation["last"]["at"] == conversation["last_at"]
    (gap,) = perene.documents("tenants/acme/gaps").values()
    assert (gap["recovered"], gap["line"], gap["number"]) == (500, "default", NUMBER)


async def test_missed_messages_are_ordered_by_time(on_2: Perene):
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


@in_both_dialects
async def test_late_message_is_counted_once(perene: Perene):
    name = await perene.pair("acme", NUMBER)
    await deafened(perene, name, [(MARIA, "oi")])
    await perene.sweep()
    late = perene.evolution.deliveries[-1]
    lost = [
        delivery for delivery in perene.evolution.deliveries if delivery.event == "messages.upsert"
    ]
    headers = perene.webhook_headers(name)

    answer = await perene.http.post(lost[-1].url, json=lost[-1].body, headers=headers)

    assert late
    assert answer.status_code == 204
    (conversation,) = await inbox(perene)
    assert conversation["unread"] == 1


async def test_backfilled_phone_message_is_read(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    on_2.evolution.faults.turn_on("webhook_lost")
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True}
    arrival = {"key": key, "message": {"conversation": "já vai"}}
    await on_2.evolution.receive_message(name, arrival)

    await on_2.sweep()

    (conversation,) = await inbox(on_2)
    (message,) = await thread(on_2, conversation["id"])
    assert (conversation["unread"], message["from_me"], message["delivery"]) == (0, True, "sent")


async def test_stub_is_filled_with_its_message(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    on_2.evolution.faults.turn_on("webhook_lost", events="messages.upsert")
    message = await on_2.evolution.receive(name, MARIA, "oi")
    await on_2.evolution.edit(name, message, "olá")
    await on_2.evolution.drain()

    await on_2.sweep()

    (conversation,) = await inbox(on_2)
    (recovered,) = await thread(on_2, conversation["id"])
    assert (recovered["text"], recovered["edited"], recovered["recovered"]) == ("olá", True, True)


async def test_backfill_skips_earlier_number(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    await deafened(on_2, name, [(MARIA, "para o número antigo")])
    on_2.evolution.world.rows[name].messages[-1]["messageTimestamp"] -= 60
    await on_2.evolution.unpair(name)
    await on_2.evolution.drain()
    on_2.clock.advance(timedelta(seconds=2))
    await on_2.pair("acme", OTHER)

    await on_2.sweep()

    assert await inbox(on_2) == []


async def test_long_window_is_fetched_by_turns(on_2: Perene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.inbound.backfill.MOST_PAGES", 2)
    monkeypatch.setattr("shared.sweeps.runs.AT_ONCE", 1)
    await on_2.pair("acme", NUMBER)
    await on_2.pair("globex", OTHER)
    await miss_messages(on_2, "instance_acme", 230)
    await deafened(on_2, "instance_globex", [(MARIA, "oi")])
    on_2.evolution.world.calls.clear()

    report = await on_2.sweep()

    assert report["counts"]["recovered"] == 231
    (conversation,) = await inbox(on_2)
    assert conversation["unread"] == 230
    looks = [call.path for call in on_2.evolution.calls if "findMessages" in call.path]
    other = next(at for at, path in enumerate(looks) if path.endswith("instance_globex"))
    assert 0 < other < len(looks) - 3


async def test_long_window_continues_next_run(on_2: Perene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.inbound.backfill.MOST_PAGES", 2)
    await on_2.pair("acme", NUMBER)
    await miss_messages(on_2, "instance_acme", 230)

    async def take_long() -> None:
        on_2.clock.advance(HOUR)

    on_2.hosts.before["/chat/findMessages/instance_acme"] = take_long
    first, second = await on_2.sweep(), await on_2.sweep()

    counts = [report["counts"].get("recovered", 0) for report in (first, second)]
    assert sum(counts) == 230
    assert 0 < counts[0] < 130
    (conversation,) = await inbox(on_2)
    assert conversation["unread"] == 230


async def test_rest_of_closed_line_is_fetched(on_2: Perene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.inbound.backfill.MOST_PAGES", 2)
    name = await on_2.pair("acme", NUMBER)
    await miss_messages(on_2, name, 230)
    closed = {"state": State.CLOSED, "closed_since": on_2.clock(), "since": on_2.clock()}
    line = await services.store().instances.change(
        name, lambda line: line.model_copy(update=closed), on_2.clock()
    )
    on_2.clock.advance(timedelta(minutes=2))

    recovered = 0
    while line:
        result = await backfill_line(line)
        recovered, line = recovered + result.messages, result.rest

    assert recovered == 230


async def test_line_is_known_until_now_once_all_is_fetched(
    on_2: Perene, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.inbound.backfill.MOST_PAGES", 2)
    name = await on_2.pair("acme", NUMBER)
    await miss_messages(on_2, name, 230)

    await on_2.sweep()

    line = await services.store().instances.find(name)
    assert line
    assert line.heard_until <= epoch_ms(on_2.clock())


async def test_long_window_is_one_doubt(on_2: Perene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.inbound.backfill.MOST_PAGES", 2)
    name = await on_2.pair("acme", NUMBER)
    await miss_messages(on_2, name, 230)
    on_2.evolution.world.rows[name].updated_at = on_2.clock().isoformat()

    report = await on_2.sweep()

    assert report["counts"]["gap_possibly_incomplete"] == 1


async def test_next_look_in_passing_goes_on(on_2: Perene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.inbound.backfill.MOST_PAGES", 2)
    monkeypatch.setattr("shared.sweeps.backfill_lines.was_away", lambda *_: False)
    name = await on_2.pair("acme", NUMBER)
    await on_2.sweep("/sweep-capacity")
    await miss_messages(on_2, name, 230)
    on_2.evolution.faults.turn_off("webhook_lost")
    now = on_2.clock()
    await services.store().instances.change(
        name, lambda line: line.model_copy(update={"since": now}), now
    )

    async def take_long() -> None:
        on_2.clock.advance(timedelta(seconds=61))

    on_2.hosts.before["/chat/findMessages/instance_acme"] = take_long
    first, second = await on_2.sweep("/sweep-capacity"), await on_2.sweep("/sweep-capacity")

    counts = [report["counts"].get("recovered", 0) for report in (first, second)]
    assert sum(counts) == 230
    assert 0 < counts[0] < 130


async def test_line_with_a_mark_ahead_and_no_instance_is_asked_once(
    on_2: Perene, monkeypatch: pytest.MonkeyPatch
):
    name = await on_2.pair("acme", NUMBER)
    on_2.clock.advance(timedelta(days=9))
    ahead = {"heard_until": epoch_ms(on_2.clock() + timedelta(days=2)), "heard_number": NUMBER}
    await services.store().instances.change(
        name, lambda line: line.model_copy(update=ahead), on_2.clock()
    )
    asked = 0

    async def find_nothing(*_: Any) -> None:
        nonlocal asked
        asked += 1
        on_2.clock.advance(timedelta(seconds=1))

    monkeypatch.setattr(Evolution, "history", find_nothing)

    await on_2.sweep()

    assert asked == 1


async def test_endless_rest_keeps_no_line_from_its_turn(
    on_2: Perene, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.sweeps.runs.AT_ONCE", 1)
    looked, cursors = list[str](), dict[str, str]()

    async def look(line: str) -> str | None:
        looked.append(line)
        on_2.clock.advance(timedelta(seconds=60))
        return line if line == "z" else None

    for _ in range(2):
        standing = SweepStanding(cursors=cursors)
        run = Run(SweepKind.ORPHANS, "", "", on_2.clock(), standing, dry=True)
        await work_on_items(run, "gaps", ["a", "b", "z"], look, str)
        cursors = run.stopped_at

    assert (looked.count("a"), looked.count("b")) == (2, 2)


async def miss_messages(perene: Perene, name: str, count: int) -> None:
    """Let a contact write that many messages, a second each, that no webhook tells."""
    perene.clock.advance(3 * HOUR)
    at = int(perene.clock().timestamp()) - 3_000
    perene.evolution.faults.turn_on("webhook_lost")
    for offset in range(count):
        message = {
            "key": {"remoteJid": f"{MARIA}@s.whatsapp.net"},
            "message": {"conversation": f"texto {offset:03}"},
            "messageTimestamp": at + offset,
        }
        await perene.evolution.receive_message(name, message)


async def test_reopened_line_is_backfilled_first(on_2: Perene):
    for at in range(3):
        await on_2.pair(f"t{at}", f"551199999000{at}")
    await on_2.sweep()
    on_2.clock.advance(HOUR)
    await on_2.evolution.unpair("instance_t2")
    await on_2.evolution.drain()
    await on_2.pair("t2", "5511999990002")
    on_2.evolution.world.calls.clear()

    await on_2.sweep()

    looks = [call.path for call in on_2.evolution.calls if "findMessages" in call.path]
    assert looks[0].endswith("instance_t2")


async def test_failing_server_is_asked_again(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    await deafened(on_2, name, [(MARIA, "oi")])
    on_2.evolution.faults.turn_on("error_500_before", route="findMessages")

    report = await on_2.sweep()
    on_2.evolution.faults.clear()
    again = await on_2.sweep()

    assert [note["what"] for note in report["notes"]] == ["failed"]
    assert again["counts"]["recovered"] == 1


# What became of messages ---------------------------------------------------------------------


async def said_once(perene: Perene, name: str, **row: Any) -> dict[str, Any]:
    """We said something that arrived here; upstream knows more of it by now."""
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": True}
    arrival = {"key": key, "message": {"conversation": "oi"}}
    await perene.evolution.receive_message(name, arrival)
    await perene.evolution.drain()
    perene.evolution.world.rows[name].messages[-1].update(row)
    await perene.sweep()
    (conversation,) = await inbox(perene)
    (message,) = await thread(perene, conversation["id"])
    return message


async def test_backfill_learns_deliveries(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)

    message = await said_once(on_2, name, MessageUpdate=[{"status": "READ"}, {"status": "SENT"}])

    assert (message["delivery"], message["recovered"]) == ("read", False)


async def test_backfill_learns_refusals(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)

    message = await said_once(on_2, name, MessageUpdate=[{"status": "ERROR"}])

    assert message["failed"]


async def test_what_is_known_costs_no_write(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    await said_once(on_2, name, MessageUpdate=[{"status": "READ"}])
    before = on_2.documents("tenants/acme/messages")

    await on_2.sweep()

    assert on_2.documents("tenants/acme/messages") == before
    assert on_2.documents("tenants/acme/gaps") == {}


# When ----------------------------------------------------------------------------------------


async def look(perene: Perene, after: timedelta = timedelta(minutes=5)) -> dict[str, Any]:
    """Capacity is looked at, as it is every few minutes."""
    perene.clock.advance(after)
    return await perene.sweep("/sweep-capacity")


async def test_reopened_line_is_backfilled_soon(perene: Perene):
    name = await perene.pair("acme", NUMBER)
    await look(perene)
    perene.clock.advance(HOUR)
    await perene.evolution.unpair(name)
    await perene.evolution.drain()
    perene.clock.advance(HOUR)
    await perene.pair("acme", NUMBER)
    await deafened(perene, name, [(MARIA, "oi")])

    first, second = await look(perene), await look(perene)

    assert (first["counts"].get("recovered"), second["counts"].get("recovered")) == (1, None)
    (conversation,) = await inbox(perene)
    assert conversation["unread"] == 1


async def test_outage_is_backfilled_soon(perene: Perene):
    name = await perene.pair("acme", NUMBER)
    for _ in range(3):
        await look(perene)
    await deafened(perene, name, [(MARIA, "oi")])
    assert (await look(perene))["counts"].get("recovered") is None

    report = await look(perene, HOUR)

    assert report["counts"]["recovered"] == 1


async def test_capacity_sweep_backfills_reopened_lines(
    on_2: Perene, monkeypatch: pytest.MonkeyPatch
):
    for at in range(3):
        await on_2.pair(f"t{at}", f"551199999000{at}")
    await look(on_2)
    paths: list[str] = []
    call = on_2.hosts.handle_async_request

    async def noted(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return await call(request)

    monkeypatch.setattr(on_2.hosts, "handle_async_request", noted)
    await on_2.evolution.drop(name_of("t1"), back=False)
    event = {"instance": name_of("t1"), "state": "close", "statusReason": 428}
    await on_2.evolution.emit(name_of("t1"), "connection.update", event)
    await on_2.evolution.drain()
    on_2.clock.advance(HOUR / 12)
    back = {"instance": name_of("t1"), "state": "open", "wuid": "5511999990001@s.whatsapp.net"}
    await on_2.evolution.emit(name_of("t1"), "connection.update", back)
    await on_2.evolution.drain()
    paths.clear()
    await look(on_2)

    assert paths == ["/instance/fetchInstances", f"/chat/findMessages/{name_of('t1')}"]


async def test_interrupted_backfill_goes_on(on_2: Perene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.sweeps.runs.AT_ONCE", 1)
    names = [await on_2.pair(f"t{at}", f"551199999000{at}") for at in range(3)]
    for _ in range(3):
        await look(on_2)
    for name in names:
        await deafened(on_2, name, [(MARIA, "oi")])

    async def slowly() -> None:
        on_2.clock.advance(timedelta(seconds=61))

    on_2.hosts.before[f"/chat/findMessages/{names[0]}"] = slowly
    first = await look(on_2, HOUR)
    second = await look(on_2)

    assert first["counts"]["recovered"] == 1
    assert first["stopped_at"]["gaps"] == names[1]
    assert second["counts"]["recovered"] == 2


async def test_reopened_lines_come_first(
    on_2: Perene,
):
    name = await on_2.pair("aaa", NUMBER)
    on_2.write("sweeps/orphans", cursors={"gaps_of_those_back": "instance_zzz"})
    await deafened(on_2, name, [(MARIA, "oi")])

    assert (await on_2.sweep())["counts"]["recovered"] == 1


async def test_partial_window_is_incomplete(
    firestore_emulator: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.evolution.message_dialects.OLD_PAGE_SIZE", 10)
    async with Perene(main="1.8.2") as perene:
        name = await perene.pair("acme", NUMBER)
        perene.clock.advance(3 * HOUR)
        await perene.sweep()
        perene.clock.advance(3 * HOUR)
        at = int(perene.clock().timestamp()) - 600
        perene.evolution.faults.turn_on("webhook_lost")
        for offset in range(12):
            message = {
                "key": {"remoteJid": f"{MARIA}@s.whatsapp.net"},
                "messageTimestamp": at + offset,
            }
            message["message"] = {"conversation": f"texto {offset}"}
            await perene.evolution.receive_message(name, message)

        report = await perene.sweep()

        assert report["counts"]["recovered"] == 10
        assert report["counts"]["gap_incomplete"] == 1
        (gap,) = perene.documents("tenants/acme/gaps").values()
        assert (gap["recovered"], gap["incomplete"]) == (10, True)


async def test_silent_server_delays_no_backfill(on_2: Perene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.sweeps.runs.AT_ONCE", 1)
    stuck = await on_2.pair("acme", NUMBER)
    name = await on_2.pair("globex", OTHER)
    await deafened(on_2, name, [(MARIA, "oi")])
    path = f"/chat/findMessages/{stuck}"

    async def never() -> None:
        on_2.hosts.before[path] = never
        on_2.clock.advance(timedelta(seconds=61))
        raise httpx.ConnectTimeout("")

    on_2.hosts.before[path] = never
    first, second = await look(on_2), await look(on_2)

    assert (first["counts"].get("recovered"), second["counts"].get("recovered")) == (None, 1)


async def test_fast_clock_loses_no_message(on_2: Perene):
    name = await on_2.pair("acme", NUMBER)
    on_2.clock.advance(24 * HOUR)
    await on_2.sweep()
    on_2.clock.advance(-24 * HOUR)
    await deafened(on_2, name, [(MARIA, "oi")])

    await on_2.sweep()
    on_2.clock.advance(48 * HOUR)
    await on_2.sweep()

    (conversation,) = await inbox(on_2)
    assert conversation["unread"] == 1


async def test_slow_clock_keeps_usual_interval(
    on_2: Perene,
):
    for _ in range(12):
        await look(on_2)
    on_2.clock.advance(timedelta(minutes=-6))

    for _ in range(4):
        await look(on_2)

    usually = on_2.documents("sweeps")["capacity"]["usually_apart"]
    assert 60 < usually < 600
