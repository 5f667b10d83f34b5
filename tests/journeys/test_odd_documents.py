"""Documents that an operator wrote by hand, or deleted, lock nobody out."""

from typing import Any

import pytest

from tests.perene import Perene

NUMBER = "5511999990001"

TENANTS: dict[str, dict[str, Any]] = {
    "only a status": {"status": "active"},
    "only a plan": {"max_lines": 2},
    "a plan above the limit": {"tenant": "acme", "max_lines": 500},
    "no lines at all": {"tenant": "acme", "lines": None},
}


@pytest.mark.parametrize("case", TENANTS)
async def test_a_tenant_that_was_written_by_hand_gets_its_line(perene: Perene, case: str):
    perene.write("tenants/acme", **TENANTS[case])

    assert (await perene.ensure()).status_code == 200


async def test_a_tenant_whose_document_was_deleted_can_release_and_begin_anew(perene: Perene):
    await perene.pair()
    perene.database.document("tenants/acme").delete()

    released = await perene.call("DELETE", "/instances/default")

    assert released.status_code == 204
    assert (await perene.ensure()).status_code == 200


@pytest.mark.parametrize("claim", [{}, {"instance": 5}, {"instance": "a/b"}, {"instance": "__x__"}])
async def test_a_broken_claim_does_not_keep_a_number_from_a_line(
    perene: Perene, claim: dict[str, Any]
):
    perene.database.document(f"numbers/{NUMBER}").set(claim)

    await perene.pair(number=NUMBER)

    assert (await perene.ensure()).json()["number"] == NUMBER


async def test_a_negative_count_does_not_let_a_server_take_more_than_its_limit(on_2: Perene):
    on_2.set(
        EVOLUTION_SERVERS='[{"id": "main", "url": "http://main.test", "api_key": "key-of-main",'
        ' "instance_max": 1}]'
    )
    on_2.write("servers/main", reserved=-1)

    answers = [await on_2.ensure(f"tenant-{number}") for number in range(2)]

    assert [answer.status_code for answer in answers] == [200, 503]
