"""Something is said through a line: once, by the right number, and honest about the outcome."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.cases import in_each
from tests.perene import Perene

OWN, MARIA, ANA = "5511999990001", "5511988887777", "5521977776666"
JPEG = "/9j/4AAQ" * 4


async def talk(perene: Perene, text: str = "oi", sender: str = MARIA) -> str:
    """Let a contact write and return the conversation's id."""
    (name,) = [instance for instance in perene.documents("instances")]
    await perene.evolution.receive(name, sender, text)
    await perene.evolution.drain()
    conversations = (await perene.call("GET", "/conversations")).json()["conversations"]
    folded = {"5511988887777": "551188887777", "5521977776666": "552177776666"}.get(sender, sender)
    return next(row["id"] for row in conversations if row["contact"]["key"] == folded)


async def send(
    perene: Perene, key: str | None = None, tenant: str = "acme", **body: Any
) -> httpx.Response:
    """The frontend sends."""
    headers = {"idempotency-key": key or uuid.uuid4().hex}
    return await perene.call("POST", "/send-message", tenant, json=body, headers=headers)


async def outcome(perene: Perene, key: str) -> httpx.Response:
    """Ask what became of a send."""
    return await perene.call("GET", f"/send-message/{key}")


async def thread(perene: Perene, conversation: str) -> list[dict[str, Any]]:
    answer = await perene.call("GET", f"/conversations/{conversation}/messages")
    messages: list[dict[str, Any]] = answer.json()["messages"]
    return messages


def said(perene: Perene) -> list[tuple[str, str, str]]:
    """List what contacts received: from which number, to whom, and what."""
    return [
        (message.sender, message.to.partition("@")[0], message.text)
        for message in perene.evolution.sent_messages()
    ]


@pytest.fixture
async def open_line(perene: Perene) -> Perene:
    """Open one line, on either dialect."""
    await perene.pair(number=OWN)
    return perene


@pytest.fixture
async def open_2(on_2: Perene) -> Perene:
    """Open one line, on 2.x."""
    await on_2.pair(number=OWN)
    return on_2


# Into a conversation -------------------------------------------------------------------------


async def test_reply_leaves_through_conversations_number(open_line: Perene):
    conversation = await talk(open_line)

    answer = await send(open_line, "k1", conversation=conversation, text="tudo bem?")

    assert answer.status_code == 201, answer.text
    message = answer.json()["message"]
    assert (message["text"], message["from_me"], message["delivery"]) == (
        "tudo bem?",
        True,
        "pending",
    )
    assert said(open_line) == [(OWN, MARIA, "tudo bem?")]
    await open_line.evolution.drain()
    newest, first = await thread(open_line, conversation)
    assert (newest["id"], newest["send"], first["text"]) == (message["id"], "k1", "oi")


async def test_send_and_echo_are_one_message(open_2: Perene):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on("webhook_lost", events="send.message")
    await send(open_2, conversation=conversation, text="sem eco")
    open_2.evolution.faults.turn_off("webhook_lost")

    assert [message["text"] for message in await thread(open_2, conversation)] == ["sem eco", "oi"]
    (row,) = (await open_2.call("GET", "/conversations")).json()["conversations"]
    assert (row["last"]["text"], row["last"]["from_me"], row["unread"]) == (
        "sem eco",
        True,
        0,
    )


async def test_delivered_and_read_come_back(open_line: Perene):
    conversation = await talk(open_line)
    answer = await send(open_line, "k1", conversation=conversation, text="oi")
    await open_line.evolution.drain()
    assert (await thread(open_line, conversation))[0]["delivery"] == "delivered"

    (name,) = open_line.documents("instances")
    await open_line.evolution.acknowledge(name, answer.json()["message"]["id"], "READ")
    await open_line.evolution.drain()

    assert (await outcome(open_line, "k1")).json()["message"]["delivery"] == "read"


