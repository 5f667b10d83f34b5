"""A frontend asks for its line to be live."""

from datetime import timedelta

from shared.domain.instances import CODE_LIFETIME, LEASE
from tests.cases import in_each
from tests.perene import Perene, in_both_dialects, name_of

NUMBER = "5511999990001"


@in_both_dialects
async def test_new_line_gets_code_to_scan(perene: Perene):
    answer = await perene.ensure()

    line = answer.json()
    assert answer.status_code == 200, line
    assert (line["line"], line["label"], line["state"]) == ("default", "default", "pairing")
    assert line["instance"] == name_of("acme")
    assert line["code"]["qr"].startswith("2@")
    assert line["code"]["png"].startswith("data:image/png;base64,")
    assert perene.evolution.names() == [name_of("acme")]


@in_both_dialects
async def test_asked_again_same_code_is_shown(perene: Perene):
    first = (await perene.ensure()).json()

    second = (await perene.ensure()).json()

    assert second == first
    assert perene.evolution.names() == [name_of("acme")]


@in_both_dialects
async def test_scanned_line_opens_with_number(perene: Perene):
    name = await perene.pair(number=NUMBER)

    line = (await perene.ensure()).json()

    assert (line["state"], line["number"]) == ("open", NUMBER)
    assert "code" not in line
    assert perene.evolution.names() == [name]


@in_both_dialects
async def test_unpaired_line_gets_new_code(perene: Perene):
    name = await perene.pair()
    await perene.evolution.unpair(name)
    await perene.evolution.drain()

    line = (await perene.ensure()).json()

    assert (line["state"], line["instance"]) == ("pairing", name)
    assert line["code"]["qr"].startswith("2@")
    assert perene.evolution.names() == [name]


@in_both_dialects
async def test_expired_code_is_replaced(perene: Perene):
    first = (await perene.ensure()).json()
    perene.clock.advance(CODE_LIFETIME)
    await perene.evolution.expire_code(name_of("acme"))
    await perene.evolution.drain()

    second = (await perene.ensure()).json()

    assert second["code"]["qr"] != first["code"]["qr"]


@in_both_dialects
async def test_stale_code_is_never_shown_again(perene: Perene):
    await perene.ensure()
    perene.clock.advance(CODE_LIFETIME)

    line = (await perene.ensure()).json()

    assert (line["state"], line["reason"]) == ("pairing", "no_code")
    assert "code" not in line


@in_both_dialects
async def test_a_number_gets_a_pairing_code(perene: Perene):
    line = (await perene.ensure(number=NUMBER)).json()

    assert len(line["code"]["pairing_code"]) == 8


@in_both_dialects
async def test_formatted_number_gets_pairing_code(perene: Perene):
    line = (await perene.ensure(number="+55 (11) 99999-0001")).json()

    assert len(line["code"]["pairing_code"]) == 8


@in_both_dialects
async def test_moved_deployment_reconfigures_lines(perene: Perene):
    name = await perene.pair()
    perene.set(PUBLIC_URL="http://elsewhere.test")

    line = (await perene.ensure()).json()

    assert line["state"] == "open"
    assert perene.evolution.webhook(name)["url"].startswith("http://elsewhere.test/webhook")


@in_both_dialects
async def test_lost_number_event_restarts_once(perene: Perene):
    await perene.ensure()
    perene.evolution.faults.turn_on("webhook_lost")
    await perene.evolution.scan(name_of("acme"), NUMBER)
    await perene.evolution.drain()
    await perene.ensure()
    perene.evolution.faults.turn_off("webhook_lost")
    perene.clock.advance(timedelta(seconds=11))
    for _ in range(3):
        await perene.ensure()
        await perene.evolution.drain()

    line = (await perene.ensure()).json()

    assert (line["state"], line["number"]) == ("open", NUMBER)
    restarts = [call for call in perene.evolution.calls if "/instance/restart/" in call.path]
    assert len(restarts) == 1


@in_both_dialects
async def test_pairing_code_needs_fresh_instance(perene: Perene):
    await perene.ensure()

    line = (await perene.ensure(number=NUMBER)).json()

    assert len(line["code"]["pairing_code"]) == 8
    assert perene.evolution.names() == [name_of("acme")]


@in_both_dialects
async def test_unused_pairing_code_spoils_nothing(perene: Perene):
    await perene.ensure(number=NUMBER)
    await perene.evolution.reach_qr_limit(name_of("acme"))
    await perene.evolution.drain()

    line = (await perene.ensure()).json()

    assert line["code"]["qr"].startswith("2@")


@in_both_dialects
async def test_qr_limit_is_a_reason(perene: Perene):
    await perene.ensure()
    await perene.evolution.reach_qr_limit(name_of("acme"))
    await perene.evolution.drain()
    limited = (await perene.call("GET", "/instances/default")).json()

    line = (await perene.ensure()).json()

    assert (limited["state"], limited["reason"]) == ("closed", "qr_limit")
    assert line["state"] == "pairing"
    assert line["code"]["qr"].startswith("2@")


@in_both_dialects
async def test_missing_code_comes_next_call(perene: Perene):
    perene.evolution.faults.turn_on("no_code", count=1)
    without = (await perene.ensure()).json()
    perene.evolution.faults.clear()

    line = (await perene.ensure()).json()

    assert (without["reason"], without.get("code")) == ("no_code", None)
    assert perene.evolution.names() == [name_of("acme")]
    assert line["state"] in ("pairing", "closed")


