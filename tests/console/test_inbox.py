"""Read and answer conversations: what arrives, what goes out, and what everything looks like."""

import asyncio
import itertools
import re
import time
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import pytest
from google.cloud import firestore
from playwright.async_api import Locator, Page, Route, expect

from infra.local.emulator import PROJECT
from tests.console.browser import DESKTOP, PHONE, STORE_DOWN, Refusal, Tab
from tests.console.conftest import PATIENCE_SECONDS, Stack, Visit, new_tenant, wait_until
from tests.console.inbox import Contact, World
from tests.proofs.stage import times

pytestmark = pytest.mark.anyio
MARKUP = "<img src=x onerror=\"document.title='caught'\"><script>alert(1)</script>"
TURN = "\u202e"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NEWS_MS = 3_500
"""A message is shown within three seconds, and a little for the machine that tests it."""
OUTBOX_MS = (2_000, 5_000)
"""The pauses after which the page asks what became of a message."""
SERIALS = itertools.count(10)
MANY, JUMP = times(2_000, full=10_000), 4_000
"""Messages of a long thread, and those that one jump to a date reads at most."""


@pytest.fixture(scope="module")
def world(stack: Stack) -> World:
    """Make one tenant with a line for all tests; each writes from contacts of its own."""
    return make_world(stack)


@pytest.fixture(scope="module")
def office(stack: Stack) -> World:
    """Make a tenant with two lines, to each of which one contact wrote."""
    office = make_world(stack)
    office.pair_line("support", "Suporte")
    maria, bruno = a_contact("Maria"), a_contact("Bruno")
    office.hear("sales", maria, "Quanto custa?")
    office.hear("support", bruno, "Não funciona")
    office.find_conversation(maria)
    office.find_conversation(bruno)
    return office


def make_world(stack: Stack) -> World:
    world = World(stack, new_tenant())
    world.pair_line("sales", "Vendas")
    return world


@pytest.fixture
def maria() -> Contact:
    return a_contact("Maria")


def a_contact(name: str) -> Contact:
    """Return a contact with a number and a name that nobody else has."""
    serial = next(SERIALS)
    return Contact(f"55219999900{serial}", f"{name} {serial}")


def row(page: Page, contact: Contact) -> Locator:
    return page.locator(".inbox .row").filter(has_text=contact.name)


def bubble(page: Page, text: str) -> Locator:
    return page.locator(".inbox .message").filter(has_text=text)


def composer(page: Page) -> Locator:
    return page.locator(".inbox textarea")


async def send(tab: Tab, text: str) -> Locator:
    """Write a text and press Enter; return its bubble."""
    await composer(tab.page).fill(text)
    await composer(tab.page).press("Enter")
    return bubble(tab.page, text)


async def expect_sent(answer: Locator) -> None:
    """Wait until the message has the functions' id, and require that it is shown once."""
    await expect(answer).to_have_attribute("data-id", re.compile("."))
    await expect(answer).to_have_count(1)


async def open_conversation(visit: Visit, world: World, contact: Contact, text: str = "Oi") -> Tab:
    """Open the conversation of a contact who wrote one text."""
    world.hear("sales", contact, text)
    return await visit(f"/conversations/{world.find_conversation(contact)}", DESKTOP, world.tenant)


async def run_aside(act: Callable[..., Any], *values: Any) -> Any:
    """Run what blocks while the browser goes on."""
    return await anyio.to_thread.run_sync(act, *values)


# The list ------------------------------------------------------------------------------------


async def test_inbox_without_lines_leads_to_the_first(visit: Visit, tenant: str):
    tab = await visit("/conversations", DESKTOP, tenant)

    await expect(tab.page.get_by_text(await tab.say("inbox.lineless.title"))).to_be_visible()
    await tab.check_looks("inbox-empty")