async def test_seeds_form_of_sending_does_same(open_line: Perene):
    conversation = await talk(open_line)
    path, key = f"/conversations/{conversation}/messages", {"idempotency-key": "k1"}

    first = await open_line.call("POST", path, json={"text": "oi"}, headers=key)
    again = await open_line.call("POST", path, json={"text": "oi"}, headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["message"]["id"] == again.json()["message"]["id"]
    assert len(said(open_line)) == 1


async def test_destination_is_named_once(open_2: Perene):
    conversation = await talk(open_2)

    answer = await open_2.call(
        "POST", f"/conversations/{conversation}/messages",
        json={"text": "oi", "to": ANA}, headers={"idempotency-key": "k1"},
    )  # fmt: skip

    assert (answer.status_code, said(open_2)) == (422, [])


# The same key --------------------------------------------------------------------------------


async def test_same_key_sends_once(open_line: Perene):
    conversation = await talk(open_line)

    answers = await asyncio.gather(
        *(send(open_line, "k1", conversation=conversation, text="uma vez") for _ in range(8))
    )
    last = await send(open_line, "k1", conversation=conversation, text="uma vez")

    assert {answer.status_code for answer in answers} <= {201, 202}
    assert last.status_code == 201
    assert len(said(open_line)) == 1
    assert {answer.json()["message"]["id"] for answer in answers if answer.status_code == 201} == {
        last.json()["message"]["id"]
    }


async def test_reused_key_is_a_problem(open_2: Perene):
    conversation = await talk(open_2)
    await send(open_2, "k1", conversation=conversation, text="um")

    answer = await send(open_2, "k1", conversation=conversation, text="dois")

    assert (answer.status_code, answer.json()["type"]) == (
        422, "urn:perene:problem:idempotency-key-reused",
    )  # fmt: skip
    assert len(said(open_2)) == 1


async def test_closed_line_answers_earlier_send(open_2: Perene):
    conversation = await talk(open_2)
    await send(open_2, "k1", conversation=conversation, text="um")
    await open_2.call("DELETE", "/instances/default")

    again = await send(open_2, "k1", conversation=conversation, text="um")

    assert again.status_code == 201
    assert (await outcome(open_2, "k1")).json()["state"] == "sent"


@in_each("key", ["", " ", "a b", "x" * 129, "../x", "ã", '"'])
async def test_key_is_needed_and_is_plain(open_2: Perene, key: str):
    conversation = await talk(open_2)
    headers = {"idempotency-key": key.encode()} if key else {}

    answer = await open_2.call(
        "POST", "/send-message", json={"conversation": conversation, "text": "oi"}, headers=headers
    )

    assert (answer.status_code, said(open_2)) == (400, [])


async def test_key_of_another_tenant_is_nobodys(open_2: Perene):
    conversation = await talk(open_2)
    await send(open_2, "k1", conversation=conversation, text="oi")

    assert (await open_2.call("GET", "/send-message/k1", "other")).status_code == 404
    stolen = await send(open_2, "k2", tenant="other", conversation=conversation, text="oi")
    assert stolen.status_code == 404


# Surely not sent -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "problem"),
    [
        ({"key_rotated": {}}, 502, "evolution-refused-key"),
        ({"media_unreachable": {}}, 422, "file-unreachable"),
        ({"lookup_stalls": {}}, 409, "line-not-open"),
    ],
)
async def test_failed_send_may_be_repeated(
    open_line: Perene, fault: dict[str, Any], status: int, problem: str
):
    conversation = await talk(open_line)
    body = {"conversation": conversation, "image": {"url": "https://cdn.perene.com/a.jpg"}}
    for kind, settings in fault.items():
        open_line.evolution.faults.turn_on(kind, **settings)

    failed = await send(open_line, "k1", **body)
    assert (failed.status_code, failed.json()["type"]) == (status, f"urn:perene:problem:{problem}")
    assert (await outcome(open_line, "k1")).json()["state"] == "failed"
    for kind in fault:
        open_line.evolution.faults.turn_off(kind)

    assert (await send(open_line, "k1", **body)).status_code == 201
    assert len(said(open_line)) == 1


async def test_unreachable_server_sends_nothing(open_2: Perene):
    conversation = await talk(open_2)

    async def refused() -> None:
        raise httpx.ConnectError("refused")

    (name,) = open_2.documents("instances")
    open_2.hosts.before[f"/message/sendText/{name}"] = refused

    failed = await send(open_2, "k1", conversation=conversation, text="oi")
    assert (failed.status_code, failed.json()["type"]) == (
        502, "urn:perene:problem:evolution-unreachable",
    )  # fmt: skip
    assert (await outcome(open_2, "k1")).json()["why"] == "unreachable"
    assert (await send(open_2, "k1", conversation=conversation, text="oi")).status_code == 201
    assert len(said(open_2)) == 1


@pytest.mark.parametrize("what", ["unpaired", "released", "disconnected", "suspended"])
async def test_closed_line_sends_nothing(open_2: Perene, what: str):
    conversation = await talk(open_2)
    (name,) = open_2.documents("instances")
    if what == "unpaired":
        await open_2.evolution.unpair(name)
        await open_2.evolution.drain()
    elif what == "released":
        await open_2.call("DELETE", "/instances/default")
    elif what == "disconnected":
        await open_2.call("POST", "/instances/default/disconnect")
    else:
        open_2.write("tenants/acme", status="suspended")

    answer = await send(open_2, conversation=conversation, text="oi")

    expected = {
        "unpaired": (409, "line-not-open"),
        "released": (409, "line-released"),
        "disconnected": (409, "line-not-open"),
        "suspended": (403, "tenant-suspended"),
    }[what]
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == expected
    assert said(open_2) == []