@in_both_dialects
async def test_unknown_instance_is_adopted_and_configured(perene: Perene):
    name = name_of("acme")
    await perene.evolution.plant(name)

    line = (await perene.ensure()).json()

    assert (line["instance"], line["state"]) == (name, "pairing")
    assert perene.evolution.names() == [name]
    assert "/webhook" in perene.evolution.webhook(name)["url"]
    assert not creates(perene)


@in_both_dialects
async def test_unknown_open_instance_is_adopted(perene: Perene):
    await perene.evolution.plant(name_of("acme"), number=NUMBER, open=True)

    line = (await perene.ensure()).json()

    assert line["state"] == "open"
    assert not creates(perene)


@in_both_dialects
async def test_recreated_instance_keeps_its_name(perene: Perene):
    name = await perene.pair()
    await perene.evolution.vanish(name)

    line = (await perene.ensure()).json()

    assert (line["instance"], line["state"]) == (name, "pairing")
    assert perene.evolution.names() == [name]
    assert perene.taken("main") == 1


@in_both_dialects
async def test_name_in_use_is_connected(perene: Perene):
    perene.evolution.faults.turn_on("error_500_after", route="create", count=1)

    line = (await perene.ensure()).json()

    assert line["state"] == "pairing"
    assert len(creates(perene)) == 1


@in_both_dialects
async def test_concurrent_ensure_answers_202(perene: Perene):
    perene.evolution.faults.turn_on("no_answer_before", route="create", seconds=0.1, count=1)
    await stuck_create(perene)

    answer = await perene.ensure()

    assert answer.status_code == 202
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["state"] == "creating"
    assert len(creates(perene)) == 1


@in_both_dialects
async def test_doubtful_create_is_retried_after_lease(
    perene: Perene,
):
    await stuck_create(perene)
    perene.clock.advance(LEASE + timedelta(seconds=1))

    line = (await perene.ensure()).json()

    assert line["state"] == "pairing"
    assert perene.evolution.names() == [name_of("acme")]
    assert max(perene.evolution.creates_in_flight_peak.values()) == 1


@in_both_dialects
async def test_during_a_release_nothing_is_created(perene: Perene):
    name = await perene.pair()
    perene.evolution.faults.turn_on("delete_never_finishes")
    released = await perene.call("DELETE", "/instances/default")

    answer = await perene.ensure()

    assert released.status_code == 202
    assert (answer.status_code, answer.json()["state"]) == (202, "releasing")
    assert perene.evolution.names() == [name]


@in_both_dialects
async def test_ensure_finishes_interrupted_release(perene: Perene):
    name = await perene.pair()
    perene.evolution.faults.turn_on("delete_never_finishes")
    await perene.call("DELETE", "/instances/default")
    perene.evolution.faults.clear()
    await perene.evolution.vanish(name)

    line = (await perene.ensure()).json()

    assert line["state"] == "pairing"
    assert "number" not in line
    assert perene.taken("main") == 1


@in_both_dialects
async def test_label_is_what_people_call_line(perene: Perene):
    await perene.ensure(label="Vendas")

    again = (await perene.ensure()).json()
    renamed = (await perene.ensure(label="Vendas 2")).json()

    assert again["label"] == "Vendas"
    assert renamed["label"] == "Vendas 2"
    assert (await perene.call("GET", "/instances/default")).json()["label"] == "Vendas 2"


async def test_label_survives_failed_ensure(on_2: Perene):
    await on_2.pair()
    on_2.evolution.faults.turn_on("error_500_before")

    failed = await on_2.ensure(label="Loja")

    assert failed.status_code == 502
    assert (await on_2.call("GET", "/instances/default")).json()["label"] == "Loja"


@in_both_dialects
async def test_plan_limits_lines(perene: Perene):
    refused = await perene.ensure(line="vendas")
    perene.write("tenants/acme", tenant="acme", max_lines=2)
    allowed = await perene.ensure(line="vendas")
    default = await perene.ensure()
    third = await perene.ensure(line="suporte")

    answers = (refused, allowed, default, third)
    assert [answer.status_code for answer in answers] == [409, 200, 200, 409]
    assert refused.json()["type"] == "urn:perene:problem:maximum-lines-reached"
    assert sorted(perene.evolution.names()) == [name_of("acme"), name_of("acme", "vendas")]


@in_each("status", ["suspended", "cancelled"])
async def test_barred_tenant_is_refused(perene: Perene, status: str):
    perene.write("tenants/acme", tenant="acme", status=status)

    answer = await perene.ensure()

    assert answer.status_code == 403
    assert answer.json()["type"] == f"urn:perene:problem:tenant-{status}"
    assert perene.evolution.names() == []


@in_both_dialects
async def test_unregistered_tenants_are_refused(perene: Perene):
    perene.set(TENANTS_ON_FIRST_USE="false")

    answer = await perene.ensure()

    assert answer.json()["type"] == "urn:perene:problem:tenant-unknown"
    assert perene.documents("tenants") == {}


def creates(perene: Perene) -> list[object]:
    """The creates that reached the server."""
    return [call for call in perene.evolution.calls if call.path == "/instance/create"]


async def stuck_create(perene: Perene) -> None:
    """A create went out, had no effect, and nobody ever answered it."""
    perene.evolution.faults.turn_on("no_answer_before", route="create", seconds=0.05, count=1)
    answer = await perene.ensure()
    assert answer.status_code == 202, answer.text
