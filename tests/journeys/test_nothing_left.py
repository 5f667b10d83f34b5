"""Of what was taken back nothing is stored any more, whatever kind it was."""

from datetime import UTC, datetime
from typing import Any

from shared import recording
from shared.domain.contacts import contact_of
from shared.domain.content import Kind, preview
from shared.domain.content.texts import TextContent
from shared.domain.content.unreadable import WaitingContent
from shared.domain.events import Revoked
from shared.domain.kept_messages import ME
from shared.domain.messages import AdOrigin, Message, Quoted
from shared.domain.names import LineId, TenantId
from shared.domain.sends import Send, SendState
from shared.store import LineScope
from tests.contents import WORD, a_filled_content
from tests.perene import Perene

MARIA = contact_of("5511988887777@s.whatsapp.net")
SCOPE = LineScope(TenantId("acme"), LineId("default"), "5511999990001")
NOW = 1_790_000_000_000
MOMENT = datetime.fromtimestamp(NOW / 1000, UTC)


def a_message(name: str, content: Any, **more: Any) -> Message:
    fields = {"contact": MARIA, "from_me": False, "at": NOW} | more
    return Message(id=name, content=content, **fields)


def a_quote(name: str, of: str, words: str, **more: Any) -> Message:
    """Build an answer to a message, with that message's words."""
    content = TextContent(kind=Kind.TEXT, text="re")
    return a_message(name, content, quoted=Quoted(id=of, preview=words), **more)


def a_send(key: str, content: Any) -> Send:
    """Build a send whose server hasn't answered yet."""
    return Send(
        **SCOPE._asdict(),
        key=key,
        request="r",
        conversation=SCOPE.conversation_id(MARIA),
        contact=MARIA,
        content=content,
        state=SendState.SENDING,
        holder="h",
        asked_at=MOMENT,
        until=MOMENT,
        expires_at=MOMENT,
    )


def what_holds_words(perene: Perene) -> list[str]:
    """List the documents in which a word of a content still is."""
    collections = [f"tenants/acme/{name}" for name in ("messages", "conversations", "sends")]
    documents = [item for name in collections for item in perene.documents(name).items()]
    return [name for name, fields in documents if WORD in str(fields)]


async def test_nothing_is_left_of_any_kind(on_2: Perene):
    messages, left = on_2.store.messages, list[str]()
    for number, kind in enumerate(Kind):
        content, name = a_filled_content(kind), f"M{number}"
        said = a_message(name, content, quoted=Quoted(id="3A0", preview=WORD))
        answer = a_quote(f"Q{number}", name, preview(content) or WORD)
        await messages.record(SCOPE, answer, unread=True, now=NOW)
        await messages.record(SCOPE, said, unread=True, now=NOW)
        await recording.record_event(SCOPE, Revoked(name, NOW, (MARIA.key,)), MOMENT)
        left += what_holds_words(on_2)

    assert left == []


async def test_nothing_is_left_of_what_was_sent(on_2: Perene):
    store, left = on_2.store, list[str]()
    for number, kind in enumerate(Kind):
        content, key = a_filled_content(kind), f"k{number}"
        on_2.write(f"tenants/acme/sends/{key}", **a_send(key, content).model_dump())
        echo = a_message(f"M{number}", content, from_me=True)
        await store.messages.record_echo(SCOPE, echo, now=NOW)
        await recording.record_event(SCOPE, Revoked(echo.id, NOW, (ME,)), MOMENT)
        send = await store.sends.find(SCOPE.tenant, key)
        assert send

        sent = (await store.sends.record_sent(send, echo, NOW)).send

        assert (sent.state, sent.message) == (SendState.SENT, echo.id)
        left += what_holds_words(on_2)

    assert left == []


async def test_late_quotes_are_purged_at_night(on_2: Perene):
    store, kinds = on_2.store, list(enumerate(Kind))
    for number, kind in kinds:
        said = a_message(f"M{number}", a_filled_content(kind))
        await store.messages.record(SCOPE, said, unread=True, now=NOW)
        await recording.record_event(SCOPE, Revoked(said.id, NOW, (MARIA.key,)), MOMENT)
    quotes = [
        a_quote(f"Q{number}", f"M{number}", preview(a_filled_content(kind)) or WORD)
        for number, kind in kinds
    ]
    own = a_quote("E", "M0", WORD, from_me=True)
    send = a_send("k", own.content).model_copy(update={"quoted": own.quoted})
    on_2.write("tenants/acme/sends/k", **send.model_dump())
    send = await store.sends.find(SCOPE.tenant, "k")
    assert send

    await store.messages.record(SCOPE, quotes[0], unread=True, now=NOW)
    await store.messages.record_echo(SCOPE, own, now=NOW)
    await store.sends.record_sent(send, a_quote("S", "M0", WORD, from_me=True), NOW)
    await store.messages.record_history(SCOPE, quotes[1:], now=NOW)
    before = what_holds_words(on_2)
    report = await on_2.sweep()

    assert len(before) == len(quotes) + 2
    assert (what_holds_words(on_2), report["counts"]["quotes_purged"]) == ([], len(quotes))


async def test_the_advertisement_goes_from_the_message_and_stays_with_the_conversation(
    on_2: Perene,
):
    origin = AdOrigin(source_id="1", title=WORD)
    said = a_message("M1", TextContent(kind=Kind.TEXT, text="oi"), origin=origin)
    await on_2.store.messages.record(SCOPE, said, unread=True, now=NOW)

    await recording.record_event(SCOPE, Revoked("M1", NOW, (MARIA.key,)), MOMENT)

    assert WORD not in str(on_2.documents("tenants/acme/messages"))
    (conversation,) = on_2.documents("tenants/acme/conversations").values()
    assert conversation["from_ad"] is True


async def test_words_that_come_after_the_revocation_are_not_stored(on_2: Perene):
    waiting = a_message("M1", WaitingContent(kind=Kind.WAITING))
    clear = a_message("M1", TextContent(kind=Kind.TEXT, text=WORD))
    await on_2.store.messages.record(SCOPE, waiting, unread=True, now=NOW)
    await recording.record_event(SCOPE, Revoked("M1", NOW, (MARIA.key,)), MOMENT)

    await on_2.store.messages.record(SCOPE, clear, unread=True, now=NOW)
    await on_2.store.messages.record_history(SCOPE, [clear], now=NOW)

    assert WORD not in str(on_2.documents("tenants/acme/messages"))
    assert WORD not in str(on_2.documents("tenants/acme/conversations"))


async def test_history_brings_what_was_waited_for(on_2: Perene):
    waiting = a_message("M1", WaitingContent(kind=Kind.WAITING))
    clear = a_message("M1", TextContent(kind=Kind.TEXT, text="oi"))
    await on_2.store.messages.record(SCOPE, waiting, unread=True, now=NOW)

    await on_2.store.messages.record_history(SCOPE, [clear], now=NOW)

    (message,) = on_2.documents("tenants/acme/messages").values()
    (conversation,) = on_2.documents("tenants/acme/conversations").values()
    assert (message["text"], conversation["preview"]["text"]) == ("oi", "oi")
    assert conversation["unread"] == 1
