"""Of what was taken back nothing is stored any more, whatever kind it was."""

from datetime import UTC, datetime
from typing import Any

from shared import recording
from shared.domain.contacts import contact_of
from shared.domain.content import Kind, preview
from shared.domain.content.texts import TextContent
from shared.domain.content.unreadable import WaitingContent
from shared.domain.events import Revoked
from shared.domain.messages import AdOrigin, Message, Quoted
from shared.domain.names import LineId, TenantId
from shared.store import LineScope
from tests.contents import WORD, a_filled_content
from tests.perene import Perene

MARIA = contact_of("5511988887777@s.whatsapp.net")
SCOPE = LineScope(TenantId("acme"), LineId("default"), "5511999990001")
NOW = 1_790_000_000_000
MOMENT = datetime.fromtimestamp(NOW / 1000, UTC)


def a_message(name: str, content: Any, **more: Any) -> Message:
    return Message(id=name, content=content, contact=MARIA, from_me=False, at=NOW, **more)


async def test_nothing_is_left_of_any_kind(on_2: Perene):
    store, left = on_2.store, {}
    for number, kind in enumerate(Kind):
        content, name = a_filled_content(kind), f"M{number}"
        quoted = Quoted(id=name, preview=preview(content) or WORD)
        said = a_message(name, content, quoted=Quoted(id="3A0", preview=WORD))
        answer = a_message(f"Q{number}", TextContent(kind=Kind.TEXT, text="re"), quoted=quoted)
        await store.messages.record(SCOPE, answer, unread=True, now=NOW)
        await store.messages.record(SCOPE, said, unread=True, now=NOW)
        event = Revoked(name, NOW, (MARIA.key,))
        await recording.record_event(SCOPE, event, MOMENT)

        documents = on_2.documents("tenants/acme/messages")
        summaries = on_2.documents("tenants/acme/conversations")
        if WORD in str(documents) or WORD in str(summaries):
            left[kind] = documents.get(f"default~{name}")

    assert left == {}


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
