"""Signing in, finding one's way, and every state that isn't a view's own."""

import json
import re

import pytest
from playwright.async_api import expect

from tests.console.browser import LOOKS, Look
from tests.console.conftest import Stack, Visit

pytestmark = pytest.mark.anyio
DESKTOP, PHONE = LOOKS[0], LOOKS[1]


# Signing in ----------------------------------------------------------------------------------


async def test_somebody_signs_in_and_is_where_they_wanted_to_be(visit: Visit, look: Look):
    tab = await visit("/lines?x=1", look)
    enter = tab.page.get_by_role("button", name=await tab.say("shell.door.enter"))
    await expect(enter).to_be_visible()
    await tab.good("sign-in")

    await enter.click()
    await tab.page.get_by_role("button", name="Padaria Aurora").click()

    heading = tab.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Linhas" if look.language == "pt-BR" else "Lines")
    assert tab.path == "/lines?x=1"
    await tab.page.reload()
    await expect(heading).to_be_visible()


async def test_the_local_stacks_own_sign_in_is_accessible_too(visit: Visit, look: Look):
    tab = await visit("/", look)
    await tab.page.get_by_role("button", name=await tab.say("shell.door.enter")).click()
    await expect(tab.page.get_by_role("button", name="Olívia")).to_be_visible()

    await tab.good("demo-sign-in")


async def test_somebody_who_leaves_is_out_after_a_reload_too(visit: Visit):
    tab = await visit("/lines", DESKTOP)
    enter = tab.page.get_by_role("button", name="Entrar")
    await enter.click()
    await tab.page.get_by_role("button", name="Padaria Aurora").click()
    await tab.page.locator("summary").click()
    await tab.page.get_by_role("button", name="Sair").click()

    await expect(enter).to_be_visible()
    await tab.page.reload()
    await expect(enter).to_be_visible()
    assert await tab.page.evaluate("sessionStorage.getItem('perene.tokens')") is None


async def test_an_answer_that_nobody_asked_for_signs_nobody_in(visit: Visit):
    tab = await visit("/signed-in?code=stolen&state=forged", DESKTOP)

    await expect(tab.page.get_by_text("A entrada não deu certo")).to_be_visible()
    assert await tab.page.evaluate("sessionStorage.getItem('perene.tokens')") is None


async def test_an_answer_that_nobody_asked_for_leaves_who_is_signed_in_alone(
    visit: Visit, tenant: str
):
    tab = await visit("/lines", DESKTOP, tenant)
    heading = tab.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Linhas")
    before = await tab.page.evaluate("sessionStorage.getItem('perene.tokens')")

    await tab.page.goto(f"{tab.origin}/console/signed-in?code=stolen&state=forged")

    await expect(heading).to_have_text("Conversas")
    assert tab.path == "/conversations"
    assert await tab.page.evaluate("sessionStorage.getItem('perene.tokens')") == before


async def test_a_stale_answer_leads_who_is_signed_in_to_where_they_were(visit: Visit, tenant: str):
    tab = await visit("/lines", DESKTOP, tenant)
    heading = tab.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Linhas")
    asked = {"verifier": "v", "state": "of-now", "nonce": "n", "back": "/lines?x=1"}
    await tab.page.evaluate(
        "(asked) => sessionStorage.setItem('perene.asked', JSON.stringify(asked))", asked
    )

    await tab.page.goto(f"{tab.origin}/console/signed-in?code=old&state=of-before")

    await expect(heading).to_have_text("Linhas")
    assert tab.path == "/lines?x=1"


async def test_a_refresh_token_keeps_the_session_when_the_token_is_too_old(visit: Visit):
    tab = await visit("/lines", DESKTOP)
    await tab.page.get_by_role("button", name="Entrar").click()
    await tab.page.get_by_role("button", name="Padaria Aurora").click()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Linhas")
    before = await tab.page.evaluate(
        """() => { const kept = JSON.parse(sessionStorage.getItem('perene.tokens'));
            sessionStorage.setItem('perene.tokens', JSON.stringify({...kept, expires: 1}));
            return kept.refresh; }"""
    )

    await tab.page.reload()

    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Linhas")
    after = await tab.page.evaluate("JSON.parse(sessionStorage.getItem('perene.tokens')).refresh")
    assert after != before


