"""Say in words what a line or a server suffers from, and what helps."""

from typing import get_args

import pytest
from playwright.async_api import expect

from shared.domain.endpoints import DisabledReason
from shared.domain.events import LetterReason
from shared.domain.fleet.incidents import Cause
from shared.domain.instances import Reason
from shared.domain.media_state import MediaLoss
from shared.outbound.endpoint_views import Condition
from tests.console.browser import DESKTOP
from tests.console.conftest import Stack, Visit
from tests.console.test_fleet import add_incidents, open_fleet
from tests.console.test_lines import a_number, expect_words, pair, press, wait_for_state
from tests.console.test_words import read_dictionary
from tests.perene import name_of

pytestmark = pytest.mark.anyio


async def test_causes_and_reasons_have_words(visit: Visit, subtests: pytest.Subtests):
    tab = await visit("/")

    for language in ("pt", "en"):
        with subtests.test(language):
            words = await read_dictionary(tab, "fleet", language)
            assert words["causes"].keys() == {cause.value for cause in Cause}
            assert words["reasons"].keys() == {reason.value for reason in Reason}
            words = await read_dictionary(tab, "operator", language)
            assert words["letters"]["reasons"].keys() == set(get_args(LetterReason))
            assert words["endpoints"]["conditions"].keys() == set(get_args(Condition))
            assert words["endpoints"]["reasons"].keys() == {
                reason.value for reason in DisabledReason
            }
            words = await read_dictionary(tab, "inbox", language)
            assert words["media"]["lost"].keys() == {loss.value for loss in MediaLoss}


async def test_blocked_number_says_so(visit: Visit, stack: Stack, tenant: str):
    pair(stack, tenant, a_number()[0])
    stack.simulate(f"instances/{name_of(tenant)}/block", code=402)
    wait_for_state(stack, tenant, "closed")

    tab = await visit("/lines", DESKTOP, tenant)

    await expect_words(tab, "lines.states.closed")
    await expect_words(tab, "lines.reasons.closed.banned")


async def test_number_blocked_while_pairing_says_so(visit: Visit, stack: Stack, tenant: str):
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    tab = await visit("/lines", DESKTOP, tenant)
    closed = {**(stack.call("GET", "/instances/default", tenant).json()), "code": None}
    closed |= {"state": "closed", "reason": "banned"}
    await tab.answer("/instances/default", closed)

    await press(tab, "lines.connect")

    await expect_words(tab, "lines.pairing.banned")
    await tab.check_looks("lines-banned")


async def test_unlicensed_server_links_its_manager(visit: Visit):
    address = "https://main.test/manager"
    incident = add_incidents("server_not_licensed", severity="critical", address=address)

    tab = await open_fleet(visit, incident)

    line = tab.page.locator(".fleet-trouble")
    await expect(line).to_have_count(1)
    names = {"subject": "main", "address": address}
    await expect(line).to_contain_text(await tab.say("fleet.causes.server_not_licensed", **names))
    await expect(line.locator("a")).to_have_count(1)
