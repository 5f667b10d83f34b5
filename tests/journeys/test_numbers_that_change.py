"""A line's number changes while something is being said: nothing leaves by the wrong one unseen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.journeys.test_sending import ANA, MARIA, OWN, outcome, said, send, talk, thread
from tests.perene import Perene, name_of

OTHER = "5511999990002"
NAME = name_of("acme")


@pytest.fixture
async def open_2(on_2: Perene) -> Perene:
    """Open one line, on 2.x."""
    await on_2.pair(number=OWN)
    return on_2


@pytest.fixture
async def two_servers(firestore_emulator: str, anyio_backend: str) -> AsyncIterator[Perene]:
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        yield perene


async def change_number(perene: Perene) -> None:
    """Unlink the line on the phone, pair it with another one; both are heard of."""
    await perene.evolution.unpair(NAME)
    await perene.evolution.drain()
    await perene.pair(number=OTHER)


async def restrict(perene: Perene) -> None:
    await perene.evolution.emit(
        NAME, "messages.update",
        {"keyId": "3EB0A", "fromMe": True, "status": "ERROR", "messageStubParameters": ["463"],
         "remoteJid": f"{MARIA}@s.whatsapp.net"},
    )  # fmt: skip
    await perene.evolution.drain()


async def suspend(perene: Perene) -> None:
    perene.write("tenants/acme", status="suspended")


async def disconnect(perene: Perene) -> None:
    await perene.call("POST", "/instances/default/disconnect")


# Before it is sent ---------------------------------------------------------------------------


MEANWHILE = {
    "number-changed": change_number,
    "line-restricted": restrict,
    "tenant-suspended": suspend,
    "line-not-open": disconnect,
}


@pytest.mark.parametrize("problem", MEANWHILE)
async def test_change_during_look_up_counts(open_2: Perene, problem: str):
    open_2.hosts.before[f"/chat/whatsappNumbers/{NAME}"] = lambda: MEANWHILE[problem](open_2)

    answer = await send(open_2, "k1", to=ANA, text="oi")

    assert answer.json()["type"] == f"urn:perene:problem:{problem}", answer.text
    assert said(open_2) == []
    assert open_2.documents("tenants/acme/sends") == {}


async def test_new_number_sends_when_asked_again(open_2: Perene):
    open_2.hosts.before[f"/chat/whatsappNumbers/{NAME}"] = lambda: change_number(open_2)
    await send(open_2, "k1", to=ANA, text="oi")

    again = await send(open_2, "k1", to=ANA, text="oi")

    assert (again.status_code, again.json()["number"]) == (201, OTHER)
    assert said(open_2) == [(OTHER, ANA, "oi")]
    assert (await thread(open_2, again.json()["conversation"]))[0]["text"] == "oi"


STEPS = (
    "conversations.find_with_tenant",
    "conversations.find",
    "instances.find",
    "messages.find",
    "sends.claim",
)


def slowly(perene: Perene, step: str, meanwhile: Callable[[Perene], Awaitable[None]]) -> None:
    """Let something happen, once, just before a step that the store does for a send."""
    topic, _, name = step.partition(".")
    methods = getattr(perene.store, topic)
    done = getattr(methods, name)

    async def slow(*arguments: Any, **more: Any) -> Any:
        setattr(methods, name, done)
        await meanwhile(perene)
        return await done(*arguments, **more)

    setattr(methods, name, slow)


@pytest.mark.parametrize("step", STEPS)
async def test_slow_step_never_uses_other_number(open_2: Perene, step: str):
    conversation = await talk(open_2)
    (first,) = await thread(open_2, conversation)
    slowly(open_2, step, change_number)

    answer = await send(open_2, "k1", conversation=conversation, text="oi", quoted=first["id"])

    assert answer.json()["type"] == "urn:perene:problem:number-changed", answer.text
    assert said(open_2) == []


async def test_moved_line_sends_through_new_server(two_servers: Perene):
    """Check the record's server too: the commit holds to the whole record."""
    name = await two_servers.pair(number=OWN)
    (carrier,) = [server for server, one in two_servers.servers.items() if one.exists(name)]
    other = next(server for server in two_servers.servers if server != carrier)
    await two_servers.servers[carrier].receive(name, MARIA, "oi")
    await two_servers.servers[carrier].drain()
    (conversation,) = (await two_servers.call("GET", "/conversations")).json()["conversations"]

    async def move(perene: Perene) -> None:
        await perene.servers[other].plant(name, OWN, open=True)
        await perene.servers[carrier].vanish(name)
        perene.write(f"instances/{name}", server=other)

    slowly(two_servers, "sends.claim", move)

    answer = await send(two_servers, conversation=conversation["id"], text="oi")

    assert answer.status_code == 201, answer.text
    assert [server.sender for server in two_servers.servers[other].sent_messages()] == [OWN]


