"""What we send is what was recorded: routes, bodies, headers, in both dialects."""

from datetime import UTC, datetime

import httpx
import pytest

from shared.domain.outgoing import (
    Audio,
    Contact,
    Contacts,
    Location,
    Media,
    MediaKind,
    Options,
    Outgoing,
    Poll,
    Reaction,
    Sticker,
    Text,
)
from shared.domain.upstream import MessageKey, Wanted
from shared.evolution.dialects import SETTINGS
from tests.adapters.evolution_wire import KEY, WANTED, an_evolution, exchange, saying

pytestmark = pytest.mark.anyio

MARIA = "5511988887777"
JID = f"{MARIA}@s.whatsapp.net"


def recorded(name):
    return exchange(name)["request"]


def media_of(name, kind):
    body = recorded(name)["body"]
    return Media(kind, body["media"], body["mimetype"], body["caption"], body["fileName"])


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
            (Contact("João", "+55 11 97777-6666", "ACME", "a@b.c", "https://x.y"),),
        ),
    ),
    "baileys-sendReaction": Outgoing(
        MARIA, Reaction(MessageKey("3EB0D185E700E8211E1E34", JID, True), "👍")
    ),
    "baileys-sendPoll": Outgoing(MARIA, Poll("Qual?", ("A", "B"))),
}


@pytest.mark.parametrize("name", SENDS)
async def test_a_send_is_sent_as_it_was_recorded(name):
    request = recorded(name)
    evolution, wire = an_evolution(saying(201, exchange(name)["response"]["body"]))

    await evolution.send("wa1", SENDS[name])

    assert wire.paths == [f"POST {request['path']}"]
    assert wire.bodies == [request["body"]]


async def test_a_text_is_sent_to_1_8_as_its_source_wants_it():
    request = recorded("v1.sendText")
    evolution, wire = an_evolution(saying(201, {}), "1.8.2")

    await evolution.send(
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
        Outgoing(MARIA, Contacts((Contact("J", "5511977776666"),))),
        {
            "number": MARIA,
            "contactMessage": [
                {"fullName": "J", "wuid": "5511977776666", "phoneNumber": "5511977776666"}
            ],
        },
    ),
    (
        Outgoing(MARIA, Reaction(MessageKey("3EB0", JID, False), "")),
        {
            "reactionMessage": {
                "key": {"id": "3EB0", "remoteJid": JID, "fromMe": False},
                "reaction": "",
            }
        },
    ),
]


@pytest.mark.parametrize(("outgoing", "body"), OLD_BODIES, ids=["text", "sticker", "card", "emoji"])
async def test_1_8_gets_the_content_in_an_object_of_its_own(outgoing, body):
    evolution, wire = an_evolution(saying(201, {}), "1.8.2")

    await evolution.send("wa1", outgoing)

    assert wire.bodies == [body]


async def test_whom_a_text_mentions_is_said_in_digits_and_once():
    evolution, wire = an_evolution(saying(201, {}))

    await evolution.send("wa1", Outgoing(MARIA, Text("oi"), Options(mentions=("+55 11", "5511"))))

    assert wire.bodies[0]["mentioned"] == ["5511"]


async def test_a_create_asks_for_no_code_and_no_token_of_ours():
    evolution, wire = an_evolution(saying(201, {"instance": {}}))

    await evolution.create("wa1", WANTED, "5511999990001")

    assert wire.paths == ["POST /instance/create"]
    assert wire.bodies == [
        {
            "instanceName": "wa1",
            "integration": "WHATSAPP-BAILEYS",
            "qrcode": False,
            "number": "5511999990001",
            "rejectCall": False,
            "groupsIgnore": False,
            "alwaysOnline": False,
            "readMessages": False,
            "readStatus": False,
            "syncFullHistory": False,
            "webhook": {
                "enabled": True,
                "url": "https://perene.example/webhook",
                "headers": {"authorization": "Bearer signed"},
                "events": ["MESSAGES_UPSERT", "CONNECTION_UPDATE"],
                "byEvents": False,
                "base64": False,
            },
        }
    ]


async def test_a_create_uses_no_word_that_no_recorded_create_uses():
    evolution, wire = an_evolution(saying(201, {"instance": {}}))
    known = recorded("create-evolution-full")["body"]

    await evolution.create("wa1", WANTED, "5511999990001")

    assert wire.bodies[0].keys() <= known.keys() | {"qrcode"}
    assert wire.bodies[0]["webhook"].keys() <= known["webhook"].keys() | {"enabled"}


