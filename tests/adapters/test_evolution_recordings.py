"""Read every recorded answer of the routes that we use."""

import base64
import json
from typing import Any

import httpx
import pytest

from shared import problems
from shared.domain.outgoing import (
    Audio,
    ContactCard,
    Contacts,
    Location,
    MediaKind,
    Outgoing,
    OutgoingMedia,
    OutgoingPoll,
    OutgoingReaction,
    Sticker,
    Text,
)
from shared.domain.upstream import Connection, MessageKey, NotSent, Scannable, Sent
from shared.evolution.client import Evolution
from tests.adapters.evolution_calls import download
from tests.adapters.evolution_wire import (
    NIGHT,
    NOON,
    RECORDINGS,
    WANTED,
    an_evolution,
    exchange,
    exchanges,
)
from tests.cases import in_each

pytestmark = pytest.mark.anyio

KEY = MessageKey("3EB0", "5511988887777@s.whatsapp.net", True)

CONTENTS = {
    "sendText": Text("olá"),
    "sendMedia": OutgoingMedia(MediaKind.IMAGE, "https://x.example/p.png"),
    "sendWhatsAppAudio": Audio("SUQzAAAA"),
    "sendSticker": Sticker("iVBOR"),
    "sendLocation": Location(-23.5, -46.6),
    "sendContact": Contacts((ContactCard("J", "+55 11 97777-6666"),)),
    "sendReaction": OutgoingReaction(KEY, "👍"),
    "sendPoll": OutgoingPoll("Qual?", ("A", "B")),
}

