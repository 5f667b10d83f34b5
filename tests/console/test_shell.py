"""Sign in, find one's way, and see every state that isn't a view's own."""

import json
import re

import pytest
from playwright.async_api import Locator, expect

from tests.console.browser import DESKTOP, ENGLISH, PHONE, Refusal, Tab
from tests.console.conftest import Stack, Visit

pytestmark = pytest.mark.anyio
GROUND = "(html) => getComputedStyle(html).backgroundColor"
DARK = "rgb(15, 20, 18)"
TOKENS = "sessionStorage.getItem('perene.tokens')"


# Signing in ----------------------------------------------------------------------------------


async def test_sign_in_leads_back(visit: Visit):
    tab = await visit("/lines?x=1")
    enter = tab.page.get_by_role("button", name=await tab.say("shell.door.enter"))
    await expect(enter).to_be_visible()
    await tab.check_looks("sign-in")

    await enter.click()
    await expect(tab.page.get_by_role("button", name="Olívia")).to_be_visible()
    await tab.check_looks("demo-sign-in")
    await tab.page.get_by_role("button", name="Padaria Aurora").click()

    await expect(heading(tab)).to_have_text("Linhas")
    assert tab.path == "/lines?x=1"
    await tab.page.reload()
    await expect(heading(tab)).to_be_visible()


def heading(tab: Tab) -> Locator:
    return tab.page.get_by_role("heading", level=1)


async def enter_lines(visit: Visit) -> Tab:
    """Sign in through the local issuer, as the customer of the demonstration."""
    tab = await visit("/lines")
    await tab.page.get_by_role("button", name="Entrar").click()
    await tab.page.get_by_role("button", name="Padaria Aurora").click()
    await expect(heading(tab)).to_have_text("Linhas")
    return tab


async def leave(tab: Tab) -> None:
    """Sign out by the account's menu."""
    await tab.page.locator("summary").click()
    await tab.page.get_by_role("button", name="Sair").click()
    await expect(tab.page.get_by_role("button", name="Entrar")).to_be_visible()


async def test_leaving_survives_a_reload(visit: Visit):
    tab = await enter_lines(visit)

    await leave(tab)

    await tab.page.reload()
    await expect(tab.page.get_by_role("button", name="Entrar")).to_be_visible()
    assert await tab.page.evaluate(TOKENS) is None


async def test_forged_answer_signs_nobody_in(visit: Visit):
    tab = await visit("/signed-in?code=stolen&state=forged", DESKTOP)

    await expect(tab.page.get_by_text("A entrada não deu certo")).to_be_visible()
    assert await tab.page.evaluate(TOKENS) is None


async def test_forged_answer_ends_no_session(visit: Visit, tenant: str):
    tab = await visit("/lines", DESKTOP, tenant)
    await expect(heading(tab)).to_have_text("Linhas")
    before = await tab.page.evaluate(TOKENS)

    await tab.page.goto(f"{tab.origin}/console/signed-in?code=stolen&state=forged")

    await expect(heading(tab)).to_have_text("Conversas")
    assert tab.path == "/conversations"
    assert await tab.page.evaluate(TOKENS) == before


async def test_stale_answer_leads_back(visit: Visit, tenant: str):
    tab = await visit("/lines", DESKTOP, tenant)
    await expect(heading(tab)).to_have_text("Linhas")
    attempt = {"verifier": "v", "state": "of-now", "nonce": "n", "back": "/lines?x=1"}
    await tab.page.evaluate(
        "(attempt) => sessionStorage.setItem('perene.asked', JSON.stringify(attempt))", attempt
    )

    await tab.page.goto(f"{tab.origin}/console/signed-in?code=old&state=of-before")

    await expect(heading(tab)).to_have_text("Linhas")
    assert tab.path == "/lines?x=1"


async def test_refresh_token_keeps_the_session(visit: Visit):
    tab = await enter_lines(visit)
    before = await tab.page.evaluate(
        """() => { const tokens = JSON.parse(sessionStorage.getItem('perene.tokens'));
            sessionStorage.setItem('perene.tokens', JSON.stringify({...tokens, expires: 1}));
            return tokens.refresh; }"""
    )

    await tab.page.reload()

    await expect(heading(tab)).to_have_text("Linhas")
    after = await tab.page.evaluate("JSON.parse(sessionStorage.getItem('perene.tokens')).refresh")
    assert after != before


async def test_expired_session_is_resumed(visit: Visit, tenant: str):
    tab = await visit("/lines?state=open", DESKTOP, tenant, seconds=20)
    again = tab.page.get_by_role("button", name=await tab.say("shell.expired.enter"))
    await expect(again).to_be_visible()
    await tab.check_looks("expired")

    await again.click()
    await tab.page.get_by_role("button", name="Padaria Aurora").click()

    await expect(tab.page.locator(".place[aria-current=page]")).to_be_visible()
    assert tab.path == "/lines?state=open"