async def test_a_create_on_1_8_is_flat_and_in_snake_case():
    request = recorded("v1.create")["body"]
    evolution, wire = an_evolution(saying(201, {"instance": {}}), "1.8.2")
    wanted = Wanted("http://host/hook", {"authorization": "never sent"}, ("MESSAGES_UPSERT",))

    await evolution.create("wa1", wanted, "5511999990001")

    expected = {**request, "qrcode": False, "groups_ignore": False}
    del expected["token"]
    assert wire.bodies == [expected]


async def test_1_8_is_not_asked_for_events_it_may_not_know():
    evolution, wire = an_evolution(saying(201, {"instance": {}}), "1.8.2")
    wanted = Wanted("https://x.example", {}, ("MESSAGES_UPSERT", "SEND_MESSAGE_UPDATE"))

    await evolution.create("wa1", wanted)

    assert wire.bodies[0]["events"] == ["MESSAGES_UPSERT"]
    assert evolution.expected(wanted).webhook_events == ("MESSAGES_UPSERT",)


async def test_configuring_sets_the_webhook_and_all_settings():
    evolution, wire = an_evolution(saying(201, {}))

    await evolution.configure("evo-min", WANTED)

    assert wire.paths == ["POST /webhook/set/evo-min", "POST /settings/set/evo-min"]
    webhook, settings = wire.bodies
    assert settings == recorded("settings-set")["body"] == SETTINGS
    assert webhook["webhook"].keys() == recorded("webhook-set-ok")["body"]["webhook"].keys()


async def test_configuring_1_8_is_flat():
    evolution, wire = an_evolution(saying(201, {}), "1.8.2")

    await evolution.configure("wa1", Wanted("http://host/hook", {}, ("MESSAGES_UPSERT",)))

    webhook, settings = wire.bodies
    assert webhook == recorded("v1.webhook-set")["body"]
    assert settings == {
        "reject_call": False,
        "groups_ignore": False,
        "always_online": False,
        "read_messages": False,
        "read_status": False,
        "sync_full_history": False,
    }


@pytest.mark.parametrize("version", ["2.3.6", "1.8.2"])
async def test_silencing_turns_the_webhook_off_and_forgets_its_address(version):
    evolution, wire = an_evolution(saying(201, {}), version)

    await evolution.silence("wa1")

    webhook = wire.bodies[0].get("webhook", wire.bodies[0])
    assert (webhook["enabled"], webhook["events"]) == (False, [])
    assert webhook["url"].endswith(".invalid")


@pytest.mark.parametrize(("version", "method"), [("2.3.6", "POST"), ("1.8.2", "PUT")])
async def test_a_restart_uses_the_method_of_its_version(version, method):
    evolution, wire = an_evolution(saying(200, {"instance": {"state": "open"}}), version)

    await evolution.restart("wa1")

    assert wire.paths == [f"{method} /instance/restart/wa1"]


@pytest.mark.parametrize(
    ("version", "state", "restarting"),
    [
        ("2.3.6", "open", True),
        ("2.3.6", "connecting", True),
        ("1.8.2", "open", True),
        ("1.8.2", "connecting", False),
        ("1.8.2", "close", False),
    ],
)
async def test_the_state_that_a_restart_answers_tells_whether_it_was_connected(
    version, state, restarting
):
    evolution, _ = an_evolution(saying(200, {"instance": {"state": state}}), version)

    assert await evolution.restart("wa1") is restarting


async def test_a_number_asks_connect_for_a_pairing_code():
    evolution, wire = an_evolution(saying(200, {"count": 0}))

    await evolution.connect("wa-qrlimit", "5511933332222")

    assert wire.paths == [f"GET {recorded('connect-baileys-pairing-code')['path']}"]