async def test_an_expired_session_is_one_click_from_where_one_was(
    visit: Visit, look: Look, tenant: str
):
    tab = await visit("/lines?state=open", look, tenant, seconds=20)
    again = tab.page.get_by_role("button", name=await tab.say("shell.expired.enter"))
    await expect(again).to_be_visible()
    await tab.good("expired")

    await again.click()
    await tab.page.get_by_role("button", name="Padaria Aurora").click()

    await expect(tab.page.locator(".place[aria-current=page]")).to_be_visible()
    assert tab.path == "/lines?state=open"


async def test_a_token_that_the_functions_refuse_ends_the_session(visit: Visit, tenant: str):
    tab = await visit("/lines", DESKTOP, tenant)
    tab.forgive("401")
    await tab.page.route("**/instances", lambda route: route.fulfill(
        status=401, json={"type": "urn:perene:problem:token-invalid", "title": "x", "status": 401}
    ))  # fmt: skip

    kind = await tab.page.evaluate(
        """async () => {
            const app = document.querySelector('script[type=module]').src;
            const { api } = await import(new URL('api.js', app));
            return api.get('instances').catch((error) => error.kind);
        }"""
    )

    assert kind == "expired"
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Sua sessão expirou")


# Finding one's way ---------------------------------------------------------------------------


async def test_an_operator_finds_the_fleet_and_a_tenant_does_not(visit: Visit, look: Look):
    tenants = await visit("/", look, "acme")
    fleet = await tenants.say("shell.views.fleet")
    navigation = tenants.page.get_by_role("navigation")
    await expect(navigation.get_by_role("link")).to_have_count(2)
    await expect(navigation.get_by_role("link", name=fleet)).to_have_count(0)
    assert tenants.path == "/conversations"

    operators = await visit("/", look, "operator", operator=True)
    await expect(operators.page.get_by_role("heading", level=1)).to_have_text(fleet)
    assert operators.path == "/fleet"


@pytest.mark.parametrize("view", ["fleet", "lines", "conversations"])
async def test_every_view_has_an_address_and_a_name(visit: Visit, look: Look, view: str):
    tab = await visit(f"/{view}", look, "operator", operator=True)

    name = await tab.say(f"shell.views.{view}")
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text(name)
    await expect(tab.page.locator(".place[aria-current=page]")).to_have_text(name)
    await expect(tab.page).to_have_title(f"{name} · Perene")
    await tab.good()


async def test_the_navigation_changes_the_address_and_back_goes_back(visit: Visit, look: Look):
    tab = await visit("/conversations", look, "acme")
    lines, inbox = await tab.say("shell.views.lines"), await tab.say("shell.views.conversations")
    heading = tab.page.get_by_role("heading", level=1)

    await tab.page.get_by_role("link", name=lines, exact=True).click()
    await expect(heading).to_have_text(lines)
    assert tab.path == "/lines"

    await tab.page.go_back()
    await expect(heading).to_have_text(inbox)
    assert tab.path == "/conversations"


async def test_an_address_that_is_nobodys_says_so_and_leads_home(visit: Visit, look: Look):
    tab = await visit("/fleet", look, "acme")

    heading = tab.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text(await tab.say("shell.notFound.title"))
    await tab.good("not-found")
    await tab.page.get_by_role("link", name=await tab.say("shell.notFound.home")).click()
    await expect(heading).to_have_text(await tab.say("shell.views.conversations"))