MEANINGS = {
    "open": """
        connectionState-after-440 connectionState-after-reconnect connectionState-after-restart
        connectionState-baileys-after-wa-back connectionState-baileys-open
        connectionState-query-override connectionState-with-instance-token
        cross-instance-query-override-delete-own-after""",
    "connecting": """
        connectionState-baileys-qr-pending connectionState-baileys-wa-unreachable-0""",
    "closed": """
        connectionState-after-403 connectionState-after-device-removed
        connectionState-after-logout connectionState-after-logout-evolution
        connectionState-baileys-never-connected connectionState-baileys-wa-unreachable-1
        connectionState-baileys-wa-unreachable-2 connectionState-baileys-while-wa-down
        connectionState-immediately-after-delete connectionState-right-after-logout
        delete-with-failing-webhook-state-0s delete-with-failing-webhook-state-25s
        delete-with-failing-webhook-state-5s qrlimit-connectionState-after
        qrlimit-state-after""",
    "None": """
        auth-wrong-apikey-unknown-instance connectionState-unknown restart-unknown
        cross-instance-query-override-delete-victim-after errors-webhook-trigger
        connectionState-2s-after-delete-baileys-connecting webhook-find-none
        connectionState-after-delete-baileys-connecting
        delete-baileys-never-connected-state-after
        baileys-getBase64 baileys-getBase64-media-gone baileys-getBase64-not-media
        baileys-getBase64-unknown""",
    "Created": """
        create-baileys-qrcode-false create-baileys-qrcode-true create-baileys-wa-unreachable
        create-empty-name create-evolution-full create-evolution-minimal create-name-case
        create-name-long255 create-name-slash create-name-trail create-name-unicode
        create-webhook-bad-event create-webhook-bad-url create-webhook-enabled-false
        qrlimit-create v1.create""",
    "NameInUse": """
        create-after-logout create-immediately-after-delete create-name-constructor
        create-name-in-use create-name-in-use-no-key create-name-in-use-wrong-key
        create-name-proto create-no-name delete-with-failing-webhook-recreate""",
    "Refused": """
        create-bad-integration create-bad-json create-bad-number create-bool-as-string
        create-business-no-token create-no-integration create-webhook-no-events""",
    "Doubtful": "create-name-long256 create-name-number-type",
    "EvolutionRefusedKey": """
        auth-missing-apikey auth-wrong-apikey-create auth-wrong-apikey-fetchInstances
        connectionState-with-other-instance-token create-with-instance-token
        fetchInstances-with-instance-token-other-name sendText-bad-key""",
    "Connected": "connect-baileys-open connect-evolution-open",
    "Scannable": """
        connect-after-logout connect-baileys-qr-pending qrlimit-connect-after
        qrlimit-connect-after-2""",
    "Scannable DS2RR6PF": "connect-baileys-pairing-code",
    "NoCode": "connect-baileys-wa-unreachable connect-baileys-wa-unreachable-number",
    "True": """
        restart-baileys-open restart-evolution-open
        webhook-set-disabled webhook-set-empty-events webhook-set-empty-url
        webhook-set-group-update webhook-set-not-url webhook-set-ok v1.webhook-set
        settings-set settings-set-back verify-creds baileys-markMessageAsRead
        delete-baileys-connecting-unreachable delete-baileys-never-connected
        delete-evolution-closed delete-evolution-open delete-with-failing-webhook
        cross-instance-query-override-delete""",
    "False": """
        restart-baileys-closed restart-baileys-connecting-unreachable
        restart-baileys-qr-pending delete-unknown webhook-set-unknown""",
    "EvolutionFailed": """
        evolution-markRead evolution-getBase64 evolution-whatsappNumbers
        baileys-whatsappNumbers-empty webhook-set-no-events webhook-set-v1-body
        fetchInstances-1s-after-delete-and-recreate fetchInstances-by-id-unknown
        fetchInstances-by-name-unknown fetchInstances-by-number-unknown""",
    "LineNotOpen": "whatsappNumbers-baileys-never-connected",
    "Configuration": "webhook-find webhook-find-after-create-enabled-false "
    "cross-instance-query-override-webhook-find",
    "six settings": "settings-find",
    "2.3.6": "root-get",
    "a census": """
        fetchInstances-after-device-removed fetchInstances-after-logout
        fetchInstances-after-logout-evolution fetchInstances-baileys-open
        fetchInstances-baileys-qr-pending fetchInstances-baileys-unreachable
        fetchInstances-baileys-while-wa-down fetchInstances-by-id fetchInstances-by-name
        fetchInstances-reopened-keeps-old-disconnection fetchInstances-with-instance-token
        qrlimit-fetchInstances-after v1.fetchInstances-all v1.fetchInstances-by-name""",
    "presences": "baileys-whatsappNumbers",
    "a page": """
        baileys-findMessages-lid evolution-findMessages evolution-findMessages-by-id
        cross-instance-query-override-findMessages""",
    "Downloaded": "s3-getBase64",
    "Sent": """
        baileys-deleteMessageForEveryone baileys-updateMessage baileys-sendContact
        baileys-sendLocation baileys-sendMedia-document baileys-sendMedia-image
        baileys-sendMedia-video baileys-sendPoll baileys-sendReaction baileys-sendSticker
        baileys-sendText baileys-sendText-ack-error baileys-sendText-ack-error-late
        baileys-sendText-again baileys-sendText-br-ninth-digit
        baileys-sendText-br-ninth-digit-12 baileys-sendText-delay-2000
        baileys-sendText-group baileys-sendText-link baileys-sendText-no-ack
        baileys-sendText-quoted-inline baileys-sendText-quoted-known baileys-sendText-to-lid
        baileys-sendWhatsAppAudio cross-instance-query-override-sendText
        evolution-sendMedia-document-b64 evolution-sendMedia-image-url evolution-sendText
        evolution-sendText-delay-3000 evolution-sendText-quoted s3-sendMedia-image
        sendText-empty-text sendText-instance-token sendText-on-closed-evolution
        v1.sendText""",
    "NotSent not_on_whatsapp": "baileys-sendText-not-on-whatsapp",
    "NotSent group_unknown": "baileys-sendText-group-unknown",
    "NotSent not_connected": """
        baileys-sendText-usync-stalled sendText-after-logout
        sendText-baileys-never-connected sendText-baileys-qr-pending
        sendText-baileys-wa-unreachable sendText-baileys-while-wa-down""",
    "NotSent media_unreachable": """
        baileys-sendMedia-docker-hostname baileys-sendMedia-url-404 sendMedia-data-uri""",
    "NotSent unsupported": """
        evolution-sendLocation evolution-sendPoll evolution-sendReaction""",
    "NotSent invalid": """
        evolution-sendContact evolution-sendWhatsAppAudio sendMedia-bad-type
        sendText-no-number sendText-no-text sendText-v1-body""",
    "NotSent instance_missing": "sendText-unknown-instance",
}  # fmt: skip