# While it is sent ----------------------------------------------------------------------------


async def incidents(perene: Perene) -> list[dict[str, Any]]:
    rows = (await perene.operate("GET", "/fleet")).json()["attention"]
    return [row for row in rows if row["cause"] == "wrong_number"]


async def send_while_it_changes(perene: Perene, **fields: Any) -> httpx.Response:
    """Send, and change the line's number while the server is at it."""
    perene.hosts.before[f"/message/sendText/{NAME}"] = lambda: change_number(perene)
    answer = await send(perene, "k1", text="oi", **fields)
    await perene.evolution.drain()
    assert said(perene)[-1][0] == OTHER, "the scene is another one"
    return answer


@pytest.mark.parametrize("echo", ["first", "last"])
@pytest.mark.parametrize("to", ["somebody new", "a conversation"])
async def test_echo_of_another_number_is_incident(open_2: Perene, echo: str, to: str):
    recipient = {"to": ANA} if to == "somebody new" else {"conversation": await talk(open_2)}
    if echo == "last":
        open_2.evolution.faults.turn_on("webhook_delayed", events="send.message", seconds=0.5)
    else:
        let_the_echo_come_first(open_2)

    answer = await send_while_it_changes(open_2, **recipient)

    assert answer.status_code == 201, answer.text
    settled = await outcome(open_2, "k1")
    assert (settled.json()["state"], settled.json()["left_through"]) == ("sent", OTHER)
    assert settled.json()["message"]["left_through"] == OTHER
    shown = await thread(open_2, settled.json()["conversation"])
    ours = [message for message in shown if message["text"] == "oi" and message["from_me"]]
    assert [message["left_through"] for message in ours] == [OTHER]
    (incident,) = await incidents(open_2)
    assert (incident["subject"], incident["severity"]) == ("acme", "critical")
    if echo == "first":
        assert answer.json()["left_through"] == OTHER


def let_the_echo_come_first(perene: Perene) -> None:
    through = perene.hosts.handle_async_request

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = await through(request)
        if "/message/" in request.url.path:
            await perene.evolution.drain()
        return answer

    perene.hosts.handle_async_request = handle


async def test_the_incident_outlives_sweeps_and_ends(open_2: Perene):
    await send_while_it_changes(open_2, conversation=await talk(open_2))
    await open_2.sweep("/sweep-capacity")
    assert len(await incidents(open_2)) == 1

    open_2.clock.advance(timedelta(days=8))
    await open_2.sweep("/sweep-capacity")

    assert await incidents(open_2) == []


async def test_same_number_raises_no_incident(open_2: Perene):
    conversation = await talk(open_2)
    await send(open_2, "k1", conversation=conversation, text="oi")
    await open_2.evolution.drain()

    assert "left_through" not in (await outcome(open_2, "k1")).json()
    assert await incidents(open_2) == []


# Many at once --------------------------------------------------------------------------------


async def test_twenty_at_once_all_leave(open_2: Perene):
    open_2.set(SEND_BURST="100", SEND_PER_MINUTE="600")
    conversation = await talk(open_2)

    answers = await asyncio.gather(
        *(send(open_2, conversation=conversation, text=f"{at}") for at in range(20))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len(said(open_2)) == 20


async def test_line_is_restarted_among_many_sends(open_2: Perene):
    open_2.set(SEND_BURST="100", SEND_PER_MINUTE="600")
    conversation = await talk(open_2)

    answers, restarted = await asyncio.gather(
        asyncio.gather(
            *(send(open_2, conversation=conversation, text=f"{at}") for at in range(12))
        ),
        open_2.call("POST", "/instances/default/restart"),
    )

    assert restarted.status_code in (200, 202), restarted.text
    assert {answer.status_code for answer in answers} <= {201, 202, 409}
