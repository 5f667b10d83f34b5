"""Find, change and begin conversations in the list, and be told of what needs a person."""

import asyncio
import re
import time
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.console.browser import DESKTOP, Refusal, Tab
from tests.console.conftest import Stack, Visit
from tests.console.inbox import Contact, World
from tests.console.test_inbox import a_contact, bubble, composer, make_world, row, run_aside
from tests.console.test_parts import call

pytestmark = pytest.mark.anyio
RARELY_MS = 15_000
"""The pause between two looks of a tab that nobody sees."""
NOWHERE = "5511900000000"
"""A number that the simulated WhatsApp doesn't know."""
NOON = 1_764_169_200_000
LISTEN = """() => {
    window.told = [];
    window.Notification = class {
        static permission = 'default';
        static requestPermission = async () => (Notification.permission = 'granted');
        constructor(title, { body }) { told.push([title, body]); }
    };
    window.AudioContext = class {
        currentTime = 0;
        resume = async () => {};
        createGain = () => ({ gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} } });
        createOscillator = () => ({ frequency: {}, connect: (to) => ({ connect() {} }),
            start: () => told.push('sound'), stop() {} });
    };
}"""
"""Note what the desktop and the ear are told."""


@pytest.fixture(scope="module")
def world(stack: Stack) -> World:
    """Make a tenant with two lines, to each of which one contact wrote."""
    world = make_world(stack)
    world.pair_line("support", "Suporte")
    for line, contact in (("sales", ANA), ("support", BIA)):
        world.hear(line, contact, "Oi")
        world.find_conversation(contact)
    return world


ANA, BIA = Contact("5521999990001", "Ana Prado"), Contact("5521999990002", "Bia Prado")


def a_line(name: str, **fields: Any) -> dict[str, Any]:
    """Return a line as the functions answer it."""
    line = {"line": name, "label": name.title(), "instance": f"i_{name}", "state": "open"}
    return line | {"since": "2026-11-26T12:00:00Z", "number": "5511988887777"} | fields


def fall(*names: str, **fields: Any) -> dict[str, Any]:
    """Return the answer of a tenant whose lines fell."""
    fallen = {"state": "closed", "reason": "logged_out", "number": None} | fields
    return {"lines": [a_line(name, **fallen) for name in names], "max_lines": 20}


# Fallen lines --------------------------------------------------------------------------------


async def test_fallen_line_is_told_everywhere(visit: Visit, world: World):
    lines = [*fall("sales")["lines"], a_line("support", number=None)]
    answers = {"/instances": {"lines": lines, "max_lines": 9}}
    tab = await visit("/conversations", DESKTOP, world.tenant, answers=answers)

    banner = tab.page.locator(".inbox .fallen")
    await expect(banner).to_contain_text("Sales está fora do ar desde")
    mark = await tab.say("inbox.marks.closed")
    await expect(row(tab.page, ANA).get_by_role("img", name=mark)).to_be_visible()
    await expect(row(tab.page, BIA).get_by_role("img", name=mark)).to_have_count(0)
    await expect(tab.page.get_by_role("link", name="1 linha fora do ar")).to_be_visible()
    await expect(tab.page).to_have_title(re.compile("^⚠ .*Conversas"))
    options = tab.page.get_by_label("Linha", exact=True).locator("option")
    assert any("fora do ar" in words for words in await options.all_inner_texts())
    await tab.check_looks("inbox-fallen")

    await banner.get_by_role("link", name="Reconectar").click()
    assert tab.path == "/lines/sales/connect"


async def test_ten_fallen_lines_are_one_banner(visit: Visit, tenant: str):
    names = [f"line{at}" for at in range(10)]
    tab = await visit("/conversations", DESKTOP, tenant, answers={"/instances": fall(*names)})

    banner = tab.page.locator(".inbox .fallen")
    await expect(banner).to_have_count(1)
    await expect(banner).to_contain_text("10 linhas estão fora do ar: Line0, Line1 e mais 8.")
    await banner.get_by_role("link", name="Ver linhas").click()
    assert tab.path == "/lines"


# A tab that nobody sees ----------------------------------------------------------------------