MEANING = {name: meaning for meaning, names in MEANINGS.items() for name in names.split()}


async def ask(evolution: Evolution, recorded: dict[str, Any]) -> Any:
    """Make the call to which the recording is an answer."""
    route = recorded["request"]["path"].partition("?")[0].strip("/").split("/")
    to = (recorded["request"].get("body") or {}).get("number", "5511988887777")
    match route:
        case ["message", how, name] if how in CONTENTS:
            return await evolution.send_message(name, Outgoing(str(to), CONTENTS[how]))
        case ["instance", "create"]:
            return await evolution.create_instance("wa1", WANTED)
        case ["instance", "fetchInstances"]:
            return [sighting async for sighting in evolution.take_census()]
        case ["instance", what, name]:
            return await ask_of_instance(evolution, what, name)
        case ["webhook" | "settings" as what, how, name]:
            return await ask_of_configuration(evolution, f"{what}/{how}", name)
        case ["chat", what, name]:
            return await ask_of_chat(evolution, what, name)
        case [what]:
            return await ask_of_server(evolution, what)
        case _:
            raise NotImplementedError


async def ask_of_instance(evolution: Evolution, what: str, name: str) -> Any:
    match what:
        case "connectionState":
            return await evolution.find_connection(name)
        case "connect":
            return await evolution.connect_instance(name)
        case "restart":
            return await evolution.restart_instance(name)
        case "delete":
            return await evolution.delete_instance(name)
        case _:
            raise NotImplementedError


async def ask_of_configuration(evolution: Evolution, what: str, name: str) -> Any:
    match what:
        case "webhook/set" | "settings/set":
            return await evolution.configure_instance(name, WANTED)
        case "webhook/find":
            return await evolution.find_configuration(name)
        case "settings/find":
            return await evolution.find_settings(name)
        case _:
            raise NotImplementedError


async def ask_of_server(evolution: Evolution, what: str) -> Any:
    match what:
        case "":
            return await evolution.fetch_version()
        case "verify-creds":
            return await evolution.accepts_key()
        case _:
            raise NotImplementedError


async def ask_of_chat(evolution: Evolution, what: str, name: str) -> Any:
    match what:
        case "whatsappNumbers":
            return await evolution.look_up_numbers(name, ["5511988887777"])
        case "findMessages":
            return await evolution.history(name, "5511999990001", NOON, NIGHT)
        case "getBase64FromMediaMessage":
            return await download(evolution, name, "3EB0")
        case "markMessageAsRead":
            return await evolution.mark_read(name, [KEY])
        case "updateMessage":
            return await evolution.edit_message(name, KEY, "editado")
        case "deleteMessageForEveryone":
            return await evolution.delete_message(name, KEY)
        case _:
            raise NotImplementedError


def in_words(outcome: Any) -> str:
    match outcome:
        case NotSent(reason):
            return f"NotSent {reason}"
        case Scannable(pairing_code=str(code)):
            return f"Scannable {code}"
        case Connection() | str() | bool() | None:
            return str(outcome)
        case dict():
            return "six settings" if len(outcome) == 6 else "other settings"
        case list():
            return "presences" if hasattr(outcome[0], "exists") else "a census"
        case _:
            name = type(outcome).__name__
            return "a page" if name == "HistoryPage" else name


@in_each("name", MEANING)
async def test_a_recorded_answer_means(name):
    recorded = exchange(name)
    answer = recorded["response"]
    version = "1.8.2" if name.startswith("v1.") else "2.3.6"
    evolution, _ = an_evolution(
        lambda request: httpx.Response(answer["status"], content=json.dumps(answer["body"])),
        version,
    )

    try:
        meaning = in_words(await ask(evolution, recorded))
    except problems.Problem as problem:
        meaning = type(problem).__name__

    assert meaning == MEANING[name]


async def test_every_recorded_answer_is_tested():
    evolution, _ = an_evolution(lambda request: httpx.Response(404))
    used = set()

    for name in exchanges():
        try:
            await ask(evolution, exchange(name))
        except NotImplementedError:
            continue
        except problems.Problem:
            pass
        used.add(name)

    assert used == MEANING.keys()


