"""What a line or a server suffers from is said in words, and with what helps."""

import pytest
from playwright.async_api import expect

from shared.domain.fleet.incidents import Cause
from shared.domain.instances import Reason
from tests.console.browser import LOOKS
from tests.console.conftest import Stack, Visit
from tests.console.test_fleet import fleet_is, troubled
from tests.console.test_lines import a_number, paired, press, sees
from tests.console.test_words import dictionary
from tests.perene import name_of

pytestmark = pytest.mark.anyio
DESKTOP = LOOKS[0]


@pytest.mark.parametrize("language", ["pt", "en"])
async def test_every_cause_and_reason_has_words(visit: Visit, language: str):
    said = await dictionary(await visit("/"), "fleet", language)

    assert said["causes"].keys() == {cause.value for cause in Cause}
    assert said["reasons"].keys() == {reason.value for reason in Reason}


async def test_blocked_number_is_not_said_to_be_unlinked(visit: Visit, stack: Stack, tenant: str):
    paired(stack, tenant, a_number()[0])
    stack.simulate(f"instances/{name_of(tenant)}/block", code=402)

    tab = await visit("/lines", DESKTOP, tenant)

    await sees(tab, "lines.states.closed")
    await sees(tab, "lines.reasons.closed.banned")


async def test_number_that_is_blocked_while_it_is_connected_says_so(
    visit: Visit, stack: Stack, tenant: str
):
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    tab = await visit("/lines", DESKTOP, tenant)
    closed = {**(stack.call("GET", "/instances/default", tenant).json()), "code": None}
    closed |= {"state": "closed", "reason": "banned"}
    await tab.page.route("**/instances/default", lambda route: route.fulfill(json=closed))

    await press(tab, "lines.connect")

    await sees(tab, "lines.pairing.banned")
    await tab.good("lines-banned")


async def test_server_without_a_licence_says_where_it_is_activated(visit: Visit):
    tab = await visit("/fleet", DESKTOP, "operator", operator=True)

    def change(said):
        troubled("server_not_licensed", severity="critical")(said)
        said["attention"][0]["address"] = "https://main.test/manager"

    await fleet_is(tab, change)

    trouble = tab.page.locator(".fleet-trouble")
    await expect(trouble).to_have_count(1)
    where = {"subject": "main", "address": "https://main.test/manager"}
    said = await tab.say("fleet.causes.server_not_licensed", **where)
    await expect(trouble).to_contain_text(said)
    await expect(trouble.locator("a")).to_have_count(1)