async def test_the_keyboard_skips_to_the_content(visit: Visit):
    tab = await visit("/lines", DESKTOP, "acme")
    await expect(tab.page.get_by_role("heading", level=1)).to_be_visible()

    await tab.page.keyboard.press("Tab")
    await expect(tab.page.get_by_text("Pular para o conteúdo")).to_be_focused()
    await tab.page.keyboard.press("Enter")

    await expect(tab.page.locator("main")).to_be_focused()


# Language and theme --------------------------------------------------------------------------


async def test_language_and_theme_are_switched_and_remembered(visit: Visit, look: Look):
    tab = await visit("/lines", look, "acme")
    other = "English" if look.language == "pt-BR" else "Português"
    await tab.page.locator("summary").click()
    await tab.good("account")

    await tab.page.get_by_role("button", name=other).click()
    heading = "Lines" if other == "English" else "Linhas"
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text(heading)
    chosen = "light" if look.theme == "dark" else "dark"
    await tab.page.get_by_role("button", name=await tab.say(f"shell.theme.{chosen}")).click()
    await tab.accessible()

    await tab.page.reload()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text(heading)
    html = tab.page.locator("html")
    await expect(html).to_have_attribute("lang", "en" if other == "English" else "pt-BR")
    await expect(html).to_have_attribute("data-theme", chosen)
    ground = await html.evaluate("(html) => getComputedStyle(html).backgroundColor")
    assert (ground == "rgb(15, 20, 18)") == (chosen == "dark")


# Trouble -------------------------------------------------------------------------------------


async def test_who_is_offline_is_told_and_told_when_it_is_over(visit: Visit, look: Look):
    tab = await visit("/lines", look, "acme")
    await expect(tab.page.get_by_text(await tab.say("lines.empty.title"))).to_be_visible()

    await tab.page.context.set_offline(True)
    banner = tab.page.get_by_text(await tab.say("shell.connection.offline"))
    await expect(banner).to_be_visible()
    await tab.good("offline")

    await tab.page.context.set_offline(False)
    await expect(banner).to_have_count(0)


async def test_a_console_that_gets_no_configuration_says_so_and_tries_again(
    visit: Visit, look: Look
):
    tab = await visit("/lines", look)
    tab.forgive("config.json|ERR_FAILED")
    await tab.page.route("**/config.json", lambda route: route.abort())
    await tab.page.reload()
    title = "A Perene não responde" if look.language == "pt-BR" else "Perene doesn't answer"
    await expect(tab.page.get_by_role("heading", name=title)).to_be_visible()
    await tab.good("unreachable")

    await tab.page.unroute("**/config.json")
    await tab.page.get_by_role("button", name=await tab.say("shell.tryAgain")).click()

    await expect(
        tab.page.get_by_role("button", name=await tab.say("shell.door.enter"))
    ).to_be_visible()


async def test_a_deployment_without_sign_in_says_what_to_set(visit: Visit, look: Look):
    tab = await visit("/lines", look)
    missing = {"api": "../", "missing": ["CONSOLE_CLIENT_ID"], "tenant_claim": "sub"}
    await tab.page.route("**/config.json", lambda route: route.fulfill(json=missing))
    await tab.page.reload()

    await expect(tab.page.get_by_text("CONSOLE_CLIENT_ID")).to_be_visible()
    await tab.good("unconfigured")


async def test_a_view_that_can_not_be_loaded_says_so(visit: Visit, look: Look):
    tab = await visit("/lines", look, "acme")
    tab.forgive("views/inbox|ERR_FAILED|Failed to fetch dynamically")
    await tab.page.route("**/views/inbox/*", lambda route: route.abort())
    await tab.page.get_by_role(
        "link", name=await tab.say("shell.views.conversations"), exact=True
    ).click()

    await expect(tab.page.get_by_text(await tab.say("shell.part.title"))).to_be_visible()
    await tab.good("part-failed")