async def test_hidden_tab_tells_of_news(visit: Visit, world: World):
    tab = await visit("/conversations", DESKTOP, world.tenant)
    await tab.run_first(f"({LISTEN})()")
    await tab.page.reload()
    await tab.page.get_by_role("button", name="Avisar").click()
    await expect(tab.page.get_by_role("button", name="Avisar")).to_have_count(0)
    await expect(tab.page).to_have_title(re.compile(r"^\(2\) "))
    await tab.hurry(RARELY_MS)
    await tab.unseen()

    carla = a_contact("Carla")
    await run_aside(world.hear, "sales", carla, "Bom dia!")

    await expect(tab.page).to_have_title(re.compile(r"^\(3\) "))
    assert await tab.page.evaluate("told") == ["sound", "sound", [carla.name, "Bom dia!"]]
    assert await tab.page.evaluate("document.querySelector('link[rel=icon]').href.slice(-15)") == (
        "mark-unread.svg"
    )
    await expect(tab.page.get_by_role("link", name="3 conversas não lidas")).to_be_visible()


async def test_silent_line_tells_nothing(visit: Visit, world: World):
    tab = await visit("/conversations", DESKTOP, world.tenant)
    await tab.run_first(f"({LISTEN})()")
    await tab.page.reload()
    await tab.page.get_by_role("button", name="Avisar").click()
    await tab.page.locator("summary").click()
    await tab.page.get_by_role("button", name=await tab.say("shell.alerts.title")).click()
    await tab.page.get_by_label("Suporte").uncheck()
    await tab.check_looks("alerts")
    await tab.page.get_by_role("button", name="Pronto").click()
    await tab.hurry(RARELY_MS)
    await tab.unseen()

    daniel = a_contact("Daniel")
    await run_aside(world.hear, "support", daniel, "Alô?")

    await expect(row(tab.page, daniel)).to_be_visible()
    assert await tab.page.evaluate("told") == []


async def test_arrival_costs_one_request(visit: Visit, tenant: str):
    """The answer that tells a message brings its row and what is unread: nothing else is asked."""
    last = 3
    told = [
        {
            "conversations": [a_conversation(at, last_at=NOON + at * 1_000)],
            "unread": {"total": at + 1, "lines": {}},
        }
        for at in range(last + 2)
    ]
    answers = {"/conversations/news?*": told[0], "/instances": {"lines": []}}
    answers |= {"/conversations?*": told[0], "/conversations/desk": {"replies": []}}
    tab = await visit("/conversations", DESKTOP, tenant, answers=answers)
    await expect(tab.page).to_have_title(re.compile(r"^\(1\) "))
    arrived = [asyncio.Event() for _ in told]
    asked: list[str] = []

    async def wait_and_tell(route: Route) -> None:
        asked.append(route.request.url)
        at = int(route.request.headers.get("if-none-match", '"0"').strip('"')) + 1
        await arrived[at].wait()
        await route.fulfill(json=told[at], headers={"etag": f'"{at}"'})

    await tab.page.route(re.compile("/conversations|/instances"), wait_and_tell)
    for at in range(1, last + 1):
        arrived[at].set()
        await expect(tab.page.locator(".inbox a.row")).to_have_count(at + 1)
        await expect(tab.page).to_have_title(re.compile(rf"^\({at + 1}\) "))
        assert len(asked) in (at, at + 1), asked
    assert all("/conversations/news?" in address for address in asked)
    arrived[-1].set()


# What is true --------------------------------------------------------------------------------


async def test_absent_function_is_told_and_stays(visit: Visit, world: World):
    tab = await visit("/lines", DESKTOP, world.tenant)
    tab.forgive("503")
    await tab.page.route("**/conversations*", serve_excuse)
    await tab.page.route("**/conversations/**", serve_excuse)
    await tab.page.get_by_role("link", name="Conversas").click()
    banner = tab.page.get_by_text(await tab.say("shell.connection.partly"))
    sentence = tab.page.get_by_text(await tab.say("shell.failures.down"))
    await expect(banner).to_be_visible()
    await expect(sentence).to_be_visible()
    await tab.poll()
    await expect(tab.page.locator(".skeleton")).to_have_count(0)
    await expect(banner).to_be_visible()
    await tab.check_access()

    await tab.answer_until_click()
    await tab.page.get_by_role("button", name=await tab.say("shell.tryAgain")).first.click()

    await expect(banner).to_have_count(0)


async def serve_excuse(route: Route) -> None:
    """Answer as a load balancer does for a function that is down."""
    if "/console/" in route.request.url:
        await route.continue_()
    else:
        await route.fulfill(status=503, body="<html>no backend</html>", content_type="text/html")