@in_each("file", sorted(RECORDINGS.glob("exchanges/race-create-*.json")))
async def test_losing_create_is_doubtful(file):
    bodies = [json.loads(text) for text in json.loads(file.read_text()).get("distinct_bodies", [])]
    losers = [body for body in bodies if body.get("status") == 400]

    for body in losers:
        evolution, _ = an_evolution(lambda request, body=body: httpx.Response(400, json=body))
        assert in_words(await evolution.create_instance("race-e", WANTED)) == "Doubtful"


async def test_recorded_send_has_id_and_address():
    answer = exchange("baileys-sendText-br-ninth-digit")["response"]["body"]
    evolution, _ = an_evolution(lambda request: httpx.Response(201, json=answer))

    sent = await evolution.send_message("wa1", Outgoing("5531988887777", Text("nono dígito")))

    assert isinstance(sent, Sent)
    assert (sent.message_id, sent.jid) == (
        "3EB0284B32164462EECC53",
        "553188887777@s.whatsapp.net",
    )
    assert [event.message.text for event in sent.events] == ["nono dígito"]
    assert "nono dígito" not in repr(sent)


async def test_recorded_census_has_states_and_numbers():
    answer = exchange("fetchInstances-baileys-open")["response"]["body"]
    evolution, _ = an_evolution(lambda request: httpx.Response(200, json=answer))

    [sighting] = [sighting async for sighting in evolution.take_census()]

    assert (sighting.name, sighting.connection, sighting.number) == (
        "wa1",
        Connection.OPEN,
        "5511999990001",
    )


async def test_census_of_1_8_tells_same():
    answer = exchange("v1.fetchInstances-all")["response"]["body"]
    evolution, _ = an_evolution(lambda request: httpx.Response(200, json=answer), "1.8.2")

    census = [(s.name, s.connection, s.number) async for s in evolution.take_census()]

    assert census == [
        ("wa1", Connection.OPEN, "5511999990001"),
        ("wa2", Connection.CONNECTING, None),
    ]


async def test_recorded_lookups_keep_their_order():
    recorded = exchange("baileys-whatsappNumbers")
    answer = recorded["response"]["body"]
    evolution, _ = an_evolution(lambda request: httpx.Response(200, json=answer))
    numbers = recorded["request"]["body"]["numbers"]

    presences = await evolution.look_up_numbers("wa1", numbers)

    assert [presence.number for presence in presences] == numbers
    assert [presence.exists for presence in presences] == [True, False, True, True, True]
    assert presences[2].jid == "553188887777@s.whatsapp.net"
    assert presences[4].lid == "111222333444555@lid"


async def test_recorded_file_is_whole():
    answer = exchange("s3-getBase64")["response"]["body"]
    evolution, _ = an_evolution(lambda request: httpx.Response(201, json=answer))

    media = await download(evolution, "wa-s3", "3EB09F41F07DBC8DD026DB")

    assert media == ("image/png", "3EB09F41F07DBC8DD026DB.png", base64.b64decode(answer["base64"]))


async def test_recorded_page_holds_messages_oldest_first():
    answer = exchange("evolution-findMessages")["response"]["body"]
    evolution, _ = an_evolution(lambda request: httpx.Response(200, json=answer))

    page = await evolution.history("evo1", "5511999990001", NOON, NIGHT)

    records = answer["messages"]["records"]
    (recalled, *_) = page.events
    assert [message.id for message in recalled.messages] == [
        record["key"]["id"] for record in reversed(records)
    ]
    assert page.size == len(records)
    assert page.newest_at == max(record["messageTimestamp"] for record in records) * 1000
    assert (page.page, page.pages) == (1, 1)


async def test_disabled_webhook_wants_no_events():
    answer = exchange("webhook-set-disabled")["response"]["body"]
    evolution, _ = an_evolution(lambda request: httpx.Response(200, json=answer))

    configuration = await evolution.find_configuration("evo-min")

    assert configuration.webhook_events == ()


@in_each("version", ["2.3.6", "1.8.2"])
async def test_missing_webhook_reads_as_empty_configuration(version):
    evolution, _ = an_evolution(lambda request: httpx.Response(200, content=b"null"), version)

    configuration = await evolution.find_configuration("evo-min")

    assert (configuration.webhook_url, configuration.webhook_events) == ("", ())
