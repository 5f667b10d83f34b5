"""What is paired stays paired, and its number stays its own (P2, P7, P11)."""

import asyncio

from tests.adapters.counting import counting
from tests.perene import Perene, name_of

NUMBER, OTHER = "5511999990001", "5511999990002"


async def test_a_paired_line_that_reconnects_is_not_made_anew_for_a_caller_who_would_type(
    on_both: Perene,
):
    name = await on_both.pair(number=NUMBER)
    paired = on_both.evolution.world.rows[name].id
    await tell(on_both, name, state="close", statusReason=428)
    on_both.evolution.world.sessions[name].state = "connecting"

    await on_both.ensure(number=NUMBER)

    assert on_both.evolution.exists(name)
    assert on_both.evolution.world.rows[name].id == paired


async def test_an_owner_that_reconnected_before_its_event_came_keeps_its_number(on_both: Perene):
    name = await on_both.pair("owner", number=NUMBER)
    await tell(on_both, name, state="close", statusReason=428)
    assert (await on_both.ensure("owner")).json()["state"] == "open"

    await on_both.pair("newcomer", number=NUMBER)

    assert (await on_both.ensure("newcomer")).json()["state"] == "conflict"


async def test_an_open_line_that_was_adopted_owns_its_number(on_both: Perene):
    await on_both.evolution.plant(name_of("owner"), number=NUMBER, open=True)
    await on_both.ensure("owner")
    await on_both.evolution.settled()

    await on_both.pair("newcomer", number=NUMBER)

    assert (await on_both.ensure("owner")).json()["number"] == NUMBER
    assert (await on_both.ensure("newcomer")).json()["state"] == "conflict"


async def test_a_released_line_leaves_no_number_behind_although_a_look_was_faster_than_its_event(
    on_both: Perene,
):
    name = await on_both.pair(number=NUMBER)
    await tell(on_both, name, state="close", statusReason=428)
    await on_both.ensure()

    await on_both.call("DELETE", "/instances/default")

    assert on_both.documents("numbers") == {}


async def test_a_new_number_frees_the_old_one_although_a_look_was_faster_than_its_event(
    on_both: Perene,
):
    name = await on_both.pair(number=NUMBER)
    await on_both.evolution.unpair(name)
    await on_both.evolution.settled()
    await on_both.ensure()
    on_both.evolution.faults.turn_on("webhook_delayed", seconds=0.3)
    await on_both.evolution.scan(name, OTHER)
    assert (await on_both.ensure()).json()["state"] == "open"

    await asyncio.sleep(0.5)
    await on_both.evolution.settled()

    assert set(on_both.documents("numbers")) == {OTHER}


async def test_a_conflict_that_goes_on_costs_no_write(on_both: Perene):
    await on_both.pair("owner", number=NUMBER)
    await on_both.pair("newcomer", number=NUMBER)

    with counting(on_both.store._client) as counted:
        assert (await on_both.ensure("newcomer")).json()["state"] == "conflict"

    assert counted.writes == 0


async def test_a_line_whose_server_is_gone_is_not_begun_to_be_released(perene: Perene):
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
    headers = perene.signed(name)
    assert (await perene.http.post("/webhook", json=envelope, headers=headers)).is_success
