"""Send messages and questions about chats as they were recorded, in both dialects."""

from datetime import UTC, datetime

import pytest

from shared.domain.outgoing import (
    Audio,
    ContactCard,
    Contacts,
    Location,
    MediaKind,
    Options,
    Outgoing,
    OutgoingMedia,
    OutgoingPoll,
    OutgoingReaction,
    Sticker,
    Text,
)
from shared.domain.upstream import MessageKey
from tests.adapters.evolution_calls import download
from tests.adapters.evolution_wire import an_evolution, exchange, saying
from tests.cases import in_each

pytestmark = pytest.mark.anyio

MARIA = "5511988887777"
JID = f"{MARIA}@s.whatsapp.net"


def recorded(name):
    return exchange(name)["request"]


def media_of(name, kind):
    body = recorded(name)["body"]
    return OutgoingMedia(kind, body["media"], body["mimetype"], body["caption"], body["fileName"])


SENDS = {
    "baileys-sendText": Outgoing(MARIA, Text("olá")),
    "baileys-sendText-delay-2000": Outgoing(MARIA, Text("x"), Options(typing_ms=2000)),
    "baileys-sendText-quoted-known": Outgoing(
        MARIA, Text("resp"), Options(quoted_id="3EB0D185E700E8211E1E34")
    ),
    "baileys-sendText-link": Outgoing(
        MARIA, Text("veja http://127.0.0.1:18099/x"), Options(link_preview=False)
    ),
    "baileys-sendText-group": Outgoing(
        "120363000000000001@g.us", Text("oi grupo"), Options(mention_everyone=True)
    ),
    "baileys-sendMedia-image": Outgoing(
        MARIA, media_of("baileys-sendMedia-image", MediaKind.IMAGE)
    ),
    "baileys-sendMedia-video": Outgoing(
        MARIA, media_of("baileys-sendMedia-video", MediaKind.VIDEO)
    ),
    "baileys-sendMedia-document": Outgoing(
        MARIA, media_of("baileys-sendMedia-document", MediaKind.DOCUMENT)
    ),
    "baileys-sendWhatsAppAudio": Outgoing(
        MARIA, Audio(recorded("baileys-sendWhatsAppAudio")["body"]["audio"])
    ),
    "baileys-sendSticker": Outgoing(
        MARIA, Sticker(recorded("baileys-sendSticker")["body"]["sticker"])
    ),
    "baileys-sendLocation": Outgoing(MARIA, Location(-23.5, -46.6, "Praça", "Rua X")),
    "baileys-sendContact": Outgoing(
        MARIA,
        Contacts(
            (ContactCard("João", "+55 11 97777-6666", "ACME", "a@b.c", "https://x.y"),),
        ),
    ),
    "baileys-sendReaction": Outgoing(
        MARIA, OutgoingReaction(MessageKey("3EB0D185E700E8211E1E34", JID, True), "👍")
    ),
    "baileys-sendPoll": Outgoing(MARIA, OutgoingPoll("Qual?", ("A", "B"))),
}


@in_each("name", SENDS)
async def test_send_request_matches_recording(name):
    request = recorded(name)
    evolution, wire = an_evolution(saying(201, exchange(name)["response"]["body"]))

    await evolution.send_message("wa1", SENDS[name])

    assert wire.paths == [f"POST {request['path']}"]
    assert wire.bodies == [request["body"]]


async def test_1_8_text_follows_its_source():
    request = recorded("v1.sendText")
    evolution, wire = an_evolution(saying(201, {}), "1.8.2")

    await evolution.send_message(
        "wa1", Outgoing(MARIA, Text("oi"), Options(typing_ms=1200, link_preview=False))
    )

    assert wire.paths == [f"POST {request['path']}"]
    assert wire.bodies == [request["body"]]


