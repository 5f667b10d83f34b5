"""What is paired stays paired, and its number stays its own (P2, P7, P11)."""

import asyncio

from tests.adapters.counting import counting
from tests.perene import Perene, in_both_dialects, name_of

NUMBER, OTHER = "5511999990001", "5511999990002"


@in_both_dialects
async def test_reconnecting_line_is_never_recreated(
    perene: Perene,
):
    name = await perene.pair(number=NUMBER)
    paired = perene.evolution.world.rows[name].id
    await tell(perene, name, state="close", statusReason=428)
    perene.evolution.world.sessions[name].state = "connecting"

    await perene.ensure(number=NUMBER)

    assert perene.evolution.exists(name)
    assert perene.evolution.world.rows[name].id == paired


@in_both_dialects
async def test_reconnected_owner_keeps_its_number(perene: Perene):
    name = await perene.pair("owner", number=NUMBER)
    await tell(perene, name, state="close", statusReason=428)
    assert (await perene.ensure("owner")).json()["state"] == "open"

    await perene.pair("newcomer", number=NUMBER)

    assert (await perene.ensure("newcomer")).json()["state"] == "conflict"


@in_both_dialects
async def test_adopted_line_owns_its_number(perene: Perene):
    await perene.evolution.plant(name_of("owner"), number=NUMBER, open=True)
    await perene.ensure("owner")
    await perene.evolution.drain()

    await perene.pair("newcomer", number=NUMBER)

    assert (await perene.ensure("owner")).json()["number"] == NUMBER
    assert (await perene.ensure("newcomer")).json()["state"] == "conflict"


@in_both_dialects
async def test_early_look_leaves_no_number(
    perene: Perene,
):
    name = await perene.pair(number=NUMBER)
    await tell(perene, name, state="close", statusReason=428)
    await perene.ensure()

    await perene.call("DELETE", "/instances/default")

    assert perene.documents("numbers") == {}


@in_both_dialects
async def test_early_look_frees_old_number(
    perene: Perene,
):
    name = await perene.pair(number=NUMBER)
    await perene.evolution.unpair(name)
    await perene.evolution.drain()
    await perene.ensure()
    perene.evolution.faults.turn_on("webhook_delayed", seconds=0.3)
    await perene.evolution.scan(name, OTHER)
    assert (await perene.ensure()).json()["state"] == "open"

    await asyncio.sleep(0.5)
    await perene.evolution.drain()

    assert set(perene.documents("numbers")) == {OTHER}


@in_both_dialects
async def test_lasting_conflict_costs_no_write(perene: Perene):
    await perene.pair("owner", number=NUMBER)
    await perene.pair("newcomer", number=NUMBER)

    with counting(perene.store.db.client) as counted:
        assert (await perene.ensure("newcomer")).json()["state"] == "conflict"

    assert counted.writes == 0


@in_both_dialects
async def test_unconfigured_server_starts_no_release(perene: Perene):
    await perene.pair()
    perene.set(
        EVOLUTION_SERVERS='[{"id": "other", "url": "http://main.test", "api_key": "key-of-main"}]'
    )

    answer = await perene.call("DELETE", "/instances/default")

    assert answer.status_code == 503
    assert (await perene.call("GET", "/instances/default")).json()["state"] == "open"


async def tell(perene: Perene, name: str, **update: object) -> None:
    """The server says so of an instance's connection, now."""
    envelope = {
        "event": "connection.update",
        "instance": name,
        "date_time": perene.clock().isoformat(),
        "data": {"instance": name, **update},
    }
    headers = perene.webhook_headers(name)
    assert (await perene.http.post("/webhook", json=envelope, headers=headers)).is_success
