"""One cheap request tells what is new in the list, in the open thread, and in what is unread."""

import asyncio
from typing import Any

import httpx
import pytest

from infra.costs import LOOKED, WAITED, Operations
from shared import services
from shared.domain.instances import epoch_ms
from shared.inbox import news
from tests.adapters.counting import counting
from tests.journeys.test_conversations import say, write
from tests.journeys.test_costs import costs
from tests.journeys.test_sending import ANA, MARIA, OWN, talk
from tests.perene import Perene, name_of


@pytest.fixture
async def paired(on_2: Perene) -> Perene:
    await on_2.pair(number=OWN)
    return on_2


async def ask(perene: Perene, etag: str = "", **query: Any) -> httpx.Response:
    headers = {"if-none-match": etag} if etag else {}
    return await perene.call("GET", "/conversations/news", params=query, headers=headers)


async def test_news_are_told_once(paired: Perene):
    maria = await talk(paired, "oi", MARIA)
    page = (await paired.call("GET", f"/conversations/{maria}/messages")).json()
    newest = (await ask(paired)).json()["conversations"]
    query = {"since": newest[0]["last_at"], "thread": maria, "thread_since": page["since"]}
    etag = (await ask(paired, **query)).headers["etag"]

    with counting(paired.store.db.client) as quiet:
        unchanged = await ask(paired, etag, **query)
    await write(paired, name_of("acme"), ANA, "tem vaga?")
    await write(paired, name_of("acme"), MARIA, "e o preço?")
    changed = await ask(paired, etag, **query)

    assert unchanged.status_code == 304
    assert Operations(quiet.reads, quiet.writes) == LOOKED
    news = changed.json()
    assert [row["last"]["text"] for row in news["conversations"]] == ["e o preço?", "tem vaga?"]
    assert [message["text"] for message in news["thread"]["messages"]][-1] == "e o preço?"
    assert "unread" not in news


async def test_news_of_list_alone_cost_two_reads(paired: Perene):
    await talk(paired)
    newest = (await ask(paired)).json()["conversations"][0]

    with costs(paired) as counted:
        await ask(paired, since=newest["last_at"])

    assert (counted.reads, counted.writes) == (2, 0)


async def test_told_news_are_known(paired: Perene):
    """Also since the newest of them: a page that shows it isn't answered the same again."""
    a_minute_ago = int(paired.clock().timestamp()) - 60
    oi = {"conversation": "oi"}
    await say(paired, name_of("acme"), oi, MARIA, messageTimestamp=a_minute_ago)
    before = (await ask(paired)).json()["conversations"][0]["last_at"]
    await talk(paired, "oi", ANA)
    told = await ask(paired, since=before, unread="changed")

    again = await ask(
        paired,
        told.headers["etag"],
        since=told.json()["conversations"][0]["last_at"],
        unread="changed",
    )

    assert told.json()["unread"]["total"] == 2
    assert again.status_code == 304


async def test_tag_is_of_all_that_is_shown(paired: Perene):
    """Also of older conversations, where a caller asks since then: for more, or once more."""
    a_minute_ago = int(paired.clock().timestamp()) - 60
    oi = {"conversation": "oi"}
    await say(paired, name_of("acme"), oi, MARIA, messageTimestamp=a_minute_ago)
    (older,) = (await ask(paired)).json()["conversations"]
    await talk(paired, "oi", ANA)
    newest = (await ask(paired)).headers["etag"]
    query = {"since": older["last_at"], "wait": True, "unread": "changed"}

    for_more = await ask(paired, newest, **query)
    await paired.call("PATCH", f"/conversations/{older['id']}", json={"read": True})
    once_more = await ask(paired, for_more.headers["etag"], **query)
    known = await ask(paired, once_more.headers["etag"], **query)

    for answer, unread in ((for_more, 2), (once_more, 1)):
        news = answer.json()
        assert [row["unread"] for row in news["conversations"]] == [1, unread - 1]
        assert news["unread"]["total"] == unread
    assert known.status_code == 304


async def test_late_message_is_news(paired: Perene):
    await talk(paired, "oi", MARIA)
    newest = (await ask(paired)).json()["conversations"][0]["last_at"]

    late = await ask(paired, since=newest + news.LATE_MS - 1)

    assert [row["last"]["text"] for row in late.json()["conversations"]] == ["oi"]


# Waiting -------------------------------------------------------------------------------------


@pytest.fixture
async def told(paired: Perene) -> dict[str, Any]:
    """Show all that there is; return what the inbox asks next."""
    maria = await talk(paired, "oi", MARIA)
    newest = (await ask(paired)).json()["conversations"][0]["last_at"]
    since = epoch_ms(paired.clock()) - 1
    query = {"since": newest, "thread": maria, "thread_since": since, "unread": "changed"}
    return query | {"etag": (await ask(paired, **query)).headers["etag"], "wait": True}


async def test_waiting_request_brings_the_message(
    paired: Perene, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    async def hear(_: float) -> None:
        monkeypatch.undo()
        await write(paired, name_of("acme"), MARIA, "e o preço?")

    monkeypatch.setattr(services, "pause", hear)

    answer = (await ask(paired, **told)).json()

    assert answer["conversations"][0]["last"]["text"] == "e o preço?"
    assert answer["thread"]["messages"][-1]["text"] == "e o preço?"
    assert answer["unread"]["total"] == 1


async def test_waiting_request_reads_little(paired: Perene, told: dict[str, Any]):
    with counting(paired.store.db.client) as counted:
        answer = await ask(paired, **told)

    assert answer.status_code == 304
    assert Operations(counted.reads, counted.writes) == WAITED


async def test_few_requests_wait(paired: Perene, told: dict[str, Any]):
    """Others find a place: where some wait, the next one is answered at once."""
    waiting = services.once("news", lambda: asyncio.Semaphore(news.MOST_WAITING))
    for _ in range(news.MOST_WAITING):
        await waiting.acquire()

    with counting(paired.store.db.client) as counted:
        await ask(paired, **told)

    assert Operations(counted.reads, counted.writes) == LOOKED


# Unread --------------------------------------------------------------------------------------


async def test_all_unread_are_counted_by_line(paired: Perene):
    await paired.operate("PUT", "/fleet/tenants/acme", json={"max_lines": 2})
    await paired.pair(line="vendas", number="5511999990002")
    await talk_on(paired, "default", MARIA)
    await talk_on(paired, "default", ANA)
    await talk_on(paired, "vendas", MARIA)

    unread = (await ask(paired, unread=True)).json()["unread"]

    assert unread == {"total": 3, "lines": {"default": 2, "vendas": 1}}


async def talk_on(perene: Perene, line: str, sender: str) -> None:
    await write(perene, name_of("acme", line), sender)


async def test_more_news_than_a_page(paired: Perene):
    for sender in (MARIA, ANA):
        await talk(paired, sender=sender)

    pages = [await paired.store.conversations.list_since("acme", 0, limit, 1) for limit in (1, 3)]

    assert [(len(page.records), page.end is None) for page in pages] == [(1, False), (2, True)]


async def test_thread_of_news_has_to_exist(paired: Perene):
    assert (await ask(paired, thread="nonsense")).status_code == 404
