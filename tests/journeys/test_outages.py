"""Evolution is down, slow or not itself: a clear problem, nothing corrupted, the next call fine."""

from datetime import timedelta

from shared.domain.instances import LEASE
from shared.evolution import limits
from tests.cases import in_each
from tests.perene import Perene, name_of

FAULTS = {
    "down": ({"kind": "down"}, 502, "evolution-unreachable"),
    "HTML": ({"kind": "bad_gateway"}, 502, "evolution-failed"),
    "500": ({"kind": "error_500_before"}, 502, "evolution-failed"),
    "cut": ({"kind": "cut_before"}, 502, "evolution-unreachable"),
    "another key": ({"kind": "key_rotated"}, 502, "evolution-refused-key"),
    "silent": (
        {"kind": "no_answer_before", "route": "*", "seconds": 0.02},
        504,
        "evolution-timed-out",
    ),
}


@in_each("case", FAULTS)
async def test_new_line_survives_an_outage(perene: Perene, case: str):
    fault, status, slug = FAULTS[case]
    others = perene.evolution.names()
    perene.evolution.faults.turn_on(**fault)
    answer = await perene.ensure(case)
    perene.evolution.faults.clear()

    line = (await perene.ensure(case)).json()

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:perene:problem:{slug}")
    assert line["state"] == "pairing"
    assert perene.evolution.names() == [*others, name_of(case)]
    assert perene.taken("main") == len(others) + 1


@in_each("case", FAULTS)
async def test_an_open_line_survives_an_outage(perene: Perene, case: str):
    fault, status, _ = FAULTS[case]
    await perene.pair()
    before = perene.documents("instances")
    perene.evolution.faults.turn_on(**fault)
    answer = await perene.ensure()
    perene.evolution.faults.clear()

    line = (await perene.ensure()).json()

    assert answer.status_code == status
    assert line["state"] == "open"
    assert perene.documents("instances") == before


STEPS = ("*connectionState*", "create", "*connect/*", "*webhook*", "*settings*")


@in_each("route", STEPS)
@in_each("kind", ["error_500_after", "cut_after", "bad_gateway", "error_500_before"])
async def test_failed_step_is_repaired(perene: Perene, kind: str, route: str):
    tenant, others = f"{kind} {route}", perene.evolution.names()
    perene.evolution.faults.turn_on(kind, route=route, count=1)
    await perene.ensure(tenant)

    line = await settled(perene, tenant)

    assert line["state"] == "pairing"
    assert line["code"]["qr"] == perene.evolution.code(name_of(tenant))
    assert perene.evolution.names() == [*others, name_of(tenant)]
    assert perene.taken("main") == len(others) + 1
    assert max(perene.evolution.creates_in_flight_peak.values()) == 1


async def test_instance_vanishing_at_once_is_recreated(perene: Perene):
    perene.evolution.faults.turn_on("vanish_after_create", count=1)

    line = (await perene.ensure()).json()

    assert line["state"] == "pairing"
    assert perene.evolution.names() == [name_of("acme")]


@in_each("kind", ["cut_after", "no_answer_after", "error_500_after"])
async def test_unanswered_create_is_adopted(perene: Perene, kind: str):
    settings = {"seconds": 0.02} if kind == "no_answer_after" else {}
    others = perene.evolution.names()
    perene.evolution.faults.turn_on(kind, route="create", count=1, **settings)

    line = (await perene.ensure(kind)).json()

    assert line["state"] == "pairing"
    assert perene.evolution.names() == [*others, name_of(kind)]
    creates = [call for call in perene.evolution.calls if call.path == "/instance/create"]
    assert len(creates) == len(others) + 1


async def test_full_server_keeps_no_slot(perene: Perene):
    perene.evolution.faults.turn_on("full")

    answer = await perene.ensure()

    assert answer.status_code == 503
    assert answer.json()["title"] == "Maximum instances reached"
    assert perene.documents("instances") == {}
    assert perene.taken("main") == 0


async def test_unconfigured_server_is_a_problem(perene: Perene):
    await perene.pair()
    perene.set(
        EVOLUTION_SERVERS='[{"id": "other", "url": "http://main.test", "api_key": "key-of-main"}]'
    )

    answer = await perene.ensure()

    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:perene:problem:server-unknown"


async def settled(perene: Perene, tenant: str = "acme") -> dict[str, object]:
    """Return the line after a few more calls, one of them when every lease is over."""
    for _ in range(2):
        await perene.ensure(tenant)
    perene.clock.advance(LEASE + timedelta(seconds=1))
    await perene.ensure(tenant)
    await perene.evolution.expire_code(name_of(tenant))
    await perene.evolution.drain()
    line: dict[str, object] = (await perene.ensure(tenant)).json()
    return line


async def test_failed_create_is_retried_at_once(perene: Perene):
    perene.evolution.faults.turn_on("error_500_before", route="create", count=1)

    line = (await perene.ensure()).json()

    assert line["state"] == "pairing"
    assert creates(perene) == [500, 201]


async def test_proxied_create_is_not_repeated(perene: Perene):
    perene.evolution.faults.turn_on("bad_gateway", route="create", count=1)

    answer = await perene.ensure()

    assert (answer.status_code, answer.json()["state"]) == (202, "creating")
    assert (await perene.ensure()).status_code == 202
    assert creates(perene) == [502]


async def test_lease_is_extended_before_create(perene: Perene):
    name, left = name_of("acme"), []

    async def slow() -> None:
        perene.clock.advance(LEASE - timedelta(seconds=10))

    async def looked() -> None:
        perene.hosts.before[f"/instance/connectionState/{name}"] = slow

    async def created() -> None:
        lease = perene.documents("instances")[name]["lease"]
        left.append(lease["until"] - perene.clock())

    perene.hosts.before[f"/instance/connectionState/{name}"] = looked
    perene.hosts.before["/instance/create"] = created

    assert (await perene.ensure()).json()["state"] == "pairing"
    assert left[0] > timedelta(seconds=limits.LONGEST_CALL)


async def test_refused_healing_keeps_the_slot(perene: Perene):
    name = await perene.pair()
    await perene.evolution.vanish(name)
    perene.evolution.faults.turn_on("full")

    answer = await perene.ensure()

    assert answer.status_code == 503
    assert set(perene.documents("instances")) == {name}
    assert perene.taken("main") == 1
    perene.evolution.faults.clear()
    assert (await perene.ensure()).json()["state"] == "pairing"


async def test_lost_lease_creates_nothing(perene: Perene):
    look = f"/instance/connectionState/{name_of('acme')}"

    async def overtaken() -> None:
        perene.clock.advance(LEASE + timedelta(seconds=1))
        assert (await perene.ensure()).json()["state"] == "pairing"
        assert (await perene.call("DELETE", "/instances/default")).status_code == 204

    async def looked() -> None:
        perene.hosts.before[look] = overtaken

    perene.hosts.before[look] = looked

    answer = await perene.ensure()

    assert answer.status_code == 409
    assert perene.evolution.names() == []
    assert perene.taken("main") == 0


def creates(perene: Perene) -> list[int]:
    """List how the creates that reached the server ended."""
    return [call.status for call in perene.evolution.calls if call.path == "/instance/create"]