async def test_full_server_is_told_and_stays(visit: Visit, tenant: str):
    full = Refusal("maximum-instances-reached", 503)
    tab = await visit("/lines", DESKTOP, tenant, answers={"/ensure-instance": full})
    tab.forgive("503|404")
    await tab.go("/lines/default/connect")
    await tab.hurry(10_000)

    sheet = tab.page.get_by_role("dialog")
    await expect(sheet).to_contain_text(await tab.say("shell.problems.maximum-instances-reached"))
    await expect(sheet.locator(".skeleton, .spin")).to_have_count(0)
    await tab.page.wait_for_timeout(1_000)  # it looked several times
    await expect(sheet).to_contain_text(await tab.say("shell.problems.maximum-instances-reached"))
    await tab.check_access()


# Changing several, beginning one -------------------------------------------------------------


async def test_several_are_archived_and_come_back(visit: Visit, stack: Stack):
    world = make_world(stack)
    contacts = [a_contact("Eva"), a_contact("Fábio"), a_contact("Gil")]
    for contact in contacts:
        world.hear("sales", contact, "Oi")
        world.find_conversation(contact)
    tab = await visit("/conversations", DESKTOP, world.tenant)
    rows = tab.page.locator(".inbox a.row")
    await rows.first.focus()
    await tab.page.keyboard.press("Space")
    await row(tab.page, contacts[0]).click()
    await expect(tab.page.get_by_text("2 selecionadas")).to_be_visible()
    await tab.check_looks("inbox-selecting")

    await tab.page.get_by_role("button", name="Marcar como lidas").click()
    await expect(tab.page.locator(".inbox .badge")).to_have_count(1)
    await tab.page.get_by_role("button", name="Selecionar conversas").click()
    await tab.page.get_by_role("button", name="Todas").click()
    await tab.page.get_by_role("button", name="Arquivar", exact=True).click()
    await expect(rows).to_have_count(0)
    await tab.page.get_by_role("button", name="Desfazer").click()

    await expect(rows).to_have_count(3)


async def test_conversation_begins_by_number(visit: Visit, world: World):
    tab = await visit("/conversations", DESKTOP, world.tenant)
    tab.forgive("422")
    await expect(row(tab.page, ANA)).to_be_visible()
    await tab.page.keyboard.press("Alt+n")
    number = tab.page.get_by_label("Número", exact=True)
    await expect(number).to_be_focused()
    await number.fill(NOWHERE)
    await tab.page.get_by_label("Primeira mensagem").fill("Olá!")
    send = tab.page.get_by_role("dialog").get_by_role("button", name="Enviar")
    await send.click()
    refusal = tab.page.get_by_text(await tab.say("shell.problems.not-on-whatsapp"))
    await expect(refusal).to_be_visible()
    await tab.check_looks("inbox-new")
    await number.fill("(11) 97777-6655")
    await number.press("Enter")

    await expect(bubble(tab.page, "Olá!")).to_be_visible()
    await expect(tab.page.get_by_role("dialog")).to_have_count(0)


# Finding -------------------------------------------------------------------------------------


async def test_labels_and_people_filter_the_list(visit: Visit, world: World):
    tags = {"labels": ["Orçamento"], "assignee": "Rita"}
    for contact, change in ((ANA, tags), (BIA, {"labels": ["Pago"]})):
        path = f"/conversations/{world.find_conversation(contact)}"
        assert world.stack.call("PATCH", path, world.tenant, json=change).status_code == 200
    tab = await visit("/conversations", DESKTOP, world.tenant)

    await expect(row(tab.page, ANA)).to_contain_text("Orçamento")
    await expect(row(tab.page, ANA)).to_contain_text("Responsável: Rita")
    await tab.page.get_by_label("Etiqueta", exact=True).select_option("Orçamento")
    await expect(row(tab.page, BIA)).to_have_count(0)
    await tab.check_looks("inbox-labels")
    await tab.page.get_by_label("Responsável", exact=True).select_option("Rita")
    await expect(row(tab.page, ANA)).to_be_visible()

    assert tab.path.endswith("?label=Or%C3%A7amento&assignee=Rita")