async def test_the_policy_stops_what_is_not_ours(visit: Visit, stack: Stack):
    tab = await visit("/lines", DESKTOP, "acme")
    tab.forgive("Content.Security.Policy|requires .Trusted(HTML|Script)")
    await expect(tab.page.get_by_role("heading", level=1)).to_be_visible()

    ran = await tab.page.evaluate(
        """async () => {
            const script = document.createElement('script');
            try { script.textContent = 'window.ran = true'; } catch {}
            document.head.append(script);
            try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="ran = true">');
            } catch {}
            const elsewhere = await fetch('https://example.com/').then(() => true, () => false);
            return Boolean(window.ran) || elsewhere;
        }"""
    )

    assert ran is False
    assert any(re.search("Content.Security.Policy", trouble) for trouble in tab.troubles)


# A browser that several people use -----------------------------------------------------------


async def test_nothing_that_somebody_wrote_stays_when_they_leave(visit: Visit):
    tab = await visit("/lines", DESKTOP)
    await tab.page.get_by_role("button", name="Entrar").click()
    await tab.page.get_by_role("button", name="Padaria Aurora").click()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Linhas")
    await tab.page.evaluate("localStorage.setItem('perene.draft.x', '{\"text\": \"segredo\"}')")
    await tab.page.evaluate("sessionStorage.setItem('perene.outbox', '[]')")

    await tab.page.locator("summary").click()
    await tab.page.get_by_role("button", name="Sair").click()
    await expect(tab.page.get_by_role("button", name="Entrar")).to_be_visible()

    left = await tab.page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    assert {name for name in left if name.startswith("perene.")} <= {
        "perene.language",
        "perene.theme",
    }


async def test_what_one_person_wrote_is_not_the_next_persons(visit: Visit, stack: Stack):
    tab = await visit("/lines", DESKTOP, "somebody")
    await expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
    await tab.page.evaluate("localStorage.setItem('perene.draft.x', '{\"text\": \"segredo\"}')")
    token = stack.token("somebody-else")
    kept = {"access": token, "id": token, "expires": 4_000_000_000}
    await tab.page.evaluate(
        "(kept) => sessionStorage.setItem('perene.tokens', JSON.stringify(kept))", kept
    )

    await tab.page.reload()

    await expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
    assert await tab.page.evaluate("localStorage.getItem('perene.draft.x')") is None


async def test_who_leaves_in_one_tab_has_left_in_all(visit: Visit):
    tab = await visit("/lines", DESKTOP)
    await tab.page.get_by_role("button", name="Entrar").click()
    await tab.page.get_by_role("button", name="Padaria Aurora").click()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Linhas")
    kept = await tab.page.evaluate("sessionStorage.getItem('perene.tokens')")
    other = await tab.page.context.new_page()
    await other.add_init_script(
        f"if (!sessionStorage.length) sessionStorage.setItem('perene.tokens', {json.dumps(kept)})"
    )
    await other.goto(tab.page.url)
    await expect(other.get_by_role("heading", level=1)).to_have_text("Linhas")
    await other.evaluate("sessionStorage.setItem('perene.seen', '1')")

    await tab.page.locator("summary").click()
    await tab.page.get_by_role("button", name="Sair").click()

    await expect(tab.page.get_by_role("button", name="Entrar")).to_be_visible()
    await expect(other.get_by_role("heading", name="Linhas")).to_have_count(0)


async def test_what_breaks_in_a_view_leaves_the_frame_whole(visit: Visit, tenant: str):
    tab = await visit("/connect", DESKTOP, tenant)
    tab.forgive("error")
    odd = {"lines": [{"line": "x", "label": "X", "state": "open", "since": "x"}], "max_lines": 1}
    await tab.page.route(f"{tab.origin}/instances", lambda route: route.fulfill(json=odd))

    await tab.go("/lines")

    await expect(tab.page.get_by_text(await tab.say("shell.broken.title")).first).to_be_visible()
    await expect(tab.page.get_by_role("navigation")).to_be_visible()
    await tab.page.get_by_role("link", name="Conversas").click()
    await expect(tab.page.get_by_role("heading", level=1)).to_have_text("Conversas")