async def test_message_appears_by_itself(visit: Visit, stack: Stack, maria: Contact):
    world = make_world(stack)
    tab = await visit("/conversations", DESKTOP, world.tenant)
    await expect(tab.page.get_by_text("Nenhuma conversa ainda")).to_be_visible()

    await run_aside(world.hear, "sales", maria, "Bom dia!")
    await expect(row(tab.page, maria)).to_contain_text("Bom dia!", timeout=NEWS_MS)
    await expect(row(tab.page, maria).locator(".badge")).to_contain_text("1")
    await expect(tab.page).to_have_title(re.compile(r"^\(1\) "))
    await row(tab.page, maria).click()
    await expect(bubble(tab.page, "Bom dia!")).to_be_visible()
    await run_aside(world.hear, "sales", maria, "Tudo bem?")

    await expect(bubble(tab.page, "Tudo bem?")).to_be_visible(timeout=NEWS_MS)
    await expect(tab.page.get_by_text(f"{maria.name}: Tudo bem?")).to_be_attached()
    await expect(row(tab.page, maria).locator(".badge")).to_have_count(0)
    await expect(tab.page).to_have_title("Conversas · Perene")


async def test_rows_say_through_which_number(visit: Visit, office: World):
    tab = await visit("/conversations", DESKTOP, office.tenant)

    chips = tab.page.locator(".inbox .row .number-chip")
    await expect(chips).to_have_count(2)
    for line, label in (("sales", "Vendas"), ("support", "Suporte")):
        chip = chips.filter(has_text=f"{label} · {office.numbers[line]}")
        await expect(chip).to_have_count(1)
    colours = {await chips.nth(at).get_attribute("class") for at in range(2)}
    assert len(colours) == 2
    await tab.check_looks("inbox-list")


async def test_filters_are_in_the_address(visit: Visit, office: World):
    tab = await visit("/conversations", DESKTOP, office.tenant)
    maria, bruno = (tab.page.locator(".inbox .row", has_text=name) for name in ("Maria", "Bruno"))
    search = tab.page.get_by_role("searchbox")

    await tab.page.get_by_label("Linha", exact=True).select_option("support")
    await expect(maria).to_have_count(0)
    await expect(bruno).to_be_visible()
    assert tab.path.replace("/?", "?") == "/conversations?line=support"
    await search.fill("mar")
    await expect(
        tab.page.get_by_role("heading", name=await tab.say("inbox.nothing.title"))
    ).to_be_visible()
    await tab.page.get_by_role("button", name="Limpar filtros").click()
    await expect(bruno).to_be_visible()
    await expect(search).to_have_value("")
    await search.fill("mar")
    await expect(bruno).to_have_count(0)
    await tab.page.wait_for_url("**search=mar")
    await tab.page.reload()

    await expect(maria).to_be_visible()
    await expect(search).to_have_value("mar")
    assert tab.path.endswith("?search=mar")


async def test_archiving_is_undone(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)

    await tab.page.get_by_role("button", name="Arquivar", exact=True).click()
    await expect(row(tab.page, maria)).to_have_count(0)
    await tab.page.get_by_role("button", name="Desfazer").click()
    await expect(row(tab.page, maria)).to_be_visible()


async def test_contact_has_given_name(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)

    await tab.page.get_by_role("button", name="Dados do contato", exact=True).click()
    await tab.page.get_by_label("Nome", exact=True).fill("Dona do açougue")
    await tab.page.get_by_role("button", name="Salvar").click()
    await tab.page.keyboard.press("Escape")

    await expect(tab.page.get_by_role("heading", name="Dona do açougue")).to_be_visible()
    await expect(tab.page.locator(".inbox .row", has_text="Dona do açougue")).to_be_visible()


async def test_conversation_marked_unread_is_left(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)
    await expect(bubble(tab.page, "Oi")).to_be_visible()
    await expect(row(tab.page, maria).locator(".badge")).to_have_count(0)

    await tab.page.get_by_role("button", name="Marcar como não lida").click()

    await expect(row(tab.page, maria).locator(".badge")).to_be_visible()