async def test_refused_token_ends_the_session(visit: Visit, tenant: str):
    tab = await visit("/lines", DESKTOP, tenant)
    tab.forgive("401")
    await tab.answer("/instances", Refusal("token-invalid", 401))

    kind = await tab.page.evaluate(
        """async () => {
            const app = document.querySelector('script[type=module]').src;
            const { api } = (await import(app)).$modules['api.js'];
            return api.get('instances').catch((error) => error.kind);
        }"""
    )

    assert kind == "expired"
    await expect(heading(tab)).to_have_text("Sua sessão expirou")


# Finding one's way ---------------------------------------------------------------------------


async def test_only_operators_find_the_fleet(visit: Visit):
    tenants = await visit("/", DESKTOP, "acme")
    navigation = tenants.page.get_by_role("navigation")
    await expect(navigation.get_by_role("link")).to_have_count(3)
    await expect(navigation.get_by_role("link", name="Frota")).to_have_count(0)
    assert tenants.path == "/conversations"

    operators = await visit("/", DESKTOP, "operator", operator=True)
    await expect(heading(operators)).to_have_text("Frota")
    assert operators.path == "/fleet"


async def test_view_has_address_and_name(visit: Visit, subtests: pytest.Subtests):
    tab = await visit("/", DESKTOP, "operator", operator=True)

    for view in ("fleet", "lines", "conversations"):
        with subtests.test(view):
            await tab.go(f"/{view}")
            name = await tab.say(f"shell.views.{view}")
            await expect(heading(tab)).to_have_text(name)
            await expect(tab.page.locator(".place[aria-current=page]")).to_have_text(name)
            await expect(tab.page).to_have_title(f"{name} · Perene")
            await tab.check_looks()


async def test_navigation_and_back_change_the_address(visit: Visit):
    tab = await visit("/conversations", PHONE, "acme")
    lines, inbox = await tab.say("shell.views.lines"), await tab.say("shell.views.conversations")

    await tab.page.get_by_role("link", name=lines, exact=True).click()
    await expect(heading(tab)).to_have_text(lines)
    assert tab.path == "/lines"

    await tab.page.go_back()
    await expect(heading(tab)).to_have_text(inbox)
    assert tab.path == "/conversations"


async def test_unknown_address_leads_home(visit: Visit):
    tab = await visit("/fleet", DESKTOP, "acme")

    await expect(heading(tab)).to_have_text(await tab.say("shell.notFound.title"))
    await tab.check_looks("not-found")
    await tab.page.get_by_role("link", name=await tab.say("shell.notFound.home")).click()
    await expect(heading(tab)).to_have_text(await tab.say("shell.views.conversations"))


async def test_page_names_the_agency(visit: Visit, stack: Stack):
    config = stack.http.get(f"{stack.origin}/console/config.json").json()
    brand = {"name": "Agência Ipê"}
    suspended = Refusal("tenant-suspended", 403)
    answers = {"/console/config.json": config | {"brand": brand}, "/instances*": suspended}

    tab = await visit("/lines", DESKTOP, "acme", answers=answers)

    tab.forgive("403")
    await expect(tab.page.locator(".rail .brand")).to_have_text(brand["name"])
    await expect(tab.page).to_have_title("Linhas · Agência Ipê")
    text = await tab.say("shell.shut.tenant-suspended.text", who=brand["name"])
    await expect(tab.page.get_by_text(text)).to_be_visible()
    await tab.check_access()


async def test_keyboard_skips_to_the_content(visit: Visit):
    tab = await visit("/lines", DESKTOP, "acme")
    await expect(heading(tab)).to_be_visible()

    await tab.page.keyboard.press("Tab")
    await expect(tab.page.get_by_text("Pular para o conteúdo")).to_be_focused()
    await tab.page.keyboard.press("Enter")

    await expect(tab.page.locator("main")).to_be_focused()


# Language and theme --------------------------------------------------------------------------


async def test_language_and_theme_are_remembered(visit: Visit):
    tab = await visit("/lines", ENGLISH, "acme")
    await tab.page.locator("summary").click()
    await tab.check_looks("account")

    await tab.page.get_by_role("button", name="Português").click()
    await expect(heading(tab)).to_have_text("Linhas")
    await tab.page.get_by_role("button", name=await tab.say("shell.theme.light")).click()
    await tab.check_access()
    await tab.page.reload()

    html = tab.page.locator("html")
    await expect(heading(tab)).to_have_text("Linhas")
    await expect(html).to_have_attribute("lang", "pt-BR")
    await expect(html).to_have_attribute("data-theme", "light")
    assert await html.evaluate(GROUND) != DARK
    await tab.page.locator("summary").click()
    await tab.page.get_by_role("button", name=await tab.say("shell.theme.dark")).click()
    await tab.check_access()
    await tab.page.emulate_media(color_scheme="light")
    await tab.page.reload()

    await expect(html).to_have_attribute("data-theme", "dark")
    assert await html.evaluate(GROUND) == DARK


# Trouble -------------------------------------------------------------------------------------


