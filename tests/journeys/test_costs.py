"""What each call of a frontend and each webhook costs in billed document operations."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest

from shared.domain.names import InstanceName
from tests.adapters.counting import Counted, counting
from tests.cases import in_each
from tests.perene import Perene, name_of

NUMBER = "5511999990001"


@contextmanager
def costs(perene: Perene) -> Iterator[Counted]:
    """Count the calls inside, without what webhooks of the server cost."""
    perene.evolution.faults.turn_on("webhook_lost")
    with counting(perene.store.db.client) as counted:
        yield counted


async def pairing(perene: Perene, **fields: Any) -> None:
    """A line shows a code, and nothing is under way any more."""
    await perene.ensure(**fields)
    await perene.evolution.drain()


async def tell(
    perene: Perene, event: str, at: datetime | None = None, **data: Any
) -> httpx.Response:
    """The server posts an event of the one line."""
    name = InstanceName(name_of("acme"))
    when = (at or perene.clock()).isoformat()
    envelope = {"event": event, "instance": name, "date_time": when, "data": data}
    headers = perene.webhook_headers(name)
    answer = await perene.http.post("/webhook", json=envelope, headers=headers)
    assert answer.status_code == 204, answer.text
    return answer


# Ensure --------------------------------------------------------------------------------------


async def test_open_line_costs_one_round_trip(perene: Perene):
    await perene.pair()

    with costs(perene) as counted:
        assert (await perene.ensure()).json()["state"] == "open"

    assert counted == Counted(reads=2, round_trips=1)


async def test_shown_code_costs_two_reads(perene: Perene):
    await pairing(perene)

    with costs(perene) as counted:
        assert (await perene.ensure()).json()["state"] == "pairing"

    assert counted == Counted(reads=2, round_trips=1)


async def test_new_line_costs_seven_reads(perene: Perene):
    with costs(perene) as counted:
        assert (await perene.ensure()).json()["state"] == "pairing"

    assert counted == Counted(reads=7, writes=4, round_trips=7)


@pytest.mark.parametrize("servers", [1, 3])
async def test_new_line_costs_per_server(firestore_emulator: str, servers: int):
    async with Perene(**{f"s{at}": "2.3.6" for at in range(servers)}) as perene:
        for tenant in range(3 * servers):
            assert (await perene.ensure(f"t{tenant}")).status_code == 200
        for server in perene.servers.values():
            await server.drain()
            server.faults.turn_on("webhook_lost")

        with counting(perene.store.db.client) as counted:
            assert (await perene.ensure()).status_code == 200

        looks, slots = 4, 3
        assert (counted.reads, counted.writes) == (looks + 2 * servers + slots, 4)
        assert perene.taken("s0") == 4


async def test_full_fleet_costs_six_reads(firestore_emulator: str):
    async with Perene(instance_max=3) as perene:
        for tenant in range(3):
            await perene.ensure(f"t{tenant}")
        await perene.evolution.drain()

        with counting(perene.store.db.client) as counted:
            assert (await perene.ensure()).status_code == 503

        assert (counted.reads, counted.writes) == (6, 0)


async def test_closed_line_costs_two_reads(perene: Perene):
    name = await perene.pair()
    await perene.evolution.unpair(name)
    await perene.evolution.drain()

    with costs(perene) as counted:
        assert (await perene.ensure()).json()["state"] == "pairing"

    assert counted == Counted(reads=2, writes=2, round_trips=3)


async def test_refused_line_costs_two_reads(perene: Perene):
    await pairing(perene)

    with costs(perene) as counted:
        assert (await perene.ensure(line="vendas")).status_code == 409

    assert counted == Counted(reads=2, round_trips=1)


# Instances -----------------------------------------------------------------------------------


async def test_disconnect_repeats_no_commit(perene: Perene):
    await perene.pair()

    with costs(perene) as counted:
        answer = await perene.call("POST", "/instances/default/disconnect")

    assert answer.json()["state"] == "closed"
    assert counted == Counted(reads=3, writes=4, deletes=1, round_trips=7)


@pytest.mark.parametrize("lines", [1, 3])
async def test_list_of_lines_costs_read_each(perene: Perene, lines: int):
    perene.write("tenants/acme", tenant="acme", max_lines=9)
    for number in range(lines):
        await pairing(perene, line=f"line-{number}")

    with costs(perene) as counted:
        assert len((await perene.call("GET", "/instances")).json()["lines"]) == lines

    assert counted == Counted(reads=1 + lines, round_trips=2)


async def test_an_empty_list_costs_two_reads(perene: Perene):
    with costs(perene) as counted:
        await perene.call("GET", "/instances")

    assert counted == Counted(reads=2, round_trips=2)


async def test_one_line_costs_two_reads(perene: Perene):
    await pairing(perene)

    with costs(perene) as counted:
        await perene.call("GET", "/instances/default")

    assert counted == Counted(reads=2, round_trips=1)


@in_each(
    ("method", "path"),
    [
        pytest.param("GET", "/instances", id="lines without a token"),
        pytest.param("POST", "/ensure-instance", id="ensure without a token"),
        pytest.param("POST", "/webhook", id="a webhook without a token"),
    ],
)
async def test_a_stranger_costs_nothing(perene: Perene, method: str, path: str):
    with costs(perene) as counted:
        assert (await perene.http.request(method, path, json={})).status_code == 401

    assert counted == Counted()


# Webhooks ------------------------------------------------------------------------------------


async def test_opening_costs_two_reads_two_writes(perene: Perene):
    await pairing(perene)

    with costs(perene) as counted:
        await tell(perene, "connection.update", state="open", wuid=f"{NUMBER}@s.whatsapp.net")

    assert counted == Counted(reads=2, writes=2, round_trips=3)


async def test_new_code_costs_read_and_write(perene: Perene):
    await pairing(perene)

    with costs(perene) as counted:
        await tell(perene, "qrcode.updated", qrcode={"code": "2@x", "base64": "data:x"})

    assert counted == Counted(reads=1, writes=1, round_trips=2)


async def test_update_that_changes_nothing_costs_read(perene: Perene):
    await perene.pair(number=NUMBER)

    with costs(perene) as counted:
        await tell(perene, "connection.update", state="open", wuid=f"{NUMBER}@s.whatsapp.net")

    assert counted == Counted(reads=1, round_trips=1)


async def test_connecting_costs_nothing(perene: Perene):
    await perene.pair()

    with costs(perene) as counted:
        for _ in range(40):
            await tell(perene, "connection.update", state="connecting")

    assert counted == Counted()


async def test_unused_events_cost_nothing(perene: Perene):
    await perene.pair()

    with costs(perene) as counted:
        await tell(perene, "presence.update", id=f"{NUMBER}@s.whatsapp.net")

    assert counted == Counted()


async def test_storm_of_reconnecting_costs_read(perene: Perene):
    name = await perene.pair(number=NUMBER)

    with counting(perene.store.db.client) as counted:
        await perene.evolution.storm(name, times=40)
        await perene.evolution.drain()

    assert (counted.reads, counted.writes) == (1, 0)
