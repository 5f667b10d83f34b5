"""What happens to a group stands in its conversation, and changes nothing else in the list."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from shared.conversations import group_subjects
from tests.adapters.counting import counting
from tests.cases import in_each
from tests.journeys.test_conversations import inbox
from tests.journeys.test_names import GROUP, asked, write_to_group
from tests.journeys.test_reported import shown
from tests.journeys.test_sending import MARIA, OWN
from tests.perene import Perene, name_of

BIA = {"id": "5511966665555@s.whatsapp.net", "admin": None}
JOINED = {"id": GROUP, "author": f"{MARIA}@s.whatsapp.net", "participants": [BIA], "action": "add"}


async def tell(
    line: Perene, event: str, data: Any, at: datetime | None = None, zone: int = 0
) -> None:
    """The server posts it; its clock is so many hours from UTC."""
    clock = (at or datetime.now(UTC)) + timedelta(hours=zone)
    date = clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"event": event, "instance": name_of("acme"), "data": data, "date_time": date}
    raw = json.dumps(body | {"sender": f"{OWN}@s.whatsapp.net"}).encode()
    headers = line.webhook_headers(name_of("acme"))
    assert (await line.http.post("/webhook", content=raw, headers=headers)).status_code == 204


def renamed(subject: str) -> dict[str, Any]:
    return {"id": GROUP, "author": f"{MARIA}@s.whatsapp.net", "subject": subject}


@pytest.fixture
async def group(on_2: Perene) -> Perene:
    """A line is in a group in which somebody wrote."""
    await on_2.pair(number=OWN)
    await write_to_group(on_2)
    return on_2


async def test_change_of_members_is_in_the_thread_and_nowhere_else(group: Perene):
    ((before, _),) = await shown(group)
    at = datetime.now(UTC)

    for _ in range(2):
        await tell(group, "group-participants.update", JOINED, at)

    ((after, (notice, _)),) = await shown(group)
    assert after == before
    assert (notice["kind"], notice["notice"]["topic"]) == ("notice", "added")
    assert [member["number"] for member in notice["notice"]["members"]] == ["5511966665555"]
    assert notice["author"]["number"] == MARIA


async def test_archived_group_stays_archived(group: Perene):
    ((conversation, _),) = await shown(group)
    await group.call("PATCH", f"/conversations/{conversation['id']}", json={"archived": True})

    await tell(group, "group-participants.update", JOINED)

    assert await shown(group) == []


async def test_group_without_messages_is_not_listed(on_2: Perene):
    await on_2.pair(number=OWN)

    await tell(on_2, "group-participants.update", JOINED)
    await tell(on_2, "groups.update", [renamed("Vendas")])
    assert await shown(on_2) == []

    await write_to_group(on_2)
    ((conversation, messages),) = await shown(on_2)
    assert conversation["contact"]["name"] == "Vendas"
    assert len(messages) == 3


async def test_healed_preview_shows_no_notice(group: Perene):
    ((before, _),) = await shown(group)
    for second in range(25):
        at = datetime.now(UTC) + timedelta(seconds=second + 2)
        await tell(group, "group-participants.update", JOINED, at)
    group.write(f"tenants/acme/conversations/{before['id']}", preview=None)

    with counting(group.store.db.client) as calls:
        await inbox(group)
    ((after, messages),) = await shown(group)

    assert after["last"] == before["last"]
    assert calls.reads == 3, "the tenant, the conversation, its last message"
    assert len(messages) == 26


@in_each("zone", [-3, 0, 2, 5.5])
async def test_clock_of_any_zone_dates_a_notice(group: Perene, zone: float):
    at = datetime.now(UTC) - timedelta(minutes=12)

    await tell(group, "group-participants.update", JOINED, at, zone)

    ((_, messages),) = await shown(group)
    assert int(at.timestamp()) * 1000 in [message["at"] for message in messages]


@pytest.mark.parametrize("order", [*permutations(range(3)), (2, 0, 1, 2)])
async def test_last_subject_is_the_groups_in_any_order(group: Perene, order: tuple[int, ...]):
    now = datetime.now(UTC)
    for index in order:
        at = now + timedelta(seconds=index - 10)
        await tell(group, "groups.update", [renamed(f"Vendas {index}")], at)

    ((conversation, messages),) = await shown(group)

    assert conversation["contact"]["name"] == "Vendas 2"
    notices = [message["text"] for message in messages if message["kind"] == "notice"]
    assert notices == ["Vendas 2", "Vendas 1", "Vendas 0"]


async def test_old_subject_is_asked_for_again(group: Perene):
    await shown(group)
    contacts = group.evolution.world.rows[name_of("acme")].contacts
    contacts[f"{GROUP}"]["subject"] = "Vendas 2027"

    group.clock.advance(group_subjects.OLD_AFTER * 1.1)
    await shown(group)
    assert asked(group) == 1, "nothing was said since"
    await tell_later(group)

    for _ in range(2):
        ((conversation, _),) = await shown(group)
        assert conversation["contact"]["name"] == "Vendas 2027"
    assert asked(group) == 2


async def tell_later(group: Perene) -> None:
    at = int(group.clock().timestamp())
    key = {"remoteJid": GROUP, "participant": f"{MARIA}@s.whatsapp.net", "id": "LATER"}
    message = {"key": key, "message": {"conversation": "oi"}, "messageTimestamp": at}
    await tell(group, "messages.upsert", message)
