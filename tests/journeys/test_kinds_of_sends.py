"""Every kind of content goes out on both dialects, comes into the conversation, and has limits."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from shared.domain import evidence
from shared.domain.content import Kind
from shared.domain.kept_messages import KeptMessage
from shared.domain.sends import Send
from tests.cases import in_each
from tests.journeys.test_sending import MARIA, OWN, outcome, said, send, talk, thread
from tests.perene import Perene, in_both_dialects

FILE = base64.b64encode(b"\xff\xd8\xff\xe0 a small picture").decode()
SOUND = base64.b64encode(b"OggS\0\2 a short sound").decode()
PAPER = base64.b64encode(b"%PDF-1.7 a contract").decode()
URL = "https://cdn.perene.com/a.jpg"

KINDS: dict[str, tuple[Any, Kind | None]] = {
    "text": ("olá", Kind.TEXT),
    "image": ({"base64": FILE, "caption": "veja"}, Kind.IMAGE),
    "video": ({"url": URL, "caption": "veja"}, Kind.VIDEO),
    "document": ({"base64": PAPER, "name": "contrato.pdf", "mimetype": "application/pdf"},
                 Kind.DOCUMENT),
    "audio": ({"base64": SOUND, "mimetype": "audio/ogg; codecs=opus"}, Kind.VOICE),
    "sticker": ({"base64": FILE}, Kind.STICKER),
    "location": ({"latitude": -23.5, "longitude": -46.6, "name": "Loja"}, Kind.LOCATION),
    "contacts": ([{"name": "Ana", "number": "+55 21 97777-6666"}], Kind.CONTACTS),
    "poll": ({"question": "Qual?", "options": ["A", "B"]}, Kind.POLL),
}  # fmt: skip


@pytest.fixture
async def open_line(perene: Perene) -> Perene:
    await perene.pair(number=OWN)
    return perene


@in_both_dialects
@in_each("kind", KINDS)
async def test_every_kind_goes_out(open_line: Perene, kind: str):
    content, shown = KINDS[kind]
    conversation = await talk(open_line)
    before = len(open_line.evolution.sent_messages())

    answer = await send(open_line, kind, conversation=conversation, **{kind: content})

    assert answer.status_code == 201, answer.text
    await open_line.evolution.drain()
    message = next(
        message
        for message in await thread(open_line, conversation)
        if message["id"] == answer.json()["message"]["id"]
    )
    assert (message["kind"], message["from_me"], message["delivery"]) == (shown, True, "delivered")
    assert len(open_line.evolution.sent_messages()) == before + 1
    request = Send.model_validate(open_line.documents("tenants/acme/sends")[kind])
    document = open_line.documents("tenants/acme/messages")[f"default~{request.message}"]
    assert evidence.matches(request, KeptMessage.model_validate(document))


@in_both_dialects
@in_each("kind", ["text", "image", "poll", "location", "contacts", "document"])
async def test_echo_answers_for_every_kind(open_line: Perene, kind: str):
    content, _ = KINDS[kind]
    conversation = await talk(open_line)
    before = len(open_line.evolution.sent_messages())
    open_line.evolution.faults.turn_on("cut_after", route="send*", count=1)

    await send(open_line, kind, conversation=conversation, **{kind: content})
    await open_line.evolution.drain()

    assert (await outcome(open_line, kind)).json()["state"] == "sent"
    assert len(open_line.evolution.sent_messages()) == before + 1


@in_both_dialects
async def test_reaction_is_shown_and_removed(open_line: Perene):
    conversation = await talk(open_line)
    (first,) = await thread(open_line, conversation)
    reaction = {"message": first["id"], "emoji": "👍"}

    answer = await send(open_line, "k1", conversation=conversation, reaction=reaction)

    assert answer.status_code == 201, answer.text
    assert (await thread(open_line, conversation))[0]["reactions"] == {"me": "👍"}
    open_line.clock.advance(timedelta(seconds=2))
    await send(open_line, conversation=conversation, reaction=reaction | {"emoji": ""})
    assert len(await thread(open_line, conversation)) == 1


async def test_unanswered_reaction_is_found(on_2: Perene):
    await on_2.pair(number=OWN)
    conversation = await talk(on_2)
    (first,) = await thread(on_2, conversation)
    on_2.evolution.faults.turn_on("cut_after", route="sendReaction", count=1)

    await send(
        on_2, "k1", conversation=conversation, reaction={"message": first["id"], "emoji": "👍"}
    )
    await on_2.evolution.drain()

    assert (await outcome(on_2, "k1")).json()["state"] == "sent"


@in_both_dialects
async def test_reply_quotes_a_known_message(open_line: Perene):
    conversation = await talk(open_line)
    (first,) = await thread(open_line, conversation)

    answer = await send(open_line, conversation=conversation, text="re", quoted=first["id"])
    unknown = await send(open_line, conversation=conversation, text="re", quoted="3A0")

    assert answer.status_code == 201, answer.text
    assert answer.json()["message"]["quoted"]["id"] == first["id"]
    assert (unknown.status_code, unknown.json()["type"]) == (
        404, "urn:perene:problem:message-unknown",
    )  # fmt: skip
    assert len(said(open_line)) == 1


async def test_message_of_another_conversation_is_not_quoted(on_2: Perene):
    await on_2.pair(number=OWN)
    conversation = await talk(on_2)
    other = await talk(on_2, "segredo", "5521977776666")
    (secret,) = await thread(on_2, other)

    answer = await send(on_2, conversation=conversation, text="re", quoted=secret["id"])

    assert (answer.status_code, said(on_2)) == (404, [])


BAD: dict[str, dict[str, Any]] = {
    "nothing": {},
    "two contents": {"text": "a", "poll": {"question": "q", "options": ["a", "b"]}},
    "an empty text": {"text": ""},
    "only blanks": {"text": " \n "},
    "a text longer than WhatsApp's": {"text": "x" * 65_537},
    "a field nobody knows": {"text": "a", "colour": "red"},
    "an option of another kind": {"audio": {"base64": FILE}, "link_preview": True},
    "typing for too long": {"text": "a", "typing_ms": 10_001},
    "no file": {"image": {}},
    "a file two ways": {"image": {"url": URL, "base64": FILE}},
    "a data URI": {"image": {"base64": f"data:image/png;base64,{FILE}"}},
    "broken base64": {"image": {"base64": "abc"}},
    "a file that is not encrypted on its way": {"image": {"url": "http://cdn.perene.com/a"}},
    "a file inside": {"image": {"url": "https://169.254.169.254/latest"}},
    "a file on this machine": {"image": {"url": "https://localhost/a"}},
    "a file of a name inside": {"image": {"url": "https://metadata.google.internal/a"}},
    "a file on an address in brackets": {"image": {"url": "https://[::1]/a"}},
    "a file of an address as one number": {"image": {"url": "https://2130706433/a"}},
    "a file with a password": {"image": {"url": "https://a:b@cdn.perene.com/a"}},
    "a text as an image": {"image": {"base64": "b2sK"}},
    "an image as a contract": {"document": {"base64": FILE, "name": "contrato.pdf"}},
    "a type of another kind": {"image": {"url": URL, "mimetype": "application/pdf"}},
    "a mention of a group": {"text": "@1", "mentions": ["120363000000000010@g.us"]},
    "a document without a name": {"document": {"base64": FILE}},
    "a caption longer than WhatsApp's": {"image": {"url": URL, "caption": "x" * 1_025}},
    "nowhere on earth": {"location": {"latitude": 91, "longitude": 0}},
    "no cards": {"contacts": []},
    "a card without a number": {"contacts": [{"name": "Ana", "number": "12"}]},
    "a question with one answer": {"poll": {"question": "q", "options": ["a"]}},
    "an answer twice": {"poll": {"question": "q", "options": ["a", "a"]}},
    "more choices than answers": {
        "poll": {"question": "q", "options": ["a", "b"], "selectable": 3}
    },
    "a reaction to nothing": {"reaction": {"emoji": "👍"}},
    "a text that is a number": {"text": 7},
}


@in_each("asked", BAD.values(), ids=BAD.keys())
async def test_invalid_content_changes_nothing(on_2: Perene, asked: dict[str, Any]):
    await on_2.pair(number=OWN)
    conversation = await talk(on_2)
    before = said(on_2), on_2.documents("tenants/acme/sends")

    answer = await send(on_2, conversation=conversation, **asked)

    assert (answer.status_code, answer.json()["type"]) == (
        422, "urn:perene:problem:request-invalid",
    )  # fmt: skip
    assert all(fault["message"] for fault in answer.json()["errors"])
    assert (said(on_2), on_2.documents("tenants/acme/sends")) == before


async def test_oversized_file_is_refused_early(on_2: Perene):
    await on_2.pair(number=OWN)
    conversation = await talk(on_2)

    large = await send(on_2, conversation=conversation, image={"base64": "A" * (22_400_000)})
    larger = await send(on_2, conversation=conversation, image={"base64": "A" * (26_000_000)})

    assert (large.status_code, larger.status_code) == (422, 413)
    assert said(on_2) == []


async def test_files_are_never_stored(on_2: Perene):
    await on_2.pair(number=OWN)
    conversation = await talk(on_2)

    await send(on_2, "k1", conversation=conversation, image={"base64": FILE})
    await on_2.evolution.drain()

    assert FILE not in str(on_2.documents("tenants/acme/sends"))
    assert FILE not in str(on_2.documents("tenants/acme/messages"))


async def test_typing_and_mentions_reach_the_server(on_2: Perene):
    await on_2.pair(number=OWN)
    conversation = await talk(on_2)

    answer = await send(
        on_2, conversation=conversation, text="@Maria", mentions=[f"+{MARIA}"], typing_ms=50,
        link_preview=False,
    )  # fmt: skip

    assert answer.json()["message"]["mentions"] == ["551188887777"]


GROUP = "120363000000000010@g.us"


async def test_member_without_a_number_is_mentioned_as_shown(open_line: Perene):
    (name,) = open_line.documents("instances")
    wrote = {"remoteJid": GROUP, "participant": "183082158140010@lid"}
    message = {"key": wrote, "message": {"conversation": "oi"}}
    await open_line.evolution.receive_message(name, message)
    await open_line.evolution.drain()
    (group,) = (await open_line.call("GET", "/conversations")).json()["conversations"]
    (inbound,) = await thread(open_line, group["id"])

    for who in (inbound["author"]["key"], "183082158140010@lid"):
        answer = await send(open_line, conversation=group["id"], text="ok", mentions=[who])
        assert answer.status_code == 201, answer.text

    shown = [message["mentions"] for message in await thread(open_line, group["id"])]
    assert shown == [["lid-183082158140010"], ["lid-183082158140010"], []]


async def test_everyone_in_a_group_is_mentioned(open_line: Perene):
    (name,) = open_line.documents("instances")
    wrote = {"remoteJid": GROUP, "participant": f"{MARIA}@s.whatsapp.net"}
    message = {"key": wrote, "message": {"conversation": "oi"}}
    await open_line.evolution.receive_message(name, message)
    await open_line.evolution.drain()

    answer = await send(open_line, to=GROUP, text="@todos", mention_everyone=True)

    assert answer.status_code == 201, answer.text
    assert "551188887777" in answer.json()["message"]["mentions"]


async def test_contact_is_written_to_by_the_key_it_is_shown_with(on_2: Perene):
    await on_2.pair(number=OWN)
    conversation = await talk(on_2)

    answer = await send(on_2, to="551188887777", text="oi")

    assert answer.json()["conversation"] == conversation