async def test_other_numbers_conversation_is_read_only(perene: Perene):
    name = await perene.pair(number=OWN)
    conversation = await talk(perene)
    await perene.evolution.unpair(name)
    await perene.evolution.drain()
    await perene.pair(number="5511999990002")

    refused = await send(perene, "k1", conversation=conversation, text="oi")

    assert (refused.status_code, refused.json()["type"]) == (
        409, "urn:perene:problem:number-changed",
    )  # fmt: skip
    assert said(perene) == []
    await perene.evolution.unpair(name)
    await perene.evolution.drain()
    await perene.pair(number=OWN)
    assert (await send(perene, "k1", conversation=conversation, text="oi")).status_code == 201


async def test_a_line_in_conflict_says_nothing(open_2: Perene):
    conversation = await talk(open_2)
    (name,) = open_2.documents("instances")
    open_2.write(f"instances/{name}", state="conflict", reason="number_in_use")

    answer = await send(open_2, conversation=conversation, text="oi")

    assert answer.json()["type"] == "urn:perene:problem:line-in-conflict"
    assert said(open_2) == []


# To somebody ---------------------------------------------------------------------------------


@in_each("spelled", ["+55 (11) 98888-7777", "551188887777", "5511988887777@s.whatsapp.net"])
async def test_any_spelling_finds_its_conversation(open_line: Perene, spelled: str):
    conversation = await talk(open_line)

    answer = await send(open_line, to=spelled, text=spelled)

    assert (answer.status_code, answer.json()["conversation"]) == (201, conversation)
    assert said(open_line)[-1] == (OWN, MARIA, spelled)


async def test_new_contact_is_looked_up_once(open_line: Perene):
    answer = await send(open_line, to="+55 21 97777-6666", text="olá")
    assert answer.status_code == 201, answer.text

    (conversation,) = (await open_line.call("GET", "/conversations")).json()["conversations"]
    assert conversation["id"] == answer.json()["conversation"]
    assert conversation["last"]["text"] == "olá"
    await send(open_line, to=ANA, text="de novo")
    looked = [call for call in open_line.evolution.calls if "whatsappNumbers" in call.path]
    assert len(looked) == 1
    assert [text for _, _, text in said(open_line)] == ["olá", "de novo"]


async def test_number_outside_whatsapp_is_refused(open_line: Perene):
    answer = await send(open_line, to="5511900000000", text="oi")

    assert (answer.status_code, answer.json()["type"]) == (
        422, "urn:perene:problem:not-on-whatsapp",
    )  # fmt: skip


