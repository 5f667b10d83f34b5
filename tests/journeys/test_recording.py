"""Each message counts once in what recording returns, however it was learned and how often."""

from shared import recording
from shared.domain.content import Kind
from shared.domain.content.texts import TextContent
from shared.domain.events import Recalled, Said
from shared.recording import RecordableEvent, SendAnswered, SendMatched
from tests.journeys.test_nothing_left import MOMENT, SCOPE, a_message, a_send
from tests.perene import Perene

HELLO = TextContent(kind=Kind.TEXT, text="oi")


async def count_new(*reports: RecordableEvent) -> list[int]:
    results = [await recording.record_event(SCOPE, event, MOMENT) for event in reports]
    assert {type(result.new) for result in results} == {int}
    return [result.new for result in results]


async def test_message_counts_once(on_2: Perene):
    theirs, ours = a_message("M1", HELLO), a_message("M2", HELLO, from_me=True)

    for message in (theirs, ours):
        said = Said(message, fresh=True)
        assert await count_new(said, said, Recalled((message,))) == [1, 0, 0]


async def test_sent_message_counts_once(on_2: Perene):
    for number, is_echo_first in enumerate((False, True)):
        key, message = f"k{number}", a_message(f"M{number}", HELLO, from_me=True)
        on_2.write(f"tenants/acme/sends/{key}", **a_send(key, HELLO).model_dump())
        send = await on_2.store.sends.find(SCOPE.tenant, key)
        assert send
        reports = [SendAnswered(send, message), Said(message, fresh=True)]

        assert await count_new(*(reports[::-1] if is_echo_first else reports)) == [1, 0]


async def test_match_is_no_new_message(on_2: Perene):
    echo = a_message("M1", HELLO, from_me=True)
    on_2.write("tenants/acme/sends/k", **a_send("k", HELLO).model_dump())
    send = await on_2.store.sends.find(SCOPE.tenant, "k")
    await recording.record_event(SCOPE, Said(echo, fresh=True), MOMENT)
    name = SCOPE.conversation_id(echo.contact)
    conversation = await on_2.store.conversations.find(SCOPE.tenant, name)
    assert send
    assert conversation

    match = SendMatched(send, "M1", conversation)
    result = await recording.record_event(SCOPE, match, MOMENT)

    assert (result.new, result.is_matched) == (0, True)
