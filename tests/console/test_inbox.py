"""Conversations: what arrives, how one answers, and what everything looks like."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import pytest
from google.cloud import firestore
from playwright.async_api import Page, Route, expect

from infra.local.emulator import PROJECT
from tests.console.browser import LOOKS, Look
from tests.console.conftest import Stack, Visit
from tests.console.inbox import World

pytestmark = pytest.mark.anyio
DESKTOP, PHONE = LOOKS[0], LOOKS[1]
MARIA, BRUNO = "5521999990001", "5521999990002"
MARKUP = "<img src=x onerror=\"document.title='caught'\"><script>alert(1)</script>"
TURNED = "\u202e"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NEWS_MS = 3_500
"""What is new is there within three seconds, and a little for the machine that tests it."""


@pytest.fixture
def world(stack: Stack, tenant: str) -> World:
    found = World(stack, tenant)
    found.sales = found.line("sales", "Vendas")
    return found


def row(page: Page, name: str) -> Any:
    return page.locator(".inbox .row").filter(has_text=name)


def bubble(page: Page, text: str) -> Any:
    return page.locator(".inbox .message").filter(has_text=text)


def composer(page: Page) -> Any:
    return page.locator(".inbox textarea")


async def aside(do: Callable[..., Any], *given: Any) -> Any:
    """The browser goes on while this waits."""
    return await anyio.to_thread.run_sync(do, *given)


MANY = 10_000


def much_was_said(world: World, conversation: str) -> None:
    """So many messages before the one that is there."""
    client = firestore.Client(project=PROJECT)
    messages = client.collection("tenants", world.tenant, "messages")
    (found,) = list(messages.limit(1).stream())
    known = found.to_dict() or {}
    bulk = client.bulk_writer()
    for at in range(MANY):
        each = {"id": f"OLD{at:05}", "at": known["at"] - (MANY - at) * 60_000}
        each["text"] = f"Mensagem {at}"
        bulk.set(messages.document(f"sales~OLD{at:05}"), {**known, **each})
    bulk.close()
    assert known["conversation"] == conversation


# What is there -------------------------------------------------------------------------------


async def test_nothing_there_yet_says_so(visit: Visit, look: Look, tenant: str):
    tab = await visit("/conversations", look, tenant)

    await expect(tab.page.get_by_text(await tab.say("inbox.empty.title"))).to_be_visible()
    await tab.good("inbox-empty")


async def test_a_message_appears_by_itself_in_the_list_and_in_the_thread(
    visit: Visit, world: World
):
    tab = await visit("/conversations", DESKTOP, world.tenant)
    await expect(tab.page.get_by_text("Nenhuma conversa ainda")).to_be_visible()

    await aside(world.hear, "sales", MARIA, "Bom dia!")
    await expect(row(tab.page, "Maria")).to_contain_text("Bom dia!", timeout=NEWS_MS)
    await expect(row(tab.page, "Maria").locator(".badge")).to_contain_text("1")
    await expect(tab.page).to_have_title(re.compile(r"^\(1\) "))
    await row(tab.page, "Maria").click()
    await expect(bubble(tab.page, "Bom dia!")).to_be_visible()
    await aside(world.hear, "sales", MARIA, "Tudo bem?")

    await expect(bubble(tab.page, "Tudo bem?")).to_be_visible(timeout=NEWS_MS)
    await expect(tab.page.get_by_text("Maria: Tudo bem?")).to_be_attached()
    await expect(row(tab.page, "Maria").locator(".badge")).to_have_count(0)
    await expect(tab.page).to_have_title("Conversas · Perene")


async def test_two_lines_are_one_list_and_each_row_says_through_which_number(
    visit: Visit, look: Look, world: World
):
    support = world.line("support", "Suporte")
    world.hear("sales", MARIA, "Quanto custa?")
    world.hear("support", BRUNO, "Não funciona", "Bruno")
    world.conversation(BRUNO)

    tab = await visit("/conversations", look, world.tenant)

    chips = tab.page.locator(".inbox .row .number-chip")
    await expect(chips).to_have_count(2)
    await expect(chips.filter(has_text=f"Vendas · {world.sales}")).to_have_count(1)
    await expect(chips.filter(has_text=f"Suporte · {support}")).to_have_count(1)
    colours = {await chips.nth(at).get_attribute("class") for at in range(2)}
    assert len(colours) == 2
    await tab.good("inbox-list")


async def test_filters_and_search_are_in_the_address(visit: Visit, world: World):
    world.line("support", "Suporte")
    world.hear("sales", MARIA, "Quanto custa?")
    world.hear("support", BRUNO, "Não funciona", "Bruno")
    world.conversation(BRUNO)
    tab = await visit("/conversations", DESKTOP, world.tenant)

    await tab.page.get_by_label("Linha", exact=True).select_option("support")
    await expect(row(tab.page, "Maria")).to_have_count(0)
    await expect(row(tab.page, "Bruno")).to_be_visible()
    assert tab.path.replace("/?", "?") == "/conversations?line=support"
    await tab.page.get_by_role("searchbox").fill("mar")
    await expect(tab.page.get_by_text("Nada encontrado")).to_be_visible()
    await tab.page.get_by_role("button", name="Limpar filtros").click()
    await expect(row(tab.page, "Bruno")).to_be_visible()
    await expect(tab.page.get_by_role("searchbox")).to_have_value("")
    await tab.page.get_by_role("searchbox").fill("mar")
    await expect(row(tab.page, "Bruno")).to_have_count(0)
    await tab.page.wait_for_url("**search=mar")
    await tab.page.reload()

    await expect(row(tab.page, "Maria")).to_be_visible()
    await expect(tab.page.get_by_role("searchbox")).to_have_value("mar")
    assert tab.path.endswith("?search=mar")


async def test_archived_is_out_of_the_list_until_it_is_undone(visit: Visit, world: World):
    world.hear("sales", MARIA, "Oi")
    tab = await visit(f"/conversations/{world.conversation(MARIA)}", DESKTOP, world.tenant)

    await tab.page.get_by_role("button", name="Arquivar", exact=True).click()
    await expect(row(tab.page, "Maria")).to_have_count(0)
    await tab.page.get_by_role("button", name="Desfazer").click()
    await expect(row(tab.page, "Maria")).to_be_visible()


async def test_a_conversation_that_does_not_exist_says_so(visit: Visit, look: Look, tenant: str):
    tab = await visit("/conversations/c" + "a" * 25, look, tenant)
    tab.forgive("404")

    await expect(tab.page.get_by_text(await tab.say("inbox.absent.title"))).to_be_visible()
    await tab.good("inbox-absent")


async def test_a_list_that_fails_says_so_and_comes_back(visit: Visit, world: World, look: Look):
    world.hear("sales", MARIA, "Oi")
    world.conversation(MARIA)
    tab = await visit("/lines", look, world.tenant)
    tab.forgive("503")

    async def refuse(route: Route) -> None:
        problem = {"type": "urn:perene:problem:store-unavailable", "title": "x", "status": 503}
        await route.fulfill(status=503, json=problem)

    await tab.page.route("**/conversations?*", refuse)
    await tab.go("/conversations")
    down = await tab.say("shell.problems.store-unavailable")
    await expect(tab.page.get_by_text(down)).to_be_visible()
    await tab.unseen()
    await tab.good("inbox-failed")
    await tab.page.unroute("**/conversations?*")
    await tab.page.get_by_role("button", name=await tab.say("shell.tryAgain")).first.click()

    await expect(row(tab.page, "Maria")).to_be_visible()


async def test_arrows_walk_through_the_list_and_escape_leaves_the_thread(
    visit: Visit, world: World
):
    world.hear("sales", MARIA, "Oi")
    world.conversation(MARIA)
    world.hear("sales", BRUNO, "Olá", "Bruno")
    world.conversation(BRUNO)
    tab = await visit("/conversations", DESKTOP, world.tenant)

    await row(tab.page, "Bruno").or_(row(tab.page, "Maria")).first.focus()
    await tab.page.keyboard.press("ArrowDown")
    await tab.page.keyboard.press("Enter")
    await expect(composer(tab.page)).to_be_visible()
    assert tab.path != "/conversations"
    await composer(tab.page).press("Escape")

    await expect(tab.page.get_by_text("Escolha uma conversa")).to_be_visible()


async def test_a_phone_shows_the_list_or_the_thread_and_a_way_back(visit: Visit, world: World):
    world.hear("sales", MARIA, "Oi")
    world.conversation(MARIA)
    tab = await visit("/conversations", PHONE, world.tenant)

    await row(tab.page, "Maria").click()
    await expect(row(tab.page, "Maria")).to_be_hidden()
    await expect(bubble(tab.page, "Oi")).to_be_visible()
    await tab.page.get_by_role("button", name="Voltar às conversas").click()

    await expect(row(tab.page, "Maria")).to_be_visible()


# Saying something ----------------------------------------------------------------------------


async def test_an_answer_goes_out_and_its_ticks_turn(visit: Visit, look: Look, world: World):
    world.hear("sales", MARIA, "Vocês abrem hoje?")
    conversation = world.conversation(MARIA)
    tab = await visit(f"/conversations/{conversation}", look, world.tenant)
    through = await tab.say("inbox.composer.through", number=world.sales)
    await expect(tab.page.get_by_text(f"{through} · Vendas")).to_be_visible()

    await composer(tab.page).fill("Sim,\naté as 18 h")
    await composer(tab.page).press("Enter")

    answer = bubble(tab.page, "até as 18 h")
    await expect(answer).to_have_count(1)
    await expect(answer).to_have_attribute("data-id", re.compile("."))
    await expect(composer(tab.page)).to_have_value("")
    sent = await aside(lambda: world.until(lambda: _ours(world, conversation)))
    for status, word in (("DELIVERY_ACK", "delivered"), ("READ", "read")):
        await aside(world.acknowledge, "sales", sent["id"], status)
        tick = answer.get_by_role("img", name=await tab.say(f"inbox.delivery.{word}"), exact=True)
        await expect(tick).to_be_visible(timeout=NEWS_MS)
    await tab.good("inbox-thread")


def _ours(world: World, conversation: str) -> dict[str, Any] | None:
    return next((each for each in world.messages(conversation) if each["from_me"]), None)


async def test_a_reply_quotes_and_leads_to_what_it_answers(visit: Visit, world: World):
    world.hear("sales", MARIA, "Qual o endereço?")
    tab = await visit(f"/conversations/{world.conversation(MARIA)}", DESKTOP, world.tenant)

    await bubble(tab.page, "Qual o endereço?").hover()
    await tab.page.get_by_role("button", name="Responder a: Qual o endereço?").click()
    await expect(tab.page.get_by_text("Respondendo a Maria")).to_be_visible()
    await composer(tab.page).press("Escape")
    await expect(tab.page.get_by_text("Respondendo a Maria")).to_have_count(0)
    await tab.page.get_by_role("button", name="Responder a: Qual o endereço?").click()
    await composer(tab.page).fill("Rua das Flores, 10")
    await composer(tab.page).press("Enter")
    quote = tab.page.get_by_role("button", name="Ir para a mensagem respondida")
    await expect(quote).to_contain_text("Qual o endereço?")
    await quote.click()

    original = tab.page.locator(".message.found")
    await expect(original).to_contain_text("Qual o endereço?")


async def test_a_file_goes_out_with_its_caption(visit: Visit, world: World):
    world.hear("sales", MARIA, "Tem o contrato?")
    conversation = world.conversation(MARIA)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    file = {"name": "contrato.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 contrato"}

    await tab.page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]
    await expect(tab.page.locator(".above")).to_contain_text("contrato.pdf")
    await composer(tab.page).fill("Segue")
    await composer(tab.page).press("Enter")

    await expect(bubble(tab.page, "Segue").get_by_text("contrato.pdf")).to_be_visible()
    sent = await aside(lambda: world.until(lambda: _ours(world, conversation)))
    assert (sent["kind"], sent["media"]["name"], sent["text"]) == (
        "document",
        "contrato.pdf",
        "Segue",
    )


async def test_nobody_writes_through_a_line_that_is_disconnected(
    visit: Visit, look: Look, world: World
):
    world.hear("sales", MARIA, "Oi")
    conversation = world.conversation(MARIA)
    world.unpair("sales")

    tab = await visit(f"/conversations/{conversation}", look, world.tenant)

    reason = await tab.say("inbox.mute.closed", line="Vendas")
    await expect(tab.page.get_by_text(reason)).to_be_visible()
    await expect(composer(tab.page)).to_have_count(0)
    await tab.good("inbox-mute")


async def test_an_uncertain_send_is_being_confirmed_until_it_settles_and_is_said_once(
    visit: Visit, world: World
):
    world.hear("sales", MARIA, "Oi")
    conversation = world.conversation(MARIA)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    looked = asyncio.Event()

    async def later(route: Route) -> None:
        await looked.wait()
        await route.continue_()

    posted: list[str] = []
    tab.page.on("request", lambda request: request.method == "POST" and posted.append(request.url))
    await tab.page.route("**/send-message/*", later)
    world.faulty("sales", cut_after={"route": "message/sendText", "count": 1}, webhook_lost={})
    await composer(tab.page).fill("Chegou?")
    await composer(tab.page).press("Enter")
    await expect(bubble(tab.page, "Chegou?").get_by_text("confirmando…")).to_be_visible()
    await tab.accessible()
    await tab.shot("inbox-confirming")
    looked.set()

    await expect(tab.page.get_by_text("confirmando…")).to_have_count(0, timeout=30_000)
    await expect(bubble(tab.page, "Chegou?")).to_have_count(1)
    await expect(bubble(tab.page, "Chegou?")).to_have_attribute("data-id", re.compile("."))
    assert len(posted) == 1
    world.faulty("sales", webhook_lost=None)


async def test_what_was_refused_says_why_and_goes_out_with_the_same_key(visit: Visit, world: World):
    world.hear("sales", MARIA, "Oi")
    tab = await visit(f"/conversations/{world.conversation(MARIA)}", DESKTOP, world.tenant)
    tab.forgive("409|502|503")
    keys: list[str] = []

    async def once(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        problem = {"type": "urn:perene:problem:evolution-unreachable", "title": "x", "status": 503}
        if len(keys) == 1:
            await route.fulfill(status=503, json=problem)
        else:
            await route.continue_()

    await tab.page.route("**/conversations/*/messages", once)
    await composer(tab.page).fill("De novo")
    await composer(tab.page).press("Enter")
    await expect(bubble(tab.page, "O servidor do WhatsApp está fora do ar.")).to_be_visible()
    await tab.good("inbox-refused")
    await tab.page.get_by_role("button", name="Tentar de novo").click()

    await expect(bubble(tab.page, "De novo")).to_have_attribute("data-id", re.compile("."))
    assert keys[0] == keys[1]


async def test_a_draft_outlives_a_reload(visit: Visit, world: World):
    world.hear("sales", MARIA, "Oi")
    tab = await visit(f"/conversations/{world.conversation(MARIA)}", DESKTOP, world.tenant)

    await composer(tab.page).fill("Ainda não terminei")
    await tab.page.reload()

    await expect(composer(tab.page)).to_have_value("Ainda não terminei")


async def test_what_is_sent_too_fast_goes_out_by_itself_a_little_later(visit: Visit, world: World):
    world.hear("sales", MARIA, "Oi")
    tab = await visit(f"/conversations/{world.conversation(MARIA)}", DESKTOP, world.tenant)
    tab.forgive("429")
    keys: list[str] = []
    later = asyncio.Event()

    async def too_fast(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        problem = {"type": "urn:perene:problem:sending-too-fast", "title": "x", "status": 429}
        if len(keys) == 1:
            await route.fulfill(status=429, json=problem, headers={"retry-after": "1"})
        else:
            await later.wait()
            await route.continue_()

    await tab.page.route("**/conversations/*/messages", too_fast)
    await composer(tab.page).fill("Com calma")
    await composer(tab.page).press("Enter")
    answer = bubble(tab.page, "Com calma")
    await expect(answer.get_by_text("Rápido demais")).to_be_visible()
    await expect(answer).to_have_count(1)
    await tab.accessible()
    later.set()

    await expect(answer).to_have_attribute("data-id", re.compile("."))
    await expect(answer).to_have_count(1)
    assert len(keys) == 2
    assert keys[0] == keys[1]


async def test_what_is_written_offline_is_kept_and_goes_out_when_one_is_back(
    visit: Visit, world: World
):
    world.hear("sales", MARIA, "Oi")
    conversation = world.conversation(MARIA)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    tab.forgive("ERR_INTERNET_DISCONNECTED|404")
    await expect(bubble(tab.page, "Oi")).to_be_visible()

    await tab.page.context.set_offline(True)
    await expect(tab.page.get_by_text("Sem conexão. O que você vê")).to_be_visible()
    await expect(bubble(tab.page, "Oi")).to_be_visible()
    await composer(tab.page).fill("Volto já")
    await composer(tab.page).press("Enter")
    answer = bubble(tab.page, "Volto já")
    await expect(answer).to_have_count(1)
    await tab.accessible()
    await tab.page.context.set_offline(False)

    await expect(tab.page.get_by_text("Sem conexão. O que você vê")).to_have_count(0)
    await expect(answer.get_by_text("O pedido não chegou")).to_be_visible(timeout=30_000)
    await answer.get_by_role("button", name="Tentar de novo").click()
    await expect(answer).to_have_attribute("data-id", re.compile("."))
    await expect(answer).to_have_count(1)
    assert len([each for each in world.messages(conversation) if each["from_me"]]) == 1


# Files ---------------------------------------------------------------------------------------


async def test_a_picture_is_shown_once_somebody_opens_it(visit: Visit, look: Look, world: World):
    world.hear_media("sales", MARIA, "image", PIXEL, "image/png")
    tab = await visit(f"/conversations/{world.conversation(MARIA)}", look, world.tenant)
    word = await tab.say("inbox.kinds.image")
    picture = tab.page.locator(".inbox .message").get_by_role("img", name=word)
    await expect(tab.page.locator(".inbox .media .open")).to_be_visible()
    await expect(picture).to_have_count(0)

    await tab.page.locator(".inbox .media .open").click()

    await expect(picture).to_be_visible()
    assert await picture.evaluate("(it) => it.decode().then(() => it.naturalWidth)") == 1
    await tab.good("inbox-media")


async def test_a_file_that_can_not_be_had_any_more_says_so(visit: Visit, world: World):
    world.hear_any("sales", MARIA, {"imageMessage": {"mimetype": "image/png"}})
    tab = await visit(f"/conversations/{world.conversation(MARIA)}", DESKTOP, world.tenant)
    tab.forgive("404")

    await tab.page.locator(".inbox .media .open").click()

    failed = tab.page.locator(".inbox .message").get_by_role("alert")
    await expect(failed).to_contain_text("Não abriu.", timeout=15_000)
    await tab.accessible()


@pytest.mark.parametrize("told", ["text/html", "image/svg+xml", "application/javascript"])
async def test_a_picture_that_is_none_is_only_saved(visit: Visit, world: World, told: str):
    world.hear_any("sales", MARIA, {"imageMessage": {"mimetype": "image/png"}})
    tab = await visit(f"/conversations/{world.conversation(MARIA)}", DESKTOP, world.tenant)
    await tab.page.route("**/media", lambda route: route.fulfill(body=MARKUP, content_type=told))
    await tab.page.evaluate(
        """() => { const real = URL.createObjectURL; window.types = [];
            URL.createObjectURL = (blob) => { types.push(blob.type); return real(blob); }; }"""
    )

    async with tab.page.expect_download():
        await tab.page.locator(".inbox .media .open").click()

    assert await tab.page.evaluate("types") == ["application/octet-stream"]
    await expect(tab.page.locator(".inbox .media img.whole")).to_have_count(0)


# What became of messages ---------------------------------------------------------------------


async def test_what_was_edited_shows_its_history_and_what_was_taken_back_is_gone(
    visit: Visit, world: World
):
    edited = world.hear("sales", MARIA, "Às 9 h")
    gone = world.hear("sales", MARIA, "Segredo")
    conversation = world.conversation(MARIA)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    await expect(bubble(tab.page, "Segredo")).to_be_visible()

    await aside(lambda: world.revise("sales", edited, text="Às 10 h"))
    await aside(world.revise, "sales", gone)

    await expect(bubble(tab.page, "Às 10 h")).to_be_visible(timeout=NEWS_MS)
    await expect(bubble(tab.page, "Mensagem apagada")).to_be_visible(timeout=NEWS_MS)
    await expect(bubble(tab.page, "Segredo")).to_have_count(0)
    await tab.page.get_by_role("button", name="editada").click()
    await expect(bubble(tab.page, "Às 9 h")).to_be_visible()


async def test_recovered_messages_stand_between_dividers(visit: Visit, world: World):
    world.hear("sales", MARIA, "Antes")
    conversation = world.conversation(MARIA)
    world.faulty("sales", webhook_lost={})
    world.hear("sales", MARIA, "Perdida")
    world.faulty("sales", webhook_lost=None)
    world.sweep()
    world.until(lambda: any(each["recovered"] for each in world.messages(conversation)))
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)

    await expect(bubble(tab.page, "Perdida")).to_be_visible()
    await expect(tab.page.get_by_text("Mensagens recuperadas")).to_be_visible()
    await tab.good("inbox-recovered")


async def test_what_people_wrote_is_text_whatever_it_looks_like(
    visit: Visit, look: Look, stack: Stack, tenant: str
):
    world = World(stack, tenant)
    world.line("sales", MARKUP[:80])
    document = {"mimetype": "application/pdf", "fileName": MARKUP, "caption": MARKUP}
    world.hear("sales", MARIA, MARKUP, MARKUP)
    world.hear_any("sales", MARIA, {"documentMessage": document}, MARKUP)
    place = {"degreesLatitude": 1.5, "degreesLongitude": 2.5, "name": MARKUP, "address": MARKUP}
    world.hear_any("sales", MARIA, {"locationMessage": place}, MARKUP)
    conversation = world.conversation(MARIA)
    world.until(lambda: len(world.messages(conversation)) == 3)

    tab = await visit(f"/conversations/{conversation}", look, tenant)

    await expect(tab.page.locator(".inbox .message")).to_have_count(3)
    await expect(tab.page.get_by_role("heading", level=2, name=MARKUP)).to_be_visible()
    assert await tab.page.locator("img[src=x], main script").count() == 0
    assert "caught" not in await tab.page.title()
    await tab.good("inbox-markup")


async def test_what_turns_the_direction_of_reading_turns_nothing_around_it(
    visit: Visit, world: World
):
    world.hear("sales", MARIA, f"pague {TURNED}321", f"Ana {TURNED}airaM")
    world.hear("sales", BRUNO, "שלום", "דנה")
    file = {"mimetype": "application/pdf", "fileName": f"cobrança{TURNED}fdp.exe"}
    world.hear_any("sales", MARIA, {"documentMessage": file}, f"Ana {TURNED}airaM")
    conversation = world.conversation(MARIA)
    world.until(lambda: len(world.messages(conversation)) == 2)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    await tab.page.route(
        "**/media", lambda route: route.fulfill(body="%PDF", content_type="application/pdf")
    )

    await expect(row(tab.page, "Ana").locator(".name")).to_have_text("Ana airaM")
    await expect(
        tab.page.get_by_role("heading", level=2, name="Ana airaM", exact=True)
    ).to_be_visible()
    words = bubble(tab.page, "pague").locator(".words")
    assert await words.evaluate("(it) => getComputedStyle(it).unicodeBidi") != "normal"
    document = tab.page.locator(".inbox .document")
    await expect(document).to_contain_text("cobrançafdp.exe")
    async with tab.page.expect_download() as saving:
        await document.click()
    assert (await saving.value).suggested_filename == "cobrançafdp.exe"

    await row(tab.page, "דנה").click()
    await bubble(tab.page, "שלום").hover()
    await tab.page.get_by_role("button", name="Responder a").click()
    await expect(tab.page.get_by_text("Respondendo a \u2068דנה\u2069")).to_be_visible()


async def test_a_message_that_can_not_be_shown_leaves_the_others_alone(
    visit: Visit, look: Look, world: World
):
    for text in ("antes", "estranha", "sem data", "depois"):
        world.hear("sales", MARIA, text)
    conversation = world.conversation(MARIA)
    world.until(lambda: len(world.messages(conversation)) == 4)
    tab = await visit("/lines", look, world.tenant)
    tab.forgive("error")

    async def odd(route: Route) -> None:
        answer = await route.fetch()
        said = await answer.json() if answer.status == 200 else {"messages": []}
        for each in said["messages"]:
            each |= {"estranha": {"kind": "contacts", "cards": None}}.get(each["text"], {})
            each |= {"sem data": {"at": 10**17}}.get(each["text"], {})
        await route.fulfill(response=answer, json=said)

    await tab.page.route("**/conversations/*/messages?limit=*", odd)
    await tab.go(f"/conversations/{conversation}")

    broken = tab.page.get_by_text(await tab.say("inbox.broken"), exact=True)
    await expect(broken).to_have_count(2)
    for text in ("antes", "depois"):
        await expect(bubble(tab.page, text)).to_be_visible()
    today = tab.page.locator(".inbox .divider")
    await expect(today).to_have_text("hoje" if look.language == "pt-BR" else "today")
    await expect(composer(tab.page)).to_be_visible()
    await tab.good("inbox-broken")


async def test_whoever_reads_above_stays_there_and_is_told_of_news(visit: Visit, world: World):
    for at in range(40):
        world.hear("sales", MARIA, f"linha {at:02}")
    conversation = world.conversation(MARIA)
    world.until(lambda: len(world.messages(conversation)) == 40)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    log = tab.page.get_by_role("log")
    await expect(bubble(tab.page, "linha").last).to_be_in_viewport()

    await log.evaluate("(log) => { log.scrollTop = 0; }")
    await expect(tab.page.get_by_role("button", name="Ir para o fim")).to_be_visible()
    await aside(world.hear, "sales", MARIA, "mais uma")
    await expect(tab.page.get_by_role("button", name="1 nova mensagem")).to_be_visible()
    assert await log.evaluate("(log) => log.scrollTop") == 0
    await tab.page.get_by_role("button", name="1 nova mensagem").click()

    await expect(bubble(tab.page, "mais uma")).to_be_in_viewport()


async def test_a_thread_of_ten_thousand_messages_is_as_quick_as_one_of_ten(
    visit: Visit, world: World
):
    world.hear("sales", MARIA, "Por fim")
    conversation = world.conversation(MARIA)
    await aside(much_was_said, world, conversation)
    began = time.monotonic()
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    await expect(bubble(tab.page, "Por fim")).to_be_visible()
    await expect(composer(tab.page)).to_be_enabled()
    print(f"usable after {time.monotonic() - began:.1f} s, {MANY} messages")

    slowest = await tab.page.evaluate(
        """async () => {
            const log = [...document.querySelectorAll('.inbox *')].find(
                (each) => each.scrollHeight > each.clientHeight + 400
                    && getComputedStyle(each).overflowY !== 'visible'
                    && each.querySelector('.message'));
            const frame = () => new Promise(requestAnimationFrame);
            let worst = 0;
            for (let turn = 0; turn < 40; turn++) {
                const last = performance.now();
                log.scrollTop = 0; await frame(); await frame();
                worst = Math.max(worst, performance.now() - last);
                await new Promise((resolve) => setTimeout(resolve, 150));
            }
            return worst;
        }"""
    )
    print(f"slowest step of reading up: {slowest:.0f} ms")
    assert await tab.page.locator(".inbox .message").count() < 400


async def test_a_file_is_sent_once_however_often_enter_is_pressed(visit: Visit, world: World):
    world.hear("sales", MARIA, "Manda o PDF?")
    conversation = world.conversation(MARIA)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    await expect(bubble(tab.page, "Manda o PDF?")).to_be_visible()
    keys: list[str | None] = []
    tab.page.on(
        "request",
        lambda each: each.method == "POST" and keys.append(each.headers.get("idempotency-key")),
    )
    chosen = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF" + b"x" * 3_000_000}
    await tab.page.locator("input[type=file]").set_input_files(chosen)  # type: ignore[arg-type]
    await composer(tab.page).focus()

    for _ in range(3):
        await tab.page.keyboard.press("Enter")

    await expect(tab.page.locator(".inbox .message.mine")).to_have_count(1, timeout=NEWS_MS)
    assert len(set(keys)) == 1


async def test_an_address_that_makes_no_sense_is_no_conversation(visit: Visit, tenant: str):
    tab = await visit("/conversations/%E0%A4%A", DESKTOP, tenant)
    tab.forgive("404|400")

    await expect(tab.page.get_by_role("heading", level=1)).to_be_attached()
    await expect(tab.page.get_by_text(await tab.say("shell.broken.title"))).to_have_count(0)