async def test_marking_unread_waits_for_reading(visit: Visit, world: World, maria: Contact):
    released, done = asyncio.Event(), list[bool]()

    async def hold(route: Route) -> None:
        if route.request.method != "PATCH":
            return await route.fallback()
        asked = route.request.post_data_json
        if asked == {"read": True}:
            await released.wait()
        response = await route.fetch()
        done.append(asked["read"])
        return await route.fulfill(response=response)

    world.hear("sales", maria, "Oi")
    world.find_conversation(maria)
    tab = await visit("/conversations", DESKTOP, world.tenant)
    await tab.page.route("**/conversations/*", hold)
    await row(tab.page, maria).click()
    async with tab.page.expect_request(lambda request: request.method == "PATCH"):
        await expect(bubble(tab.page, "Oi")).to_be_visible()

    await tab.page.get_by_role("button", name="Marcar como não lida").click()
    await expect(tab.page.get_by_role("heading", level=2)).to_be_visible()
    released.set()

    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(done) < 2:
            await asyncio.sleep(0.02)
    assert done == [True, False]
    await expect(row(tab.page, maria).locator(".badge")).to_be_visible()


async def test_absent_conversation_says_so(visit: Visit, tenant: str):
    tab = await visit("/conversations/c" + "a" * 25, DESKTOP, tenant)
    tab.forgive("404")

    await expect(tab.page.get_by_text(await tab.say("inbox.absent.title"))).to_be_visible()
    await tab.check_looks("inbox-absent")


async def test_senseless_address_is_no_conversation(visit: Visit, tenant: str):
    tab = await visit("/conversations/%E0%A4%A", DESKTOP, tenant)
    tab.forgive("404|400")

    await expect(tab.page.get_by_role("heading", level=1)).to_be_attached()
    await expect(tab.page.get_by_text(await tab.say("shell.broken.title"))).to_have_count(0)


async def test_failed_list_comes_back(visit: Visit, world: World, maria: Contact):
    world.hear("sales", maria, "Oi")
    world.find_conversation(maria)
    refusals = {"/conversations?*": STORE_DOWN}
    tab = await visit("/conversations", DESKTOP, world.tenant, answers=refusals)
    tab.forgive("503")
    sentence = await tab.say("shell.problems.store-unavailable")
    await expect(tab.page.get_by_text(sentence)).to_be_visible()
    await expect(tab.page).to_have_title(re.compile(r"^\("))
    before = await tab.page.title()
    await run_aside(world.hear, "sales", a_contact("Bruno"), "Oi")
    await expect(tab.page).not_to_have_title(before)
    await expect(tab.page.locator(".inbox .row")).to_have_count(0)
    await tab.unseen()
    await tab.check_looks("inbox-failed")
    await tab.answer_until_click()
    await tab.page.get_by_role("button", name=await tab.say("shell.tryAgain")).first.click()

    await expect(row(tab.page, maria)).to_be_visible()


async def test_keyboard_walks_through_the_list(visit: Visit, world: World, maria: Contact):
    bruno = a_contact("Bruno")
    for contact in (maria, bruno):
        world.hear("sales", contact, "Oi")
        world.find_conversation(contact)
    tab = await visit("/conversations", DESKTOP, world.tenant)

    await row(tab.page, bruno).or_(row(tab.page, maria)).first.focus()
    await tab.page.keyboard.press("ArrowDown")
    await tab.page.keyboard.press("Enter")
    await expect(composer(tab.page)).to_be_focused()
    assert tab.path != "/conversations"
    await composer(tab.page).press("Escape")

    await expect(tab.page.get_by_text("Escolha uma conversa")).to_be_visible()


async def test_phone_goes_back_to_the_list(visit: Visit, world: World, maria: Contact):
    world.hear("sales", maria, "Oi")
    world.find_conversation(maria)
    tab = await visit("/conversations", PHONE, world.tenant)

    await row(tab.page, maria).click()
    await expect(row(tab.page, maria)).to_be_hidden()
    await expect(bubble(tab.page, "Oi")).to_be_visible()
    await tab.page.get_by_role("button", name="Voltar às conversas").click()

    await expect(row(tab.page, maria)).to_be_visible()


# Answering -----------------------------------------------------------------------------------