async def test_stalled_look_up_sends_nothing(open_2: Perene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.evolution.limits.LOOKUP", 0.2)
    open_2.evolution.faults.turn_on("no_answer_before", route="whatsappNumbers")

    answer = await send(open_2, to=ANA, text="oi")

    assert (answer.status_code, answer.json()["type"]) == (
        504, "urn:perene:problem:evolution-timed-out",
    )  # fmt: skip
    assert said(open_2) == []


@in_each("to", ["maria", "12", "status@broadcast", "1@newsletter", "+", "0055"])
async def test_invalid_address_is_refused(open_2: Perene, to: str):
    answer = await send(open_2, to=to, text="oi")

    assert (answer.status_code, said(open_2)) == (422, [])


async def test_known_group_can_be_written(open_2: Perene):
    (name,) = open_2.documents("instances")
    group = "120363000000000001@g.us"
    await open_2.evolution.receive_message(
        name, {"key": {"remoteJid": group, "participant": f"{MARIA}@s.whatsapp.net"},
               "message": {"conversation": "oi grupo"}},
    )  # fmt: skip
    await open_2.evolution.drain()

    answer = await send(open_2, to=group, text="oi a todos", mentions=[MARIA])

    assert answer.status_code == 201, answer.text
    assert len((await open_2.call("GET", "/conversations")).json()["conversations"]) == 1


@in_each(
    "where",
    [{}, {"conversation": "x" * 26, "to": ANA}, {"line": "default"}, {"conversation": "no"}],
)
async def test_destination_must_be_clear(open_2: Perene, where: dict[str, str]):
    answer = await send(open_2, text="oi", **where)

    assert answer.status_code in (404, 422)
    assert said(open_2) == []


# Pace ----------------------------------------------------------------------------------------


async def test_burst_passes_before_pacing(open_2: Perene):
    open_2.set(SEND_BURST="5", SEND_PER_MINUTE="6")
    conversation = await talk(open_2)

    answers = [await send(open_2, conversation=conversation, text=f"{at}") for at in range(7)]

    assert [answer.status_code for answer in answers] == [201] * 5 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
    open_2.clock.advance(timedelta(seconds=11))
    assert (await send(open_2, conversation=conversation, text="depois")).status_code == 201


async def test_burst_at_once_is_paced_too(open_2: Perene):
    open_2.set(SEND_BURST="5", SEND_PER_MINUTE="6")
    conversation = await talk(open_2)

    answers = await asyncio.gather(
        *(send(open_2, conversation=conversation, text=f"{at}") for at in range(12))
    )

    sent = [answer for answer in answers if answer.status_code == 201]
    assert len(sent) == len(said(open_2)) <= 6
    assert {answer.status_code for answer in answers} == {201, 429}


async def test_new_contacts_have_own_budget(open_2: Perene):
    open_2.set(SEND_NEW_CONTACTS_PER_DAY="2")
    conversation = await talk(open_2)

    answers = [await send(open_2, to=f"55219777766{at:02}", text="olá") for at in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[-1].json()["type"] == "urn:perene:problem:new-contacts-exhausted"
    assert (await send(open_2, conversation=conversation, text="oi")).status_code == 201


async def test_restricted_number_writes_nobody_new(open_2: Perene):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on("send_unacknowledged", count=1)
    answer = await send(open_2, conversation=conversation, text="oi")
    (name,) = open_2.documents("instances")
    refused = {
        "keyId": answer.json()["message"]["id"], "fromMe": True, "status": "ERROR",
        "remoteJid": f"{MARIA}@s.whatsapp.net", "messageStubParameters": ["463"],
    }  # fmt: skip
    await open_2.evolution.emit(name, "messages.update", refused)
    await open_2.evolution.drain()

    (line,) = (await open_2.call("GET", "/instances")).json()["lines"]
    assert line["restricted_since"]
    newcomer = await send(open_2, to=ANA, text="oi")
    assert (newcomer.status_code, newcomer.json()["type"]) == (
        409, "urn:perene:problem:line-restricted",
    )  # fmt: skip
    assert (await send(open_2, conversation=conversation, text="ainda")).status_code == 201
    failed = [message["id"] for message in await thread(open_2, conversation) if message["failed"]]
    assert failed == [answer.json()["message"]["id"]]
    open_2.clock.advance(timedelta(hours=25))
    (line,) = (await open_2.call("GET", "/instances")).json()["lines"]
    assert "restricted_since" not in line


# Nobody knows --------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["cut_after", "error_500_after"])
async def test_echo_answers_an_unanswered_send(open_line: Perene, fault: str):
    conversation = await talk(open_line)
    open_line.evolution.faults.turn_on(fault, route="sendText", count=1)

    answer = await send(open_line, "k1", conversation=conversation, text="chegou?")
    await open_line.evolution.drain()

    assert answer.status_code in (201, 202), answer.text
    settled = await outcome(open_line, "k1")
    assert (settled.status_code, settled.json()["state"]) == (200, "sent")
    assert len(said(open_line)) == 1
    assert [message["text"] for message in await thread(open_line, conversation)] == [
        "chegou?",
        "oi",
    ]


async def test_the_echo_itself_settles_it(open_2: Perene):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on("webhook_delayed", seconds=0.3, events="send.message")
    open_2.evolution.faults.turn_on("cut_after", route="sendText", count=1)
    answer = await send(open_2, "k1", conversation=conversation, text="chegou?")
    assert answer.status_code == 202
    shown = await open_2.call("GET", f"/conversations/{conversation}/messages")
    assert [request["key"] for request in shown.json()["sends"]] == ["k1"]

    await open_2.evolution.drain()

    assert open_2.documents("tenants/acme/sends")["k1"]["state"] == "sent"
    shown = await open_2.call("GET", f"/conversations/{conversation}/messages")
    assert shown.json()["sends"] == []
    assert open_2.documents("tenants/acme/conversations")[conversation]["unsettled"] == 0


async def test_history_answers_an_unanswered_send(open_line: Perene):
    conversation = await talk(open_line)
    open_line.evolution.faults.turn_on("webhook_lost", events="send.message")
    open_line.evolution.faults.turn_on("cut_after", route="sendText", count=1)
    assert (
        await send(open_line, "k1", conversation=conversation, text="chegou?")
    ).status_code == 202
    assert (await outcome(open_line, "k1")).status_code == 202

    open_line.clock.advance(timedelta(seconds=15))

    answer = await outcome(open_line, "k1")
    assert (answer.status_code, answer.json()["state"]) == (200, "sent")
    assert [message["text"] for message in await thread(open_line, conversation)] == [
        "chegou?",
        "oi",
    ]


@pytest.mark.parametrize("fault", ["cut_before", "error_500_before"])
async def test_unseen_send_stays_uncertain(open_2: Perene, fault: str):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on(fault, route="sendText", count=1)
    await send(open_2, "k1", conversation=conversation, text="perdida")

    for _ in range(3):
        open_2.clock.advance(timedelta(seconds=60))
        assert (
            await send(open_2, "k1", conversation=conversation, text="perdida")
        ).status_code == 202
        assert (await outcome(open_2, "k1")).json()["state"] == "uncertain"

    assert said(open_2) == []


async def test_equal_texts_match_one_send(open_2: Perene):
    conversation = await talk(open_2)
    await send(open_2, "k0", conversation=conversation, text="ok")
    open_2.evolution.faults.turn_on("cut_before", route="sendText", count=1)

    await send(open_2, "k1", conversation=conversation, text="ok")
    open_2.clock.advance(timedelta(seconds=60))

    assert (await outcome(open_2, "k1")).json()["state"] == "uncertain"
    assert (await outcome(open_2, "k0")).json()["state"] == "sent"


async def test_refused_and_unacknowledged_are_shown(open_2: Perene):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on("send_refused", count=1)
    await send(open_2, conversation=conversation, text="recusada")
    await open_2.evolution.drain()
    open_2.evolution.faults.turn_on("send_unacknowledged", count=1)
    await send(open_2, conversation=conversation, text="no limbo")
    await open_2.evolution.drain()

    open_2.clock.advance(timedelta(minutes=6))

    shown = {message["text"]: message for message in await thread(open_2, conversation)}
    assert (shown["no limbo"]["unacknowledged"], shown["no limbo"]["failed"]) == (True, False)
    assert (shown["recusada"]["unacknowledged"], shown["recusada"]["failed"]) == (False, True)


# Changed afterwards --------------------------------------------------------------------------


async def test_sent_text_is_edited_and_deleted(open_line: Perene):
    conversation = await talk(open_line)
    await send(open_line, "k1", conversation=conversation, text="R$ 100")
    await open_line.evolution.drain()

    edited = await open_line.call("PATCH", "/send-message/k1", json={"text": "R$ 90"})
    await open_line.evolution.drain()

    assert edited.status_code == 200, edited.text
    assert (edited.json()["message"]["text"], edited.json()["message"]["history"]) == (
        "R$ 90",
        ["R$ 100"],
    )
    again = await open_line.call("PATCH", "/send-message/k1", json={"text": "R$ 90"})
    assert again.status_code == 200
    deleted = await open_line.call("DELETE", "/send-message/k1")
    assert (deleted.status_code, deleted.json()["message"]["revoked"]) == (200, True)
    await open_line.evolution.drain()
    assert (await thread(open_line, conversation))[0]["revoked"]
    assert "R$" not in str(open_line.documents("tenants/acme/sends"))
    told = await open_line.call("GET", "/send-message/k1")
    assert (told.status_code, told.json().get("text")) == (200, None)


async def test_what_cannot_be_changed_says_why(open_2: Perene):
    conversation = await talk(open_2)
    await send(open_2, "k1", conversation=conversation, text="oi")
    await send(open_2, "k2", conversation=conversation, location={"latitude": 1, "longitude": 2})
    open_2.evolution.faults.turn_on("cut_before", route="sendText", count=1)
    await send(open_2, "k3", conversation=conversation, text="perdida")

    async def patch(key: str) -> str:
        answer = await open_2.call("PATCH", f"/send-message/{key}", json={"text": "x"})
        return f"{answer.status_code} {answer.json()['type'].rpartition(':')[2]}"

    assert await patch("k2") == "409 not-changeable"
    assert await patch("k3") == "409 not-sent-yet"
    assert await patch("k9") == "404 send-unknown"
    open_2.clock.advance(timedelta(minutes=16))
    assert await patch("k1") == "409 too-late-to-change"
    open_2.clock.advance(timedelta(days=2))
    late = await open_2.call("DELETE", "/send-message/k1")
    assert late.json()["type"] == "urn:perene:problem:too-late-to-change"
