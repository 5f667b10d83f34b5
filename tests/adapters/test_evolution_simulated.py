"""Live an instance's life, and send through it, on the simulated server of each version."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra.local.simulator import Simulator
from shared import problems
from shared.config import Server
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
from shared.domain.upstream import (
    Connected,
    Connection,
    Created,
    Doubtful,
    MessageKey,
    NameInUse,
    NotSent,
    Refused,
    Scannable,
    Sent,
    WhyNotSent,
)
from shared.evolution.client import Evolution
from shared.evolution.subscription import SETTINGS
from shared.setting_types import Password
from tests.adapters.evolution_calls import download
from tests.adapters.evolution_wire import KEY, WANTED

pytestmark = pytest.mark.anyio

NAME = "instance_acme~2fbr"
OURS = "5511999990001"
MARIA = "5511988887777"
NOBODY = "5511900000000"
PNG = "iVBORw0KGgo="


@dataclass
class Pair:
    """A client with its server."""

    evolution: Evolution
    server: Simulator
    version: str

    async def open_up(self) -> None:
        assert await self.evolution.create_instance(NAME, WANTED) == Created()
        await self.evolution.connect_instance(NAME)
        await self.server.scan(NAME, OURS)


@pytest.fixture(params=["2.3.6", "1.8.2"])
async def pair(request, anyio_backend) -> AsyncIterator[Pair]:
    async with Simulator(api_key=KEY, version=request.param) as server:
        http = httpx.AsyncClient(transport=httpx.ASGITransport(server.app))
        settings = Server(
            id="main", url="http://evolution.test", api_key=Password(KEY), version=request.param
        )
        yield Pair(Evolution(settings, http), server, request.param)


async def names(evolution):
    return [sighting.name async for sighting in evolution.take_census()]


async def test_instance_lives_its_whole_life(pair):
    evolution = pair.evolution

    assert await evolution.find_connection(NAME) is None
    assert await evolution.create_instance(NAME, WANTED) == Created()
    assert await evolution.find_connection(NAME) is Connection.CLOSED
    code = await evolution.connect_instance(NAME)
    assert isinstance(code, Scannable)
    assert code.qr == pair.server.code(NAME)
    assert code.png.startswith("data:image/png;base64,")
    assert await evolution.find_connection(NAME) is Connection.CONNECTING
    assert await evolution.restart_instance(NAME) is False
    await pair.server.scan(NAME, OURS)
    assert await evolution.find_connection(NAME) is Connection.OPEN
    assert await evolution.connect_instance(NAME) == Connected()
    assert await evolution.restart_instance(NAME) is True
    await pair.server.drain()
    assert await evolution.find_connection(NAME) is Connection.OPEN
    assert await evolution.silence_instance(NAME) is True
    assert await evolution.delete_instance(NAME) is True
    await pair.server.drain()
    assert await evolution.find_connection(NAME) is None
    assert await names(evolution) == []


async def test_unknown_instance_is_reported_missing(pair):
    evolution = pair.evolution

    assert await evolution.connect_instance(NAME) is None
    assert await evolution.restart_instance(NAME) is None
    assert await evolution.configure_instance(NAME, WANTED) is False
    assert await evolution.find_configuration(NAME) is None
    assert await evolution.find_settings(NAME) is None
    assert await evolution.silence_instance(NAME) is False
    assert await evolution.delete_instance(NAME) is False
    assert await evolution.look_up_numbers(NAME, [MARIA]) is None
    assert await download(evolution, NAME, "3A") is None
    unsent = await evolution.send_message(NAME, Outgoing(MARIA, Text("oi")))
    assert unsent.reason is WhyNotSent.INSTANCE_MISSING


async def test_name_in_use_isnt_full_server(pair):
    await pair.evolution.create_instance(NAME, WANTED)

    assert await pair.evolution.create_instance(NAME, WANTED) == NameInUse()
    pair.server.faults.turn_on("full")
    refused = await pair.evolution.create_instance("instance_other", WANTED)

    assert isinstance(refused, Refused)
    assert refused.full


async def test_a_closed_instance_does_not_restart(pair):
    await pair.evolution.create_instance(NAME, WANTED)

    assert await pair.evolution.restart_instance(NAME) is False


async def test_a_number_gets_a_pairing_code(pair):
    await pair.evolution.create_instance(NAME, WANTED)

    code = await pair.evolution.connect_instance(NAME, OURS)

    assert len(code.pairing_code) == 8


async def test_new_instance_is_configured(pair):
    await pair.evolution.create_instance(NAME, WANTED)

    assert await pair.evolution.find_configuration(NAME) == pair.evolution.fit_configuration(WANTED)


async def test_configuring_puts_everything_right_again(pair):
    await pair.server.plant(NAME)

    assert await pair.evolution.configure_instance(NAME, WANTED) is True

    assert await pair.evolution.find_configuration(NAME) == pair.evolution.fit_configuration(WANTED)
    assert SETTINGS.items() <= pair.server.settings(NAME).items()


async def test_settings_read_as_they_were_set(pair):
    await pair.evolution.create_instance(NAME, WANTED)
    await pair.evolution.configure_instance(NAME, WANTED)

    settings = await pair.evolution.find_settings(NAME)

    assert settings == SETTINGS


async def test_silenced_instance_subscribes_to_nothing(pair):
    await pair.evolution.create_instance(NAME, WANTED)

    await pair.evolution.silence_instance(NAME)

    assert (await pair.evolution.find_configuration(NAME)).webhook_events == ()


async def test_census_has_numbers_of_open_instances(pair):
    await pair.open_up()
    await pair.server.plant("somebody else's")

    census = {s.name: (s.connection, s.number) async for s in pair.evolution.take_census()}

    assert census == {
        NAME: (Connection.OPEN, OURS),
        "somebody else's": (Connection.CLOSED, None),
    }


async def test_any_name_is_found_again(pair):
    for name in ("a/b", "..x", "é ~", "a?instanceName=b", "100%"):
        await pair.evolution.create_instance(name, WANTED)

        assert await pair.evolution.find_connection(name) is Connection.CLOSED, name
        assert await pair.evolution.delete_instance(name), name


async def test_server_reports_version_and_accepted_key(pair):
    assert await pair.evolution.fetch_version() == pair.version
    assert await pair.evolution.accepts_key() is True

    pair.server.faults.turn_on("key_rotated")

    assert await pair.evolution.accepts_key() is False
    with pytest.raises(problems.EvolutionRefusedKey):
        await pair.evolution.create_instance(NAME, WANTED)


@pytest.mark.parametrize("fault", ["error_500_after", "cut_after", "no_answer_after"])
async def test_lost_create_answer_is_doubtful(pair, fault):
    pair.server.faults.turn_on(fault, route="create", seconds=0.01)

    assert isinstance(await pair.evolution.create_instance(NAME, WANTED), Doubtful)

    pair.server.faults.turn_off(fault)
    assert await pair.evolution.find_connection(NAME) is Connection.CLOSED


SAID = [
    Text("olá"),
    OutgoingMedia(MediaKind.IMAGE, PNG, "image/png", "foto", "p.png"),
    OutgoingMedia(MediaKind.VIDEO, PNG),
    OutgoingMedia(MediaKind.DOCUMENT, "https://x.example/a.pdf", file_name="a.pdf"),
    Audio(PNG),
    Sticker(PNG),
    Location(-23.5, -46.6),
    Location(-23.5, -46.6, "Praça", "Rua X"),
    Contacts((ContactCard("João", "5511977776666"), ContactCard("Ana", "+55 11 97777-5555"))),
    OutgoingPoll("Qual?", ("A", "B")),
]


@pytest.mark.parametrize("content", SAID, ids=lambda content: type(content).__name__)
async def test_every_kind_of_message_arrives(pair, content):
    await pair.open_up()

    options = Options(mentions=(MARIA,), mention_everyone=True, link_preview=False)
    sent = await pair.evolution.send_message(NAME, Outgoing(MARIA, content, options))

    assert isinstance(sent, Sent)
    assert sent.jid == f"{MARIA}@s.whatsapp.net"
    assert [message.id for message in pair.server.sent_messages(NAME)] == [sent.message_id]


async def test_message_is_quoted_edited_and_revoked(pair):
    await pair.open_up()
    evolution = pair.evolution
    sent = await evolution.send_message(NAME, Outgoing(MARIA, Text("olá")))
    key = MessageKey(sent.message_id, sent.jid, True)

    reply = Outgoing(MARIA, Text("re"), Options(quoted_id=key.id))
    assert isinstance(
        await evolution.send_message(NAME, Outgoing(MARIA, OutgoingReaction(key, "👍"))), Sent
    )
    assert isinstance(await evolution.send_message(NAME, reply), Sent)
    assert isinstance(await evolution.edit_message(NAME, key, "olá!"), Sent)
    assert isinstance(await evolution.delete_message(NAME, key), Sent)


async def test_missing_and_unconnected_are_distinguished(pair):
    await pair.open_up()
    lost = Outgoing(NOBODY, Text("oi"))

    assert (await pair.evolution.send_message(NAME, lost)).reason is WhyNotSent.NOT_ON_WHATSAPP
    await pair.server.unpair(NAME)
    closed = await pair.evolution.send_message(NAME, Outgoing(MARIA, Text("oi")))

    assert isinstance(closed, NotSent)
    assert closed.reason is WhyNotSent.NOT_CONNECTED


async def test_unscanned_instance_sends_nothing(pair):
    await pair.evolution.create_instance(NAME, WANTED)
    unconnected = await pair.evolution.send_message(NAME, Outgoing(MARIA, Text("oi")))
    await pair.evolution.connect_instance(NAME)
    unscanned = await pair.evolution.send_message(NAME, Outgoing(MARIA, Text("oi")))

    assert unconnected.reason is unscanned.reason is WhyNotSent.NOT_CONNECTED


async def test_lookups_keep_the_order_of_numbers(pair):
    await pair.open_up()
    numbers = [MARIA, NOBODY, "120363000000000001@g.us", "5531988887777"]

    presences = await pair.evolution.look_up_numbers(NAME, numbers)

    assert [presence.number for presence in presences] == numbers
    assert [presence.exists for presence in presences][:2] == [True, False]
    assert presences[3].jid == "553188887777@s.whatsapp.net"


async def test_received_messages_are_paged(pair):
    await pair.open_up()
    ids = {await pair.server.receive(NAME, MARIA, f"oi {n}") for n in range(60)}
    now = datetime.now(UTC)

    async def read_page(hours: int, number: int = 1):
        since, until = now - timedelta(hours=hours), now - timedelta(hours=hours - 2)
        return await pair.evolution.history(NAME, OURS, since, until, number)

    first = await read_page(1)
    pages = [first] + [await read_page(1, number) for number in range(2, first.pages + 1)]

    histories = [event for page in pages for event in page.events]
    assert {message.id for history in histories for message in history.messages} == ids
    older = await read_page(9)
    assert older.size == 0


async def test_received_file_is_fetched(pair):
    await pair.open_up()
    received = await pair.server.receive_media(NAME, MARIA, "image", PNG)
    text = await pair.server.receive(NAME, MARIA, "oi")

    media = await download(pair.evolution, NAME, received)

    assert (media.mimetype, media.content) == ("image/png", base64.b64decode(PNG))
    assert await download(pair.evolution, NAME, text) is None
    assert await download(pair.evolution, NAME, "nope") is None


async def test_received_message_is_marked_read(pair):
    await pair.open_up()
    received = await pair.server.receive(NAME, MARIA, "oi")
    key = MessageKey(received, f"{MARIA}@s.whatsapp.net", False)

    assert await pair.evolution.mark_read(NAME, [key]) is True
    assert await pair.evolution.mark_read("instance_nobody", [key]) is False