async def test_offline_banner_comes_and_goes(visit: Visit):
    tab = await visit("/lines", DESKTOP, "acme")
    await expect(tab.page.get_by_text(await tab.say("lines.empty.title"))).to_be_visible()

    await tab.page.context.set_offline(True)
    banner = tab.page.get_by_text(await tab.say("shell.connection.offline"))
    await expect(banner).to_be_visible()
    await tab.check_access()

    await tab.page.context.set_offline(False)
    await expect(banner).to_have_count(0)


async def test_unreachable_console_tries_again(visit: Visit):
    tab = await visit("/lines")
    tab.forgive("config.json|ERR_FAILED")
    await tab.page.route("**/config.json", lambda route: route.abort())
    await tab.page.reload()
    await expect(heading(tab)).to_have_text("A Perene não responde")
    await tab.check_looks("unreachable")

    await tab.page.unroute("**/config.json")
    await tab.page.get_by_role("button", name=await tab.say("shell.tryAgain")).click()

    await expect(
        tab.page.get_by_role("button", name=await tab.say("shell.door.enter"))
    ).to_be_visible()


async def test_unconfigured_sign_in_says_so(visit: Visit):
    config = {"api": "../", "missing": ["CONSOLE_CLIENT_ID"], "tenant_claim": "sub"}
    tab = await visit("/lines", answers={"/console/config.json": config})

    await expect(tab.page.get_by_text("CONSOLE_CLIENT_ID")).to_be_visible()
    await tab.check_looks("unconfigured")


async def test_unloadable_view_says_so(visit: Visit):
    tab = await visit("/lines", DESKTOP, "acme")
    tab.forgive("views/inbox|ERR_FAILED|Failed to fetch dynamically")
    await tab.page.route("**/views/inbox/*", lambda route: route.abort())
    await tab.page.get_by_role(
        "link", name=await tab.say("shell.views.conversations"), exact=True
    ).click()

    await expect(tab.page.get_by_text(await tab.say("shell.part.title"))).to_be_visible()
    await tab.check_looks("part-failed")


async def test_policy_stops_foreign_code(visit: Visit):
    tab = await visit("/lines", DESKTOP, "acme")
    tab.forgive("Content.Security.Policy|requires .Trusted(HTML|Script)")
    await expect(heading(tab)).to_be_visible()

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


async def test_leaving_removes_drafts_and_outbox(visit: Visit):
    tab = await enter_lines(visit)
    await tab.page.evaluate("localStorage.setItem('perene.draft.x', '{\"text\": \"segredo\"}')")
    await tab.page.evaluate("sessionStorage.setItem('perene.outbox', '[]')")

    await leave(tab)

    names = await tab.page.evaluate(
        "[...Object.keys(localStorage), ...Object.keys(sessionStorage)]"
    )
    assert {name for name in names if name.startswith("perene.")} <= {
        "perene.language",
        "perene.theme",
    }


async def test_drafts_are_not_the_next_persons(visit: Visit, stack: Stack):
    tab = await visit("/lines", DESKTOP, "somebody")
    await expect(heading(tab)).to_be_visible()
    await tab.page.evaluate("localStorage.setItem('perene.draft.x', '{\"text\": \"segredo\"}')")
    token = stack.token("somebody-else")
    tokens = {"access": token, "id": token, "expires": 4_000_000_000}
    await tab.page.evaluate(
        "(tokens) => sessionStorage.setItem('perene.tokens', JSON.stringify(tokens))", tokens
    )

    await tab.page.reload()

    await expect(heading(tab)).to_be_visible()
    assert await tab.page.evaluate("localStorage.getItem('perene.draft.x')") is None


async def test_leaving_one_tab_leaves_all(visit: Visit):
    tab = await enter_lines(visit)
    tokens = await tab.page.evaluate(TOKENS)
    other = await tab.page.context.new_page()
    await other.add_init_script(
        f"if (!sessionStorage.length) sessionStorage.setItem('perene.tokens', {json.dumps(tokens)})"
    )
    await other.goto(tab.page.url)
    await expect(other.get_by_role("heading", level=1)).to_have_text("Linhas")
    await other.evaluate("sessionStorage.setItem('perene.seen', '1')")

    await leave(tab)

    await expect(other.get_by_role("heading", name="Linhas")).to_have_count(0)


async def test_broken_view_leaves_the_frame_whole(visit: Visit, tenant: str):
    line = {"line": "x", "label": "X", "state": "open", "since": "x"}
    answers = {"/instances": {"lines": [line], "max_lines": 1}}
    tab = await visit("/lines", DESKTOP, tenant, answers=answers)
    tab.forgive("error")

    await expect(tab.page.get_by_text(await tab.say("shell.broken.title")).first).to_be_visible()
    await expect(
        tab.page.get_by_role("navigation", name=await tab.say("shell.navigation"))
    ).to_be_visible()
    await tab.page.get_by_role("link", name="Conversas").click()
    await expect(heading(tab)).to_have_text("Conversas")
