"""Act in one conversation: on its messages, in the composer, and in the contact's panel."""

import re
import time
from typing import Any

import pytest
from playwright.async_api import expect

from tests.console.browser import DESKTOP, PHONE, Tab
from tests.console.conftest import Stack, Visit
from tests.console.inbox import Contact, World
from tests.console.test_inbox import (
    PIXEL,
    a_contact,
    bubble,
    composer,
    expect_sent,
    make_world,
    open_conversation,
    row,
    run_aside,
    send,
)
from tests.console.test_parts import call

pytestmark = pytest.mark.anyio
MINUTE_MS = 60_000
EDIT_AT_ONCE = """async (box, words) => {
    box.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', bubbles: true }));
    for (let turn = 0; turn < 100 && !box.value; turn++) await Promise.resolve();
    box.value = words;
    box.dispatchEvent(new Event('input', { bubbles: true }));
}"""
"""Edit one's last message, and type before the page is drawn again."""


@pytest.fixture(scope="module")
def world(stack: Stack) -> World:
    """Make one tenant with a line for all tests; each writes from contacts of its own."""
    return make_world(stack)


@pytest.fixture
def maria() -> Contact:
    return a_contact("Maria")


# Messages ------------------------------------------------------------------------------------


async def test_message_is_answered_with_an_emoji(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Chegou!")
    await bubble(tab.page, "Chegou!").hover()
    await tab.page.get_by_role("button", name="O que fazer com: Chegou!").click()
    await tab.check_looks("inbox-menu")

    await tab.page.get_by_role("button", name="👍", exact=True).click()

    await expect(bubble(tab.page, "Chegou!").locator(".reactions")).to_contain_text("👍")
    await run_aside(_wait_for, world, maria, lambda message: message["reactions"] == {"me": "👍"})


async def test_own_message_is_edited_and_deleted(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Até que horas?")
    await expect_sent(await send(tab, "Até as 17 h"))

    await composer(tab.page).evaluate(EDIT_AT_ONCE, "Até as 18 h")
    await expect(tab.page.get_by_text("Editando a mensagem")).to_be_visible()
    await composer(tab.page).press("Enter")
    await expect(bubble(tab.page, "Até as 18 h")).to_contain_text("editada")
    await expect(composer(tab.page)).to_have_value("")

    for _ in ("emoji", "files", "messages"):
        await tab.page.keyboard.press("Shift+Tab")
    await expect(tab.page.get_by_role("log")).to_be_focused()
    await tab.page.keyboard.press("ArrowUp")
    await expect(bubble(tab.page, "Até as 18 h")).to_be_focused()
    await tab.page.keyboard.press("Enter")
    await tab.page.get_by_role("button", name="Apagar para todos").click()
    await tab.page.get_by_role("button", name="Apagar", exact=True).click()

    await expect(bubble(tab.page, "Mensagem apagada")).to_be_visible()
    await expect(row(tab.page, maria)).to_contain_text("Mensagem apagada")


async def test_long_press_opens_the_menu(visit: Visit, world: World, maria: Contact):
    world.hear("sales", maria, "Segure aqui")
    conversation = world.find_conversation(maria)
    tab = await visit(f"/conversations/{conversation}", PHONE, world.tenant)
    words = bubble(tab.page, "Segure aqui").locator(".words")
    await expect(words).to_be_visible()

    finger = {"pointerType": "touch", "bubbles": True, "clientX": 50, "clientY": 50}
    await words.dispatch_event("pointerdown", finger)
    await tab.page.wait_for_timeout(600)
    await words.dispatch_event("pointerup", finger)

    await expect(tab.page.get_by_role("dialog")).to_contain_text("Responder")
    await tab.check_access()
    await tab.shoot("inbox-menu-pressed")


def _wait_for(world: World, contact: Contact, is_so: Any) -> None:
    conversation = world.find_conversation(contact)
    deadline = time.monotonic() + 10
    while not any(is_so(message) for message in world.messages(conversation)):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


# The composer --------------------------------------------------------------------------------


async def test_several_files_go_out_in_order(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Manda as fotos?")
    await expect(bubble(tab.page, "Manda as fotos?")).to_be_visible()
    await _give(tab, ".thread", ["dragenter", "drop"], "a.png")
    await _give(tab, "textarea", ["paste"], "b.png")
    await expect(tab.page.locator(".tray li")).to_have_text(
        [re.compile("^a.png"), re.compile("^b.png")]
    )
    await tab.check_looks("inbox-tray")
    requests: list[str] = []
    tab.page.on("request", lambda request: requests.append(f"{request.method} {request.url}"))

    await send(tab, "Seguem")

    pictures = tab.page.locator(".message.mine[data-id] .enlarge")
    await expect(pictures).to_have_count(2)
    await expect(tab.page.locator(".message.mine").first).to_contain_text("Seguem")
    assert [request for request in requests if request.endswith("/media")] == []


async def _give(tab: Tab, place: str, events: list[str], name: str) -> None:
    """Drop or paste a picture where a selector points in the inbox."""
    await tab.page.evaluate(
        """([place, events, name, pixel]) => {
            const bytes = Uint8Array.from(atob(pixel), (one) => one.charCodeAt(0));
            const files = new DataTransfer();
            files.items.add(new File([bytes], name, { type: 'image/png' }));
            const given = { bubbles: true, dataTransfer: files, clipboardData: files };
            for (const type of events) {
                const Kind = type === 'paste' ? ClipboardEvent : DragEvent;
                document.querySelector(`.inbox ${place}`).dispatchEvent(new Kind(type, given));
            }
        }""",
        [place, events, name, PIXEL],
    )


async def test_voice_message_is_recorded(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Me explica?")

    await tab.page.get_by_role("button", name="Gravar mensagem de voz").click()
    await expect(tab.page.get_by_role("timer")).not_to_have_text("0:00")
    await tab.check_access()
    await tab.page.get_by_role("button", name="Enviar a gravação").click()

    voice = tab.page.locator(".message.mine[data-id] .sound")
    await expect(voice).to_be_visible()
    await expect(composer(tab.page)).to_be_focused()
    await voice.get_by_role("button", name="Velocidade").click()
    await expect(voice.get_by_role("button", name="Velocidade")).to_have_text("1,5×")
    message = await run_aside(world.find_ours, world.find_conversation(maria))
    assert message["kind"] == "voice"
    await tab.check_looks("inbox-voice")


async def test_quick_reply_is_kept_and_used(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Qual o horário?")
    await composer(tab.page).fill("/")
    await tab.page.get_by_role("option", name="Criar ou mudar").click()
    await tab.page.get_by_label("Nome, depois da /").fill("horario")
    await tab.page.get_by_label("Texto", exact=True).fill("Das 9 h às 18 h 🙂")
    await tab.page.get_by_role("button", name="Guardar").click()
    await expect(tab.page.get_by_role("button", name="Apagar /horario")).to_be_visible()
    await tab.check_looks("inbox-replies")
    await tab.page.get_by_role("button", name="Pronto").click()

    await composer(tab.page).fill("/ho")
    await expect(tab.page.get_by_role("option", name="/horario")).to_be_visible()
    await tab.check_access()
    await composer(tab.page).press("Enter")
    await expect(composer(tab.page)).to_have_value("Das 9 h às 18 h 🙂")
    await tab.page.get_by_role("button", name="Emojis").click()
    await tab.check_looks("inbox-emoji")
    await tab.page.get_by_role("button", name="🎉").first.click()

    await expect(composer(tab.page)).to_have_value("Das 9 h às 18 h 🙂🎉")
    await expect(composer(tab.page)).to_be_focused()


async def test_person_settles_an_uncertain_send(visit: Visit, world: World, maria: Contact):
    world.hear("sales", maria, "Oi")
    conversation = world.find_conversation(maria)
    tab = await visit("/lines", DESKTOP, world.tenant)
    asked = {"key": "k1", "conversation": conversation, "line": "sales", "number": "55"}
    asked |= {"state": "uncertain", "asked_at": "2026-01-01T12:00:00Z", "text": "Segue a chave"}
    page = world.stack.call("GET", f"/conversations/{conversation}/messages", world.tenant).json()
    await tab.answer("/conversations/*/messages?*", page | {"sends": [asked]})
    await tab.answer("/conversations/news?*", {"conversations": [], "more": False})
    await tab.page.route("**/send-message/k1", lambda it: it.fulfill(status=202, json=asked))
    await tab.answer("/send-message/k1/settle", asked | {"state": "sent", "said": True})
    await tab.page.evaluate(f"history.pushState({{}}, '', '/console/conversations/{conversation}')")

    uncertain = bubble(tab.page, "Segue a chave")
    await expect(uncertain.get_by_role("button", name="Não foi")).to_be_visible()
    await tab.check_access()
    await tab.shoot("inbox-uncertain")
    await uncertain.get_by_role("button", name="Foi enviada").click()

    await expect(uncertain.get_by_role("button", name="Foi enviada")).to_have_count(0)
    await expect(uncertain).to_contain_text("Enviada, segundo quem olhou no celular")
    await expect(uncertain).to_have_count(1)


# The panel -----------------------------------------------------------------------------------


async def test_panel_keeps_labels_and_notes(visit: Visit, world: World, maria: Contact):
    tab = await open_conversation(visit, world, maria, "Quero *mesmo* comprar")
    await tab.page.get_by_role("button", name="Dados do contato", exact=True).click()
    panel = tab.page.get_by_role("dialog", name="Dados do contato")

    await panel.get_by_label("Nova etiqueta").fill("Venda")
    await panel.get_by_label("Nova etiqueta").press("Enter")
    await expect(panel.get_by_role("button", name="Tirar a etiqueta Venda")).to_be_visible()
    await panel.get_by_role("button", name="Eu atendo").click()
    await panel.get_by_label("Escreva uma nota").fill("Ligar amanhã")
    await panel.get_by_role("button", name="Guardar nota").click()
    await expect(panel.get_by_text("Ligar amanhã")).to_be_visible()
    await tab.check_looks("inbox-panel")
    await tab.page.reload()

    await expect(tab.page.locator(".head .marks")).to_contain_text("Venda")
    await tab.page.get_by_role("button", name="Dados do contato", exact=True).click()
    await expect(panel.get_by_text("Ligar amanhã")).to_be_visible()
    assert len(world.messages(world.find_conversation(maria))) == 1


# Rules ---------------------------------------------------------------------------------------


WRITTEN = {
    "*oi* _a_ ~b~": "<bold>oi</> <italic>a</> <struck>b</>",
    "*_os dois_*": "<bold><italic>os dois</></>",
    "`*código*` e ```um\nbloco```": "<code>*código*</> e <block>um\nbloco</>",
    "*https://a.test/x_y*": "<bold><link>https://a.test/x_y</></>",
    "2*3*4 = 24": "2*3*4 = 24",
    "* não * _a\nb_ *": "* não * _a\nb_ *",
    "*aberto _fechado_": "*aberto <italic>fechado</>",
    "<img src=x>": "<img src=x>",
}


async def test_rules_of_a_conversation(visit: Visit):
    tab = await visit("/")
    for text, parts in WRITTEN.items():
        read = await call(tab, "views/inbox/formatting.js", "parseText", text)
        assert "".join(map(_write, read)) == parts
    long = "*a _b ~c` " * 6_000
    began = time.process_time()
    assert "".join(map(_write, await call(tab, "views/inbox/formatting.js", "parseText", long)))
    assert time.process_time() - began < 5

    await _check_rights(tab)
    await _check_echoes(tab)
    await _check_pictures(tab)
    replies = [{"name": name, "text": "x"} for name in ("pix", "horario", "hora", "x-ho")]
    found = await call(tab, "views/inbox/desk.js", "findReplies", "/ho", replies)
    assert [reply["name"] for reply in found] == ["hora", "horario", "x-ho"]
    for text in ("oi", "/ho ra", "a/b"):
        assert await call(tab, "views/inbox/desk.js", "findReplies", text, replies) is None


def _write(part: Any) -> str:
    if isinstance(part, str):
        return part
    inside = part.get("text") or "".join(map(_write, part["parts"]))
    return f"<{part['style']}>{inside}</>"


async def _check_rights(tab: Tab) -> None:
    ours = {"from_me": True, "send": "k", "kind": "text", "at": 0, "text": "oi"}
    everything = {"reply", "react", "copy", "edit", "remove"}
    cases: list[tuple[dict[str, Any], int, str | None, set[str]]] = [
        (ours, 0, None, everything),
        (ours, 15 * MINUTE_MS, None, everything - {"edit"}),
        (ours, 2 * 24 * 60 * MINUTE_MS, None, everything - {"edit", "remove"}),
        (ours, 0, "closed", {"copy"}),
        (ours | {"kind": "image"}, 0, None, everything - {"edit"}),
        (ours | {"send": None}, 0, None, everything - {"edit", "remove"}),
        (ours | {"from_me": False}, 0, None, everything - {"edit", "remove"}),
        (ours | {"revoked": True}, 0, None, set()),
        (ours | {"kind": "notice", "from_me": False}, 0, None, {"copy"}),
    ]
    for message, now, mute, allowed in cases:
        facts = {"mute": mute, "now": now}
        rights = await call(tab, "views/inbox/rights.js", "rightsOver", message, facts)
        assert {right for right, is_given in rights.items() if is_given} == allowed, message


async def _check_pictures(tab: Tab) -> None:
    """A tall picture has the height of its file, within reason; small files are fetched first."""
    sizes = [(360, 900), (100, 2_000), (3_000, 100), (None, None)]
    shapes = [
        await call(tab, "views/inbox/Media.js", "shape", {"width": width, "height": height})
        for width, height in sizes
    ]
    assert [float(shape["--ratio"]) for shape in shapes] == [0.4, 0.35, 3, pytest.approx(4 / 3)]

    order = await tab.page.evaluate(
        """async () => {
            const app = document.querySelector('script[type=module]').src;
            const { takeTurn } = await import(new URL('views/inbox/files.js', app));
            const order = [];
            const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
            const turn = (size) => takeTurn({ size, run: () => (order.push(size), later(5)) });
            const giveUp = [9, 7, 3, 8, 1].map(turn)[3];
            giveUp();
            while (order.length < 4) await later(5);
            await later(20);
            return order;
        }"""
    )
    assert order == [1, 3, 7, 9]


async def _check_echoes(tab: Tab) -> None:
    attempts = [
        {"key": key, "state": state, "kind": "text", "text": "sim", "at": 1_000_000}
        for key, state in (("a", "confirming"), ("b", "sending"), ("c", "failed"))
    ]
    ours = {"from_me": True, "kind": "text", "text": "sim ", "at": 1_000_000}
    cases = [
        ([ours | {"id": "1"}], ["a"]),
        ([ours | {"id": "1"}, ours | {"id": "2"}], ["a", "b"]),
        ([ours | {"id": "1", "at": 940_000}, ours | {"id": "2", "at": 940_000}], ["a"]),
        ([ours | {"id": "1", "from_me": False}], []),
        ([ours | {"id": "1", "send": "other"}], []),
        ([ours | {"id": "1", "text": "não"}], []),
        ([ours | {"id": "1", "at": 1_000_000 + 5 * MINUTE_MS}], []),
    ]
    for messages, keys in cases:
        paired = await tab.page.evaluate(
            """async ([attempts, messages]) => {
                const app = document.querySelector('script[type=module]').src;
                const { pairEchoes } = await import(new URL('views/inbox/echoes.js', app));
                return [...pairEchoes(attempts, messages)];
            }""",
            [attempts, messages],
        )
        assert paired == keys
