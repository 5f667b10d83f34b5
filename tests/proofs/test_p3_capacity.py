"""P3: INSTANCE_MAX is enforced by us, exactly, and nothing is left behind by those it refuses."""

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path

from tests.perene import Perene, name_of
from tests.proofs.stage import open_stage, times

MAXIMUM, TENANTS = times((40, 60), (100, 150))


async def test_no_more_tenants_than_maximum_get_instances(firestore_emulator: str, tmp_path: Path):
    async with open_stage(tmp_path, instance_max=MAXIMUM, options=["--unhurried"]) as stage:
        await stage.warm()
        answers = await stage.ensure_many([f"tenant-{n}" for n in range(TENANTS)])

        titles = Counter(answer.json().get("title") for answer in answers)
        assert titles == {None: MAXIMUM, "Maximum instances reached": TENANTS - MAXIMUM}
        simulated = await stage.read_simulator_state()
        assert len(simulated["instances"]) == MAXIMUM
        records = stage.documents("instances")
        tenants = [name for name in stage.documents("tenants") if name.startswith("tenant")]
        assert len(records) == len(tenants) == MAXIMUM
        assert stage.taken("main") == MAXIMUM

        placed = next(iter(records.values()))["tenant"]
        released = await stage.call("DELETE", "/instances/default", placed)
        late = next(f"tenant-{n}" for n in range(TENANTS) if answers[n].status_code == 503)
        admitted = await stage.ensure(late)

        assert (released.status_code, admitted.status_code) == (204, 200)
        assert stage.taken("main") == MAXIMUM


async def test_limit_holds_on_half_a_processor(firestore_emulator: str, tmp_path: Path):
    maximum = times(12, 100)
    async with open_stage(tmp_path, instance_max=maximum, options=["--unhurried"]) as stage:
        await stage.warm()
        with stage.throttled():
            answers = await stage.ensure_many([f"tenant-{n}" for n in range(maximum * 3 // 2)])

        titles = Counter(answer.json().get("title") for answer in answers)
        assert titles == {None: maximum, "Maximum instances reached": maximum // 2}
        assert stage.taken("main") == len(stage.documents("instances")) == maximum


async def test_migration_at_once_fills_every_server(firestore_emulator: str):
    maximum, servers = times(4, 100), [f"server-{n}" for n in range(5)]
    async with Perene(instance_max=maximum, **dict.fromkeys(servers, "2.3.6")) as perene:
        tenants = [f"tenant-{n}" for n in range(maximum * len(servers))]

        answers = await asyncio.gather(*map(perene.ensure, tenants))

        assert Counter(answer.status_code for answer in answers) == {200: len(tenants)}
        assert [perene.taken(server) for server in servers] == [maximum] * len(servers)
        assert (await perene.ensure("one too many")).status_code == 503


async def test_full_server_heals_its_own_line(firestore_emulator: str):
    async with Perene(instance_max=1) as perene:
        await perene.pair("first")
        await perene.evolution.vanish((await perene.ensure("first")).json()["instance"])

        healed = await perene.ensure("first")
        refused = await perene.ensure("second")

        assert healed.status_code == 200
        assert refused.status_code == 503


async def test_new_lines_go_to_accepting_servers(
    firestore_emulator: str,
):
    async with Perene(instance_max=3, one="2.3.6", two="2.3.6", three="2.3.6") as perene:
        for slot in range(2):
            perene.write(f"servers/one/slots/{slot}", instance=f"instance_old-{slot}")
        perene.write("servers/two", server="two", limit=3, accepting=False)
        for number in range(4):
            assert (await perene.ensure(f"tenant-{number}")).status_code == 200

        full = await perene.ensure("one too many")

        carried = {server: len(simulator.names()) for server, simulator in perene.servers.items()}
        assert carried == {"one": 1, "two": 0, "three": 3}
        assert full.status_code == 503


async def test_instance_is_adopted_where_it_is(firestore_emulator: str):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        await perene.servers["two"].plant("instance_acme")

        await perene.ensure("acme")

        assert perene.servers["one"].names() == []
        assert perene.documents("instances")["instance_acme"]["server"] == "two"
        assert perene.taken("two") == 1


async def test_connected_of_two_instances_is_adopted(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        await perene.servers["one"].plant("instance_acme")
        await perene.servers["two"].plant("instance_acme", open=True)

        line = (await perene.ensure("acme")).json()

        assert line["state"] == "open"
        assert perene.documents("instances")["instance_acme"]["server"] == "two"


async def test_silent_server_blocks_new_lines(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        perene.servers["two"].faults.turn_on("down")

        answer = await perene.ensure("acme")

        assert answer.status_code == 502
        assert perene.servers["one"].names() == []
        assert perene.documents("instances") == {}


async def test_full_server_recreates_no_lost_instance(
    firestore_emulator: str,
):
    async with Perene(instance_max=1, one="2.3.6", two="2.3.6") as perene:
        two, name = perene.servers["two"], name_of("acme")
        perene.write("servers/two/slots/0", instance="instance_old")
        await two.plant(name)

        look = f"/instance/connectionState/{name}"

        async def first() -> None:
            perene.hosts.before[look] = second

        async def second() -> None:
            perene.hosts.before[look] = partial(two.vanish, name)

        perene.hosts.before[look] = first
        await perene.ensure()

        assert two.names() == []
