"""What the store keeps, places and releases, on the real emulator."""

from shared.domain.instances import Instance, State
from shared.store import Store
from shared.store.instances import Full, Placed
from tests.adapters.stores import FLEET, Server, placed
from tests.builders import LATER, NOON, NUMBER, a_code, a_line, a_new_line, a_tenant
from tests.perene import Perene


def opened(current: Instance) -> Instance:
    return current.with_state(State.OPEN, None, LATER, number=NUMBER)


# Questions -----------------------------------------------------------------------------------


async def test_unknown_tenant_and_line_are_absent(store: Store):
    assert await store.instances.find_with_tenant(a_tenant().tenant, a_line().name) == (None, None)


async def test_look_finds_tenant_and_its_line(store: Store):
    held = await placed(store)

    tenant, line = await store.instances.find_with_tenant(held.tenant, held.name)

    assert tenant == a_tenant(
        "acme", "default", version=tenant.version, labels={"default": "Vendas"}
    )
    assert line == held


async def test_record_reads_back_as_written(store: Store):
    held = await placed(store)
    full = a_line(number=NUMBER, heard_at=7, held_by="me").showing(a_code(), NOON)

    replaced = await store.instances.replace(held, full)

    assert replaced == await store.instances.find(held.name)
    assert replaced.model_copy(update={"version": None}) == full


async def test_unknown_line_has_no_record(store: Store):
    assert await store.instances.find(a_line().name) is None


async def test_tenant_sees_only_its_lines(perene: Perene, store: Store):
    perene.write("tenants/acme", tenant="acme", max_lines=3)
    for line in ("vendas", "default", "suporte"):
        await placed(store, line=line)
    await placed(store, tenant="other")

    tenant, lines = await store.instances.list_of_tenant(a_tenant().tenant)

    assert tenant.max_lines == 3
    assert [line.line for line in lines] == ["default", "suporte", "vendas"]
    assert {line.tenant for line in lines} == {"acme"}


async def test_unknown_tenant_has_no_lines(store: Store):
    assert await store.instances.list_of_tenant(a_tenant().tenant) == (None, [])


async def test_escaped_tenant_id_is_found_again(store: Store):
    held = await placed(store, tenant="a/é..")

    tenant, lines = await store.instances.list_of_tenant(held.tenant)

    assert tenant.tenant == "a/é.."
    assert lines == [held]


# Placing -------------------------------------------------------------------------------------


async def test_new_line_gets_record_and_slot(perene: Perene, store: Store):
    held = await placed(store)

    assert held == a_new_line(version=held.version)
    assert list(perene.documents("instances")) == [held.name]
    assert perene.documents("tenants")["acme"]["lines"] == ["default"]
    assert perene.taken("main") == 1


async def test_line_goes_to_emptiest_server(perene: Perene, store: Store):
    fleet = [Server("small", 1), Server("large", 2)]

    placement = await store.instances.place(a_new_line(), fleet)

    assert placement.instance.server == "large"
    assert (perene.taken("small"), perene.taken("large")) == (0, 1)


async def test_placed_line_keeps_its_full_server(perene: Perene, store: Store):
    fleet = [Server("full", 0), Server("empty", 9)]

    placement = await store.instances.place(a_new_line(), fleet, "full")

    assert placement.instance.server == "full"
    assert perene.taken("full") == 1


async def test_closed_server_is_passed_over(perene: Perene, store: Store):
    perene.write("servers/large", accepting=False)

    placement = await store.instances.place(a_new_line(), [Server("large", 9), Server("small", 1)])

    assert placement.instance.server == "small"


async def test_full_fleet_stores_nothing(perene: Perene, store: Store):
    assert await store.instances.place(a_new_line(), [Server(instance_max=0)]) == Full()

    assert [perene.documents(name) for name in ("instances", "tenants", "servers")] == [{}, {}, {}]


async def test_configured_limit_beats_stored_one(perene: Perene, store: Store):
    perene.write("servers/main", limit=1)
    perene.write("servers/main/slots/0", instance="instance_old")

    await store.instances.place(a_new_line(), [Server(instance_max=2)])

    assert perene.taken("main") == 2


async def test_line_placed_meanwhile_is_read_again(store: Store):
    first = await placed(store)

    assert await store.instances.place(a_new_line(held_by="another"), FLEET) is None
    assert await store.instances.find(first.name) == first


async def test_placing_twice_takes_one_slot(perene: Perene, store: Store):
    first = await placed(store, held_by="me")

    assert await store.instances.place(a_new_line(held_by="me"), FLEET) == Placed(first)
    assert perene.taken("main") == 1


async def test_plan_without_room_is_read_again(perene: Perene, store: Store):
    assert await placed(store)

    assert await store.instances.place(a_new_line(line="vendas"), FLEET) is None
    assert perene.taken("main") == 1


async def test_placing_keeps_the_operators_settings(perene: Perene, store: Store):
    perene.write("tenants/acme", tenant="acme", max_lines=7, note="pays late")

    await placed(store, line="vendas")

    record = perene.documents("tenants")["acme"]
    settings = {"tenant": "acme", "max_lines": 7, "note": "pays late"}
    assert record == settings | {"lines": ["vendas"], "labels": {"vendas": "Vendas"}}


# Releasing -----------------------------------------------------------------------------------


async def test_released_line_leaves_nothing(perene: Perene, store: Store):
    held = await placed(store)
    current = await store.instances.change(held.name, opened, LATER)

    assert await store.instances.release(current)

    assert perene.documents("instances") == perene.documents("numbers") == {}
    assert perene.taken("main") == 0
    assert perene.documents("tenants")["acme"]["lines"] == []


async def test_line_that_is_gone_is_released(perene: Perene, store: Store):
    held = await placed(store)
    await store.instances.release(held)

    assert await store.instances.release(held)
    assert perene.taken("main") == 0


async def test_line_leased_elsewhere_is_not_released(perene: Perene, store: Store):
    held = await placed(store)
    taken = await store.instances.replace(held, held.granted("another", LATER))

    assert not await store.instances.release(held)
    assert await store.instances.find(held.name) == taken
    assert perene.taken("main") == 1


async def test_release_leaves_anothers_number(perene: Perene, store: Store):
    held = await placed(store)
    current = await store.instances.change(held.name, opened, LATER)
    perene.write(f"numbers/{NUMBER}", instance="instance_other", tenant="other")

    await store.instances.release(current)

    assert perene.documents("numbers")[NUMBER]["instance"] == "instance_other"