async def test_answer_gets_its_ticks(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Vocês abrem hoje?")
    through = await tab.say("inbox.composer.through", number=world.numbers["sales"])
    await expect(tab.page.get_by_text(f"{through} · Vendas")).to_be_visible()

    await composer(tab.page).fill("Sim,\naté as 18 h")
    await composer(tab.page).press("Enter")

    answer = bubble(tab.page, "até as 18 h")
    await expect_sent(answer)
    await expect(composer(tab.page)).to_have_value("")
    message = await run_aside(world.find_ours, world.find_conversation(maria))
    for status, word in (("DELIVERY_ACK", "delivered"), ("READ", "read")):
        await run_aside(world.acknowledge, "sales", message["id"], status)
        tick = answer.get_by_role("img", name=await tab.say(f"inbox.delivery.{word}"), exact=True)
        await expect(tick).to_be_visible(timeout=NEWS_MS)
    await tab.check_looks("inbox-thread")


async def test_reply_leads_to_what_it_answers(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Qual o endereço?")
    reply = tab.page.get_by_role("button", name="Responder a: Qual o endereço?")

    await bubble(tab.page, "Qual o endereço?").hover()
    await reply.click()
    quoting = tab.page.get_by_text(re.compile(f"^Respondendo a \\W?{maria.name}"))
    await expect(quoting).to_be_visible()
    await composer(tab.page).press("Escape")
    await expect(quoting).to_have_count(0)
    await reply.click()
    await send(tab, "Rua das Flores, 10")
    quote = tab.page.get_by_role("button", name="Ir para a mensagem respondida")
    await expect(quote).to_contain_text("Qual o endereço?")
    await quote.click()

    original = tab.page.locator(".message.found")
    await expect(original).to_contain_text("Qual o endereço?")


async def test_file_goes_out_with_caption(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Tem o contrato?")
    await choose_file(tab, "contrato.pdf", b"%PDF-1.4 contrato")
    await expect(tab.page.locator(".above")).to_contain_text("contrato.pdf")

    answer = await send(tab, "Segue")

    await expect(answer.get_by_text("contrato.pdf")).to_be_visible()
    message = await run_aside(world.find_ours, world.find_conversation(maria))
    facts = (message["kind"], message["media"]["name"], message["text"])
    assert facts == ("document", "contrato.pdf", "Segue")


async def choose_file(tab: Tab, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/pdf", "buffer": content}
    await tab.page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]


async def test_file_is_sent_once(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Manda o PDF?")
    await expect(bubble(tab.page, "Manda o PDF?")).to_be_visible()
    keys: list[str | None] = []
    tab.page.on(
        "request",
        lambda request: (
            request.method == "POST" and keys.append(request.headers.get("idempotency-key"))
        ),
    )
    await choose_file(tab, "a.pdf", b"%PDF" + b"x" * 3_000_000)
    await composer(tab.page).focus()

    for _ in range(3):
        await tab.page.keyboard.press("Enter")

    await expect_sent(tab.page.locator(".inbox .message.mine"))
    assert len(set(keys)) == 1


async def test_disconnected_line_has_no_composer(visit: Visit, world: World, maria: Contact):
    world.pair_line("lost", "Perdida")
    world.hear("lost", maria, "Oi")
    conversation = world.find_conversation(maria)
    world.unpair("lost")
    world.wait_for_state("lost", "closed")

    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)

    reason = await tab.say("inbox.mute.closed", line="Perdida")
    await expect(tab.page.get_by_text(reason)).to_be_visible()
    await expect(composer(tab.page)).to_have_count(0)
    await tab.check_looks("inbox-mute")


async def test_uncertain_send_settles(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)
    await tab.hurry(*OUTBOX_MS)
    looked = asyncio.Event()

    async def wait(route: Route) -> None:
        await looked.wait()
        await route.continue_()

    urls: list[str] = []
    tab.page.on("request", lambda request: request.method == "POST" and urls.append(request.url))
    await tab.page.route("**/send-message/*", wait)
    cut = {"route": "message/sendText", "count": 1}
    with world.break_line("sales", cut_after=cut, webhook_lost={}):
        answer = await send(tab, "Chegou?")
        await expect(answer.get_by_text("confirmando…")).to_be_visible()
        await tab.check_access()
        await tab.shoot("inbox-confirming")
        looked.set()

        await expect(tab.page.get_by_text("confirmando…")).to_have_count(0, timeout=30_000)
        await expect_sent(answer)
    assert len(urls) == 1


async def test_refused_message_keeps_its_key(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)
    tab.forgive("409|502|503")
    keys: list[str] = []

    async def refuse_once(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            await route.fulfill(status=503, json=Refusal("evolution-unreachable", 503).problem)
        else:
            await route.continue_()

    await tab.page.route("**/conversations/*/messages", refuse_once)
    answer = await send(tab, "De novo")
    await expect(bubble(tab.page, "O servidor do WhatsApp está fora do ar.")).to_be_visible()
    await tab.check_looks("inbox-refused")
    await tab.page.get_by_role("button", name="Tentar de novo").click()

    await expect_sent(answer)
    assert keys[0] == keys[1]


async def test_draft_outlives_a_reload(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)

    await composer(tab.page).fill("Ainda não terminei")
    await tab.page.reload()

    await expect(composer(tab.page)).to_have_value("Ainda não terminei")


async def test_too_fast_message_goes_out_later(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)
    tab.forgive("429")
    keys: list[str] = []
    looked = asyncio.Event()

    async def refuse_once(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        problem = Refusal("sending-too-fast", 429).problem
        if len(keys) == 1:
            await route.fulfill(status=429, json=problem, headers={"retry-after": "1"})
        else:
            await looked.wait()
            await route.continue_()

    await tab.page.route("**/conversations/*/messages", refuse_once)
    answer = await send(tab, "Com calma")
    await expect(answer.get_by_text("Rápido demais")).to_be_visible()
    await expect(answer).to_have_count(1)
    await tab.check_access()
    looked.set()

    await expect_sent(answer)
    assert len(keys) == 2
    assert keys[0] == keys[1]


async def test_too_fast_message_is_not_overtaken(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)
    tab.forgive("429")
    texts = list[str]()

    async def refuse_once(route: Route) -> None:
        texts.append(route.request.post_data_json["text"])
        problem = Refusal("sending-too-fast", 429).problem
        if len(texts) == 1:
            await route.fulfill(status=429, json=problem, headers={"retry-after": "2"})
        else:
            await route.continue_()

    await tab.page.route("**/conversations/*/messages", refuse_once)
    for text in ("um", "dois", "três"):
        await send(tab, text)

    await expect(tab.page.locator(".inbox .attempt")).to_have_count(0, timeout=20_000)
    assert texts == ["um", "um", "dois", "três"]


async def test_unanswered_message_is_not_overtaken(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)
    tab.forgive("404|ERR_FAILED")
    requests = list[str]()

    async def cut_once(route: Route) -> None:
        requests.append(route.request.post_data_json["text"])
        await (route.abort() if len(requests) == 1 else route.continue_())

    async def note_question(route: Route) -> None:
        requests.append("?")
        await route.continue_()

    await tab.page.route("**/conversations/*/messages", cut_once)
    await tab.page.route("**/send-message/*", note_question)
    first = await send(tab, "um")
    await send(tab, "dois")

    await expect_sent(first)
    await expect(tab.page.locator(".inbox .attempt")).to_have_count(0, timeout=20_000)
    assert requests == ["um", "?", "um", "dois"]


async def test_offline_message_waits_for_the_network(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria)
    await tab.hurry(*OUTBOX_MS)
    tab.forgive("ERR_INTERNET_DISCONNECTED")
    await expect(bubble(tab.page, "Oi")).to_be_visible()
    posted: list[str] = []
    tab.page.on("request", lambda it: it.method == "POST" and posted.append(it.url))
    banner = tab.page.get_by_text("Sem conexão. O que você vê")

    await tab.page.context.set_offline(True)
    await expect(banner).to_be_visible()
    await expect(bubble(tab.page, "Oi")).to_be_visible()
    answer = await send(tab, "Volto já")
    await expect(answer.get_by_text("sai sozinha")).to_be_visible()
    await tab.check_access()
    assert posted == []
    await tab.page.context.set_offline(False)

    await expect(banner).to_have_count(0)
    await expect_sent(answer)
    assert len(posted) == 1


# Files ---------------------------------------------------------------------------------------


async def test_pictures_come_by_themselves(visit: Visit, world: World, maria: Contact):
    for _ in range(2):
        world.hear_media("sales", maria, "image", PIXEL, "image/png")
    conversation = world.find_conversation(maria, 2)

    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)

    pictures = tab.page.locator(".inbox .message .enlarge")
    await expect(pictures).to_have_count(2)
    picture = pictures.first.get_by_role("img", name=await tab.say("inbox.kinds.image"))
    assert await picture.evaluate("(it) => it.decode().then(() => it.naturalWidth)") == 1
    await tab.check_looks("inbox-media")

    await pictures.first.click()
    viewer = tab.page.get_by_role("dialog", name=await tab.say("conversation.viewer.title"))
    await expect(viewer).to_contain_text("1 de 2")
    await tab.check_looks("inbox-viewer")
    await tab.page.keyboard.press("ArrowRight")
    await expect(viewer).to_contain_text("2 de 2")
    await viewer.get_by_role("button", name="Aumentar").click()
    async with tab.page.expect_download():
        await viewer.get_by_role("button", name="Baixar").click()
    await tab.page.keyboard.press("Escape")

    await expect(viewer).to_have_count(0)
    await expect(composer(tab.page)).to_be_visible()


async def test_expired_file_says_so(visit: Visit, world: World, maria: Contact):
    world.hear_any("sales", maria, {"imageMessage": {"mimetype": "image/png"}})
    conversation = world.find_conversation(maria)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    tab.forgive("404")

    alert = tab.page.locator(".inbox .message").get_by_role("alert")
    await expect(alert).to_contain_text("Não abriu.", timeout=15_000)
    await tab.check_access()


async def test_false_pictures_are_only_saved(visit: Visit, world: World, maria: Contact):
    types = ["text/html", "image/svg+xml", "application/javascript"]
    picture = {"imageMessage": {"mimetype": "image/png"}}
    messages = {world.hear_any("sales", maria, picture): mimetype for mimetype in types}
    conversation = world.find_conversation(maria, len(types))
    tab = await visit("/lines", DESKTOP, world.tenant)
    for message, mimetype in messages.items():
        await tab.page.route(f"**/messages/{message}/media", serve(MARKUP, mimetype))
    await tab.page.evaluate(
        """(address) => { const real = URL.createObjectURL; window.types = [];
            URL.createObjectURL = (blob) => { types.push(blob.type); return real(blob); };
            history.pushState({}, '', address); }""",
        f"/console/conversations/{conversation}",
    )

    for message, mimetype in messages.items():
        file = tab.page.locator(f'.message[data-id="{message}"] .media .open')
        await expect(file, mimetype).to_contain_text("Baixar:")
        async with tab.page.expect_download():
            await file.click()

    assert await tab.page.evaluate("types") == ["application/octet-stream"] * len(types)
    await expect(tab.page.locator(".inbox .media img.whole")).to_have_count(0)


def serve(body: str, mimetype: str) -> Callable[[Route], Any]:
    return lambda route: route.fulfill(body=body, content_type=mimetype)


# What became of messages ---------------------------------------------------------------------


async def test_edits_and_deletions_are_shown(visit: Visit, world: World, maria: Contact):
    edited = world.hear("sales", maria, "Às 9 h")
    deleted = world.hear("sales", maria, "Segredo")
    conversation = world.find_conversation(maria, 2)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    await expect(bubble(tab.page, "Segredo")).to_be_visible()

    await run_aside(lambda: world.revise("sales", edited, text="Às 10 h"))
    await run_aside(world.revise, "sales", deleted)

    await expect(bubble(tab.page, "Às 10 h")).to_be_visible(timeout=NEWS_MS)
    await expect(bubble(tab.page, "Mensagem apagada")).to_be_visible(timeout=NEWS_MS)
    await expect(bubble(tab.page, "Segredo")).to_have_count(0)
    await tab.page.get_by_role("button", name="editada").click()
    await expect(bubble(tab.page, "Às 9 h")).to_be_visible()


async def test_recovered_messages_are_marked(visit: Visit, world: World, maria: Contact):
    world.hear("sales", maria, "Antes")
    conversation = world.find_conversation(maria)
    with world.break_line("sales", webhook_lost={}):
        world.hear("sales", maria, "Perdida")
    world.sweep()
    wait_until(lambda: any(message["recovered"] for message in world.messages(conversation)))
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)

    await expect(bubble(tab.page, "Perdida")).to_be_visible()
    await expect(tab.page.get_by_text("Mensagens recuperadas")).to_be_visible()
    await tab.check_looks("inbox-recovered")


async def test_markup_is_shown_as_text(visit: Visit, world: World):
    sender = Contact(a_contact("x").number, MARKUP)
    world.pair_line("markup", MARKUP[:80])
    document = {"mimetype": "application/pdf", "fileName": MARKUP, "caption": MARKUP}
    place = {"degreesLatitude": 1.5, "degreesLongitude": 2.5, "name": MARKUP, "address": MARKUP}
    world.hear("markup", sender, MARKUP)
    world.hear_any("markup", sender, {"documentMessage": document})
    world.hear_any("markup", sender, {"locationMessage": place})
    conversation = world.find_conversation(sender, 3)

    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)

    await expect(tab.page.locator(".inbox .message")).to_have_count(3)
    await expect(tab.page.get_by_role("heading", level=2, name=MARKUP)).to_be_visible()
    assert await tab.page.locator("img[src=x], main script").count() == 0
    assert "caught" not in await tab.page.title()
    await tab.check_looks("inbox-markup")


async def test_reading_direction_is_kept(visit: Visit, world: World):
    ana = Contact(a_contact("x").number, f"Ana {TURN}airaM")
    dana = Contact(a_contact("x").number, "דנה")
    world.hear("sales", ana, f"pague {TURN}321")
    world.hear("sales", dana, "שלום")
    file = {"mimetype": "application/pdf", "fileName": f"cobrança{TURN}fdp.exe"}
    world.hear_any("sales", ana, {"documentMessage": file})
    conversation = world.find_conversation(ana, 2)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    await tab.page.route("**/media", serve("%PDF", "application/pdf"))

    name = tab.page.locator(".inbox .row .name", has_text="Ana")
    await expect(name).to_have_text("Ana airaM")
    heading = tab.page.get_by_role("heading", level=2, name="Ana airaM", exact=True)
    await expect(heading).to_be_visible()
    words = bubble(tab.page, "pague").locator(".words")
    assert await words.evaluate("(it) => getComputedStyle(it).unicodeBidi") != "normal"
    document = tab.page.locator(".inbox .document")
    await expect(document).to_contain_text("cobrançafdp.exe")
    async with tab.page.expect_download() as saving:
        await document.click()
    assert (await saving.value).suggested_filename == "cobrançafdp.exe"

    await row(tab.page, dana).click()
    await bubble(tab.page, "שלום").hover()
    await tab.page.get_by_role("button", name="Responder a").click()
    await expect(tab.page.get_by_text("Respondendo a \u2068דנה\u2069")).to_be_visible()


async def test_broken_message_leaves_others_alone(visit: Visit, world: World, maria: Contact):
    for text in ("antes", "estranha", "depois", "sem data"):
        world.hear("sales", maria, text)
    conversation = world.find_conversation(maria, 4)
    tab = await visit("/lines", DESKTOP, world.tenant)
    tab.forgive("error")
    changes = {"estranha": {"kind": "contacts", "cards": [None]}, "sem data": {"at": 10**17}}

    async def distort(route: Route) -> None:
        answer = await route.fetch()
        page = await answer.json() if answer.status == 200 else {"messages": []}
        for message in page["messages"]:
            message |= changes.get(message["text"], {})
        await route.fulfill(response=answer, json=page)

    await tab.page.route("**/conversations/*/messages?*", distort)
    await tab.go(f"/conversations/{conversation}")

    broken = tab.page.get_by_text(await tab.say("inbox.broken"), exact=True)
    await expect(broken).to_have_count(2)
    for text in ("antes", "depois"):
        await expect(bubble(tab.page, text)).to_be_visible()
    await expect(tab.page.locator(".inbox .divider")).to_have_text("hoje")
    await expect(composer(tab.page)).to_be_visible()
    await tab.check_looks("inbox-broken")


# Long threads --------------------------------------------------------------------------------


async def test_reader_above_stays_there(visit: Visit, world: World, maria: Contact):
    for at in range(40):
        world.hear("sales", maria, f"linha {at:02}")
    conversation = world.find_conversation(maria, 40)
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    log = tab.page.get_by_role("log")
    await expect(bubble(tab.page, "linha").last).to_be_in_viewport()
    assert await log.evaluate(GROW) < 1

    await log.evaluate("(log) => { log.scrollTop = 0; }")
    await expect(tab.page.get_by_role("button", name="Ir para o fim")).to_be_visible()
    await run_aside(world.hear, "sales", maria, "mais uma")
    news = tab.page.get_by_role("button", name="1 nova mensagem")
    await expect(news).to_be_visible()
    assert await log.evaluate("(log) => log.scrollTop") == 0
    await news.click()

    await expect(bubble(tab.page, "mais uma")).to_be_in_viewport()


GROW = """async (log) => {
    const picture = document.createElement('div');
    picture.style.height = '500px';
    log.firstElementChild.append(picture);
    log.dispatchEvent(new Event('scroll'));
    for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
    const gap = log.scrollHeight - log.scrollTop - log.clientHeight;
    picture.remove();
    return gap;
}"""
"""Let a picture come below the reader, of whom a scroll is still to be told; return how far the end
is away, in px."""


async def test_long_thread_stays_light(visit: Visit, stack: Stack, maria: Contact):
    world = make_world(stack)
    world.hear("sales", maria, "Por fim")
    conversation = world.find_conversation(maria)
    await run_aside(add_history, world, conversation)
    began = time.monotonic()
    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)
    await expect(bubble(tab.page, "Por fim")).to_be_visible()
    await expect(composer(tab.page)).to_be_enabled()
    print(f"usable after {time.monotonic() - began:.1f} s, {MANY} messages")

    slowest = await tab.page.evaluate(READ_UP)

    print(f"slowest step of reading up: {slowest:.0f} ms")
    assert await tab.page.locator(".inbox .message").count() < 400

    await tab.page.get_by_role("button", name="Ir para uma data").click()
    oldest = time.localtime(time.time() - (MANY - 100) * 60)
    await tab.page.get_by_label("Data", exact=True).fill(time.strftime("%Y-%m-%d", oldest))
    far = tab.page.get_by_text(await tab.say("conversation.jumpTo.far"))
    for _ in range(MANY // JUMP):
        await tab.page.keyboard.press("Enter")
        await expect(far).to_have_count(0)
        await expect(far).to_be_visible(timeout=180_000)
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.get_by_role("dialog")).to_have_count(0, timeout=20_000)
    await expect(tab.page.locator(".inbox .message.found")).to_be_in_viewport()
    assert await tab.page.locator(".inbox .message").count() < 600


READ_UP = """async () => {
    const log = document.querySelector('.inbox .log');
    const frame = () => new Promise(requestAnimationFrame);
    const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    let worst = 0;
    for (let page = 0; page < 12; page++) {
        const start = performance.now();
        log.scrollTop = 0;
        const first = log.querySelector('.message'), top = first.getBoundingClientRect().top;
        await frame(); await frame();
        worst = Math.max(worst, performance.now() - start);
        while (log.scrollTop < 1000) {
            if (performance.now() - start > 10_000) throw new Error('no older messages came');
            await frame();
        }
        await painted();  // sizes change after a frame's callbacks, and are made up for before it
        const moved = Math.abs(first.getBoundingClientRect().top - top);
        if (first.isConnected && moved > 60) throw new Error(`the reader was moved by ${moved} px`);
    }
    return worst;
}"""
"""Fling to the top twelve times, where the reader stays; return the slowest step in ms."""


def add_history(world: World, conversation: str) -> None:
    """Store so many messages before the only one of the tenant."""
    client = firestore.Client(project=PROJECT)
    messages = client.collection("tenants", world.tenant, "messages")
    (snapshot,) = list(messages.limit(1).stream())
    last = snapshot.to_dict() or {}
    assert last["conversation"] == conversation
    bulk = client.bulk_writer()
    for at in range(MANY):
        message = {"id": f"OLD{at:05}", "at": last["at"] - (MANY - at) * 60_000}
        message["text"] = f"Mensagem {at}"
        bulk.set(messages.document(f"sales~OLD{at:05}"), {**last, **message})
    bulk.close()