OLD_BODIES = [
    (
        Outgoing(MARIA, Text("@todos"), Options(mentions=("+55 11 9",), mention_everyone=True)),
        {
            "number": MARIA,
            "options": {"mentions": {"everyOne": True, "mentioned": ["55119"]}},
            "textMessage": {"text": "@todos"},
        },
    ),
    (
        Outgoing(MARIA, Sticker("iVBOR"), Options(quoted_id="3EB0")),
        {
            "number": MARIA,
            "options": {"quoted": {"key": {"id": "3EB0"}}},
            "stickerMessage": {"image": "iVBOR"},
        },
    ),
    (
        Outgoing(MARIA, Contacts((ContactCard("J", "5511977776666"),))),
        {
            "number": MARIA,
            "contactMessage": [
                {"fullName": "J", "wuid": "5511977776666", "phoneNumber": "5511977776666"}
            ],
        },
    ),
    (
        Outgoing(MARIA, OutgoingReaction(MessageKey("3EB0", JID, False), "")),
        {
            "reactionMessage": {
                "key": {"id": "3EB0", "remoteJid": JID, "fromMe": False},
                "reaction": "",
            }
        },
    ),
]


@in_each(("outgoing", "body"), OLD_BODIES, ids=["text", "sticker", "card", "emoji"])
async def test_1_8_gets_nested_content(outgoing, body):
    evolution, wire = an_evolution(saying(201, {}), "1.8.2")

    await evolution.send_message("wa1", outgoing)

    assert wire.bodies == [body]


async def test_mentions_are_unique_digits():
    evolution, wire = an_evolution(saying(201, {}))

    await evolution.send_message(
        "wa1", Outgoing(MARIA, Text("oi"), Options(mentions=("+55 11", "5511")))
    )

    assert wire.bodies[0]["mentioned"] == ["5511"]


CHATS = {
    "baileys-updateMessage": lambda e: e.edit_message(
        "wa1", MessageKey("3EB0889CC8D1898B484C3E", JID, True), "editado"
    ),
    "baileys-deleteMessageForEveryone": lambda e: e.delete_message(
        "wa1", MessageKey("3EB0889CC8D1898B484C3E", JID, True)
    ),
    "baileys-markMessageAsRead": lambda e: e.mark_read(
        "wa1", [MessageKey("3A000000000000000003", JID, False)]
    ),
    "baileys-getBase64": lambda e: download(e, "wa1", "3EB00C57CC39265A718A94"),
    "baileys-whatsappNumbers": lambda e: e.look_up_numbers(
        "wa1", recorded("baileys-whatsappNumbers")["body"]["numbers"]
    ),
}


@in_each("name", CHATS)
async def test_chat_request_matches_recording(name):
    request, response = recorded(name), exchange(name)["response"]
    evolution, wire = an_evolution(saying(response["status"], response["body"]))

    await CHATS[name](evolution)

    expected = request["body"]
    if name == "baileys-updateMessage":
        expected = {**expected, "number": JID}  # a whole address escapes the ninth-digit rule
    assert wire.paths == [f"{request['method']} {request['path']}"]
    assert wire.bodies == [expected]


async def test_1_8_marks_and_edits_differently():
    evolution, wire = an_evolution(saying(201, {}), "1.8.2")

    await evolution.mark_read("wa1", [MessageKey("3A", JID, False)])
    await evolution.edit_message("wa1", MessageKey("3A", JID, True), "editado")

    assert wire.paths == ["PUT /chat/markMessageAsRead/wa1", "PUT /chat/updateMessage/wa1"]
    assert list(wire.bodies[0]) == ["read_messages"]


async def test_history_is_requested_by_interval():
    evolution, wire = an_evolution(saying(200, {"messages": {"records": []}}))
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    await evolution.history("wa1", "5511999990001", since, until, 3)

    times = {"gte": "2026-01-01T00:00:00.000Z", "lte": "2026-01-02T00:00:00.000Z"}
    assert wire.bodies == [{"where": {"messageTimestamp": times}, "page": 3, "offset": 50}]


async def test_1_8_history_keeps_to_interval():
    stamps = [1767225600, "1767225601", {"low": 1767312001, "high": 0}, None]
    answer = [
        {"key": {"remoteJid": JID, "id": f"3A{place}"}, "messageTimestamp": stamp}
        for place, stamp in enumerate(stamps)
    ]
    evolution, _ = an_evolution(saying(200, answer), "1.8.2")
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    page = await evolution.history("wa1", "5511999990001", since, until)

    (recalled,) = page.events
    assert [message.id for message in recalled.messages] == ["3A0", "3A1"]
    assert page.pages == 1


async def test_empty_lookup_calls_nothing():
    evolution, wire = an_evolution(saying(500))

    assert await evolution.look_up_numbers("wa1", []) == []
    assert wire.requests == []