CHATS = {
    "baileys-updateMessage": lambda e: e.edit(
        "wa1", MessageKey("3EB0889CC8D1898B484C3E", JID, True), "editado"
    ),
    "baileys-deleteMessageForEveryone": lambda e: e.delete_message(
        "wa1", MessageKey("3EB0889CC8D1898B484C3E", JID, True)
    ),
    "baileys-markMessageAsRead": lambda e: e.mark_read(
        "wa1", [MessageKey("3A000000000000000003", JID, False)]
    ),
    "baileys-getBase64": lambda e: e.media("wa1", "3EB00C57CC39265A718A94"),
    "baileys-fetchProfilePictureUrl": lambda e: e.profile_picture("wa1", MARIA),
    "baileys-whatsappNumbers": lambda e: e.numbers_on_whatsapp(
        "wa1", recorded("baileys-whatsappNumbers")["body"]["numbers"]
    ),
}


@pytest.mark.parametrize("name", CHATS)
async def test_a_chat_route_is_called_as_it_was_recorded(name):
    request, response = recorded(name), exchange(name)["response"]
    evolution, wire = an_evolution(saying(response["status"], response["body"]))

    await CHATS[name](evolution)

    expected = request["body"]
    if name == "baileys-updateMessage":
        expected = {**expected, "number": JID}  # a whole address escapes the ninth-digit rule
    assert wire.paths == [f"{request['method']} {request['path']}"]
    assert wire.bodies == [expected]


async def test_1_8_marks_as_read_and_edits_in_its_own_way():
    evolution, wire = an_evolution(saying(201, {}), "1.8.2")

    await evolution.mark_read("wa1", [MessageKey("3A", JID, False)])
    await evolution.edit("wa1", MessageKey("3A", JID, True), "editado")

    assert wire.paths == ["PUT /chat/markMessageAsRead/wa1", "PUT /chat/updateMessage/wa1"]
    assert list(wire.bodies[0]) == ["read_messages"]


async def test_messages_are_asked_for_by_both_ends_of_a_time():
    evolution, wire = an_evolution(saying(200, {"messages": {"records": []}}))
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    await evolution.messages("wa1", since, until, 3)

    times = {"gte": "2026-01-01T00:00:00.000Z", "lte": "2026-01-02T00:00:00.000Z"}
    assert wire.bodies == [{"where": {"messageTimestamp": times}, "page": 3, "offset": 50}]


async def test_of_what_1_8_answers_only_the_time_asked_for_is_kept():
    stamps = [1767225600, "1767225601", {"low": 1767312001, "high": 0}, None]
    answer = [{"messageTimestamp": stamp} for stamp in stamps]
    evolution, _ = an_evolution(saying(200, answer), "1.8.2")
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    page = await evolution.messages("wa1", since, until)

    assert list(page.records) == answer[:2]
    assert page.pages == 1


async def test_nobody_is_looked_up_without_a_call():
    evolution, wire = an_evolution(saying(500))

    assert await evolution.numbers_on_whatsapp("wa1", []) == []
    assert wire.requests == []


async def test_every_request_carries_the_key_in_a_header_and_nowhere_else():
    evolution, wire = an_evolution(saying(201, {"instance": {}}))

    await evolution.create("wa1", WANTED)
    await evolution.connect("wa1", "5511933332222")

    for request in wire.requests:
        assert request.headers["apikey"] == KEY
        assert KEY not in str(request.url)
        assert KEY not in request.content.decode()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("instance_a~2fb", "instance_a~2fb"),
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("../x", "..%2Fx"),
        ("a?instanceName=b", "a%3FinstanceName%3Db"),
        ("a#b", "a%23b"),
        ("a%2Fb", "a%252Fb"),
        ("ação ", "a%C3%A7%C3%A3o%20"),
    ],
)
async def test_a_name_stays_one_segment_of_the_path(name, written):
    evolution, wire = an_evolution(saying(200, {"instance": {"state": "open"}}))

    await evolution.connection(name)

    assert wire.paths == [f"GET /instance/connectionState/{written}"]


async def test_a_server_under_a_path_is_called_there():
    evolution, wire = an_evolution(saying(200, {"instance": {"state": "open"}}))
    evolution._server = evolution._server.model_copy(update={"url": "http://host.test/evo"})

    await evolution.connection("wa1")

    assert wire.requests[0].url == httpx.URL("http://host.test/evo/instance/connectionState/wa1")


async def test_a_redirect_is_not_followed_with_our_key():
    redirect = httpx.Response(307, headers={"location": "https://elsewhere.test/"})
    evolution, wire = an_evolution(lambda request: redirect)
    evolution._http.follow_redirects = True

    await evolution.create("wa1", WANTED)

    assert len(wire.requests) == 1