async def test_shortcuts_move_through_the_inbox(visit: Visit, world: World):
    tab = await visit("/conversations", DESKTOP, world.tenant)
    rows = tab.page.locator(".inbox a.row")
    await expect(rows.first).to_be_visible()

    await tab.page.keyboard.press("Alt+ArrowDown")
    await expect(rows.first).to_have_attribute("aria-current", "true")
    await composer(tab.page).focus()
    await tab.page.keyboard.press("Alt+ArrowDown")
    await expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    await tab.page.keyboard.press("Alt+ArrowUp")
    await expect(rows.first).to_have_attribute("aria-current", "true")
    await tab.page.keyboard.press("Alt+u")
    await expect(rows.first.locator(".badge")).to_be_visible()
    await tab.page.keyboard.press("Control+/")
    await expect(tab.page.get_by_role("dialog")).to_contain_text("Próxima conversa")
    await tab.check_access()
    await tab.page.keyboard.press("Escape")
    await tab.page.keyboard.press("Control+k")

    await expect(tab.page.get_by_role("searchbox")).to_be_focused()


SCROLL = """async () => {
    const rows = document.querySelector('.inbox .rows');
    const frames = [];
    for (let last = performance.now(), at = 0; at < 200; at++) {
        rows.scrollTop += 400;
        await new Promise(requestAnimationFrame);
        frames.push(performance.now() - last);
        last = performance.now();
    }
    const most = rows.querySelectorAll('.row').length;
    rows.scrollTop = rows.scrollHeight;
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return { p50: frames.sort((one, other) => one - other)[100], most,
        last: [...rows.querySelectorAll('.row .name')].at(-1).textContent };
}"""
"""Scroll through the list; return the median frame in ms, and how many rows were on the page."""


async def test_long_list_stays_light(visit: Visit, tenant: str):
    many = {"conversations": [a_conversation(at) for at in range(1_700)]}
    answers = {"/conversations?*": many, "/instances": {"lines": [a_line("default")]}}
    tab = await visit("/conversations", DESKTOP, tenant, answers=answers)
    await expect(tab.page.locator(".inbox a.row").first).to_be_visible()

    seen = await tab.page.evaluate(SCROLL)

    print(f"a frame of scrolling 1,700 rows: p50 {seen['p50']:.1f} ms")
    assert seen["most"] < 60
    assert seen["last"] == "Pessoa 1699"


def a_conversation(at: int, **fields: Any) -> dict[str, Any]:
    """Return the conversation at a place of the list, as the functions answer it."""
    contact = {"key": f"k{at}", "number": f"55219{at:08}", "name": f"Pessoa {at}"}
    last = {"kind": "text", "text": f"Mensagem {at}", "from_me": False}
    conversation = {"id": f"c{at}", "line": "default", "label": "default", "contact": contact}
    facts = {"number": "5511988887777", "last_at": NOON - at * 60_000, "last": last, "unread": 0}
    return conversation | facts | fields


# Rules ---------------------------------------------------------------------------------------


@pytest.fixture
async def page(visit: Visit) -> Tab:
    """Open a page that asks for nothing, for the functions of its modules."""
    return await visit("/")


FALLEN = [
    (a_line("x"), False),
    (a_line("x", state="closed", reason="logged_out"), True),
    (a_line("x", state="closed", reason="disconnect_asked"), False),
    (a_line("x", state="closed", reason="qr_limit", number=None), False),
    (a_line("x", state="closed", reason="qr_limit"), True),
    (a_line("x", state="closed", reason="reconnecting"), False),
    (a_line("x", state="closed", reason="reconnecting", since="2026-11-26T11:00:00Z"), True),
    (a_line("x", state="pairing", number=None), False),
    (a_line("x", state="pairing"), True),
    (a_line("x", state="conflict"), True),
    (a_line("x", state="missing"), True),
    (a_line("x", state="releasing"), False),
]
KEYS = [
    ({"code": "ArrowDown", "key": "ArrowDown", "altKey": True}, "next"),
    ({"code": "KeyE", "key": "´", "altKey": True}, "archive"),
    ({"code": "KeyE", "key": "€", "altKey": True, "ctrlKey": True}, None),
    ({"code": "KeyE", "key": "e"}, None),
    ({"code": "KeyK", "key": "k", "metaKey": True}, "search"),
    ({"code": "IntlRo", "key": "/", "ctrlKey": True}, "help"),
]
NUMBERS = {
    "(11) 98888-7777": "5511988887777",
    "+351 912 345 678": "351912345678",
    "55 11 3333-4444": "551133334444",
    "123": None,
    "": None,
}
NEWS = {"every": 2_000, "calm": 3_000, "isSlow": False}
PAUSES = [
    (NEWS | {"quiet": 29_000}, 2_000),
    (NEWS | {"quiet": 31_000}, 3_000),
    (NEWS | {"quiet": 301_000}, 15_000),
    (NEWS | {"quiet": 0, "isSlow": True}, 15_000),
    ({"every": 10_000, "quiet": 31_000, "isSlow": False}, 10_000),
    ({"every": 30_000, "quiet": 0, "isSlow": True}, 30_000),
]
COMPACT = [
    ("2026-11-26T14:03:00-03:00", "14:03"),
    ("2026-11-25T23:59:00-03:00", "ontem"),
    ("2026-11-23T10:00:00-03:00", "seg."),
    ("2026-11-12T10:00:00-03:00", "12/11"),
    ("2025-11-12T10:00:00-03:00", "12/11/2025"),
]


async def test_rules_of_the_list(page: Tab, subtests: pytest.Subtests):
    soon = time.mktime(time.strptime("2026-11-26 12:00:30", "%Y-%m-%d %H:%M:%S")) * 1000
    with subtests.test("fallen lines"):
        answers = [await call(page, "lines.js", "isFallen", line, soon) for line, _ in FALLEN]
        assert answers == [is_fallen for _, is_fallen in FALLEN]
    with subtests.test("shortcuts"):
        shortcuts = "views/inbox/shortcuts.js"
        assert [await call(page, shortcuts, "findShortcut", key) for key, _ in KEYS] == [
            name for _, name in KEYS
        ]
    with subtests.test("numbers"):
        dialog = "views/inbox/NewDialog.js"
        numbers = {text: await call(page, dialog, "readNumber", text) for text in NUMBERS}
        assert numbers == NUMBERS
    with subtests.test("times"):
        assert [await page.page.evaluate(WRITE, [page.app, when]) for when, _ in COMPACT] == [
            words for _, words in COMPACT
        ]
    with subtests.test("colours"):
        lines = [a_line(name) for name in ("vendas", "default", "suporte")]
        assert await page.page.evaluate(COLOUR, [page.app, lines]) == [2, 0, 1]
    with subtests.test("title"):
        facts = {"name": "Conversas", "unread": 120, "fallen": 2}
        title = await call(page, "title.js", "composeTitle", facts)
        assert title == "⚠ (99+) Conversas · Perene"
    with subtests.test("pauses"):
        assert [await call(page, "pace.js", "choosePause", facts) for facts, _ in PAUSES] == [
            pause for _, pause in PAUSES
        ]
    with subtests.test("place to reconnect"):
        fallen = [a_line("x", state="closed"), a_line("y"), a_line("z", state="conflict")]
        places = [
            await call(page, "views/inbox/Fallen.js", "placeToReconnect", some)
            for some in ([fallen[0]], fallen[:2], [fallen[2]])
        ]
        assert places == ["/lines/x/connect", "/lines", "/lines"]


COLOUR = """async ([app, answered]) => {
    const { hueOf, lines } = (await import(app)).$modules['lines.js'];
    lines.value = { data: { lines: answered }, error: null };
    return answered.map(({ line }) => hueOf(line));
}"""
WRITE = """async ([app, when]) => {
    const { formatCompact } = await import(new URL('format.js', app));
    return formatCompact(when, new Date('2026-11-26T18:00:00-03:00'));
}"""


async def test_news_take_their_place(page: Tab):
    module = "views/inbox/conversations.js"
    items = [a_conversation(at) for at in range(3)]
    news = [
        a_conversation(2, last_at=NOON + 1, unread=1),
        a_conversation(1, archived=True),
        a_conversation(7, last_at=NOON - 1, line="other"),
    ]

    merged = await call(page, module, "mergeNews", items, news, {})
    assert [item["id"] for item in merged] == ["c2", "c0", "c7"]
    for filters, ids in (({"line": "default"}, ["c2", "c0"]), ({"unread": "true"}, ["c2"])):
        kept = [item for item in items if filters != {"unread": "true"}]
        merged = await call(page, module, "mergeNews", kept, news, filters)
        assert [item["id"] for item in merged] == ids


async def test_only_news_of_others_are_told(page: Tab):
    ours = {"kind": "text", "text": "x", "from_me": True}
    conversations = [
        a_conversation(0, unread=1),
        a_conversation(0, unread=0),
        a_conversation(0, unread=1, last=ours),
        a_conversation(0, unread=1, line="silent"),
        a_conversation(5, unread=1),
    ]

    told = await call(page, "alerts.js", "chooseNews", conversations, NOON - 60_000, ["silent"])

    assert told == conversations[:1]
