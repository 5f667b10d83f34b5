"""Situations that people reported publicly, each with what is right."""

import json
import time
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.test_names import GROUP
from tests.journeys.test_odd_intake import OWN, post
from tests.journeys.test_sending import said, send, talk, thread
from tests.perene import Perene

REPORTS = Path(__file__).parent.parent / "reports"


def report(name: str, instance: str) -> list[dict[str, Any]]:
    """Fill in a report: times, our number, our instance."""
    now = datetime.now(UTC)
    text = (REPORTS / f"{name}.json").read_text()
    iso = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values = {"instance": instance, "own": OWN, "now": iso, "iso": iso}
    for field, value in {**values, "ms": str(int(now.timestamp() * 1000))}.items():
        text = text.replace(f"{{{field}}}", value)
    bodies: list[dict[str, Any]] = json.loads(text)
    for position, body in enumerate(bodies):
        if isinstance(body["data"], dict) and body["data"].get("messageTimestamp") == "{t}":
            body["data"]["messageTimestamp"] = int(time.time()) - 60 + position
    return bodies


async def tell(line: Perene, name: str, *order: int) -> None:
    """The server posts a report, in this order if it isn't its own."""
    instance = await line.pair()
    bodies = report(name, instance)
    for position in order or range(len(bodies)):
        body = bodies[position]
        raw, headers = json.dumps(body).encode(), line.webhook_headers(instance)
        answer = await line.http.post("/webhook", content=raw, headers=headers)
        assert answer.status_code == 204, answer.text


async def shown(line: Perene, query: str = "") -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return every conversation with its messages, newest first."""
    answer = (await line.call("GET", f"/conversations{query}")).json()["conversations"]
    return [
        (
            conversation,
            (await line.call("GET", f"/conversations/{conversation['id']}/messages")).json()[
                "messages"
            ],
        )
        for conversation in answer
    ]


async def test_a_pix_key_its_type_and_its_payee_are_readable(on_2: Perene):
    await tell(on_2, "pix-key-in-native-flow")

    ((conversation, (message,)),) = await shown(on_2)

    key = {"key": "caixa@padaria.example", "type": "email", "payee": "Padaria da Ana"}
    assert (message["kind"], message["payment"]["pix"]) == ("payment", key)
    assert conversation["last"]["text"]


async def test_what_linked_devices_never_get_is_only_on_the_phone(on_2: Perene):
    await tell(on_2, "masked-for-linked-devices")

    ((_, (message,)),) = await shown(on_2)

    assert (message["kind"], message["original"]) == ("unsupported", "placeholderMessage")


async def test_an_advertisement_is_kept_with_message_and_conversation(on_2: Perene):
    await tell(on_2, "click-to-whatsapp-ad")

    ((conversation, (message,)),) = await shown(on_2, "?from_ad=true")

    ad = {
        "type": "ad", "source_id": "120200000000000004", "title": "Avaliação grátis",
        "body": "Promoção de novembro", "url": "https://fb.me/EXAMPLE4",
        "click_id": "ARexampleClid4", "app": "instagram",
    }  # fmt: skip
    assert message["origin"] == ad
    seen = ad | {"message": message["id"], "at": message["at"]}
    assert (conversation["first_ad"], conversation["last_ad"]) == (seen, seen)


async def test_a_broadcast_list_is_in_its_senders_conversation(on_2: Perene):
    await tell(on_2, "sender-uses-broadcast-list")

    ((conversation, (message,)),) = await shown(on_2)

    assert conversation["contact"]["number"] == "5511911110005"
    assert message["text"] == "Cardápio de hoje: feijoada"


async def test_what_cannot_be_decrypted_is_waited_for(on_2: Perene):
    await tell(on_2, "undecryptable-only")

    ((conversation, (message,)),) = await shown(on_2)

    assert (message["kind"], conversation["unread"]) == ("waiting", 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0), (0, 1, 1)])
async def test_what_was_waited_for_becomes_its_words(on_2: Perene, order: tuple[int, ...]):
    await tell(on_2, "undecryptable-then-update-with-content", *order)

    ((conversation, (message,)),) = await shown(on_2)

    assert (message["kind"], message["text"]) == ("text", "chegou agora")
    assert (conversation["last"]["text"], conversation["unread"]) == ("chegou agora", 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 1)])
async def test_an_encrypted_edit_marks_its_message(on_2: Perene, order: tuple[int, ...]):
    await tell(on_2, "encrypted-edit", *order)

    ((conversation, (message,)),) = await shown(on_2)

    assert (message["text"], message["edited"], message["edit_unreadable"]) == (
        "às 14h",
        True,
        True,
    )
    assert (conversation["last"]["text"], conversation["unread"]) == ("às 14h", 1)


async def test_a_reaction_alone_is_no_conversation(on_2: Perene):
    await tell(on_2, "reaction-alone")

    assert await shown(on_2) == []


async def test_a_form_shows_its_answers(on_2: Perene):
    await tell(on_2, "flow-form-answer")

    ((conversation, (message,)),) = await shown(on_2)

    answers = [(answer["label"], answer["value"]) for answer in message["form"]["answers"]]
    assert answers == [("Nota", "Excelente"), ("Comentario", "Muito bom")]
    assert "Sent" not in str(message)
    assert conversation["last"]["text"] == "Nota: Excelente · Comentario: Muito bom"


@pytest.mark.parametrize("order", [*permutations(range(2)), (0, 1, 0, 1)])
async def test_a_call_that_nobody_took_is_one_line(on_2: Perene, order: tuple[int, ...]):
    await tell(on_2, "missed-call", *order)

    ((conversation, (message,)),) = await shown(on_2)

    assert (message["kind"], message["call"]["outcome"]) == ("call", "missed")
    assert conversation["unread"] == 1


async def test_a_call_and_late_words_come_from_a_server_that_we_subscribed_to(on_2: Perene):
    name = await on_2.pair()
    sender = "5511977770001"
    hidden = {"key": {"remoteJid": f"{sender}@s.whatsapp.net", "id": "3A1"}, "message": {}}
    await on_2.evolution.receive_message(name, hidden | {"messageStubType": 2})
    for status in ("offer", "accept", "terminate"):
        await on_2.evolution.call(name, {"from": sender, "id": "CALL1", "status": status})
    await on_2.evolution.reveal(name, "3A1", "cheguei")
    await on_2.evolution.drain()

    ((_, messages),) = await shown(on_2)

    by_id = {message["id"]: message for message in messages}
    assert by_id["3A1"]["text"] == "cheguei"
    assert by_id["CALL1"]["call"]["outcome"] == "answered"


async def test_first_and_last_advertisement_are_told_apart(on_2: Perene):
    instance = await on_2.pair()
    (body,) = report("click-to-whatsapp-ad", instance)
    for position in (1, 0, 2):
        data = json.loads(json.dumps(body["data"]))
        data["key"]["id"] = f"AD{position}"
        data["messageTimestamp"] += position
        data["contextInfo"]["externalAdReply"]["ctwaClid"] = f"click{position}"
        raw, headers = json.dumps({**body, "data": data}), on_2.webhook_headers(instance)
        await on_2.http.post("/webhook", content=raw.encode(), headers=headers)

    ((conversation, _),) = await shown(on_2, "?from_ad=true&unread=true")

    assert conversation["first_ad"]["click_id"] == "click0"
    assert conversation["last_ad"]["click_id"] == "click2"
    assert await shown(on_2, "?from_ad=true&archived=true") == []


async def test_mention_of_a_lid_is_told(on_2: Perene):
    await tell(on_2, "mention-of-a-lid")

    ((conversation, (message,)),) = await shown(on_2)

    assert conversation["contact"]["group"]
    assert message["mentions"] == ["lid-183082158140010"]
    assert message["author"]["number"] == "5511911110010"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("who", ["our-phone", "another-admin"])
async def test_administrator_takes_back_for_a_member(
    on_2: Perene, who: str, order: tuple[int, ...]
):
    await tell(on_2, f"{who}-deletes-for-a-member", *order)

    ((conversation, (message,)),) = await shown(on_2)

    assert message["revoked"]
    assert "compre" not in str((conversation, message, on_2.documents("tenants/acme/messages")))


async def test_flattened_reply_keeps_its_words(on_2: Perene):
    await tell(on_2, "reply-as-2-4-flattens-it")

    ((_, (message,)),) = await shown(on_2)

    assert (message["text"], message.get("quoted")) == ("15x21 brilhante", None)


async def test_another_phone_begins_another_conversation(on_2: Perene):
    name = await on_2.pair(number=OWN)
    before = await talk(on_2, "antes")
    await on_2.evolution.unpair(name)
    await on_2.evolution.drain()
    await on_2.pair(number="5511999990100")
    await on_2.evolution.receive(name, "5511988887777", "depois")
    await on_2.evolution.drain()

    conversations = [conversation for conversation, _ in await shown(on_2)]

    assert [(one["number"], one["last"]["text"]) for one in conversations] == [
        ("5511999990100", "depois"),
        (OWN, "antes"),
    ]
    assert conversations[1]["id"] == before


async def test_line_breaks_and_signs_leave_as_written(on_2: Perene):
    await on_2.pair(number=OWN)
    text = "Olá,\r\nlinha 2\n\nlinha 4 \\n fim *negrito* _it_"

    conversation = await talk(on_2)
    await send(on_2, conversation=conversation, text=text)
    await on_2.evolution.drain()

    assert [words for _, _, words in said(on_2)] == [text]
    assert [message["text"] for message in await thread(on_2, conversation)] == [text, "oi"]


VOTES = [("3AV1", ["Sim", "Talvez"], 1), ("3AV2", ["Sim"], 2), ("3AV3", ["Não"], 1)]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1, 0, 1)])
async def test_poll_shows_its_results(on_2: Perene, order: tuple[int, ...]):
    """Two members vote, one of them twice; as 2.3.7 posts it."""
    name, now = await on_2.pair(), int(time.time())
    options = [{"optionName": option} for option in ("Sim", "Não", "Talvez")]
    poll = {"pollCreationMessageV3": {"name": "Vamos?", "options": options}}
    told = [("3APOLL", poll, "5511911110001")]
    for vote_id, chosen, moment in VOTES:
        vote = {"pollCreationMessageKey": {"id": "3APOLL"}, "vote": {"selectedOptions": chosen}}
        content = {"pollUpdateMessage": vote | {"senderTimestampMs": (now + moment) * 1000}}
        told.append((vote_id, content, "551191111000" + ("3" if vote_id == "3AV3" else "2")))

    for index in order:
        message_id, content, member = told[index]
        key = {"remoteJid": GROUP, "id": message_id, "participant": f"{member}@s.whatsapp.net"}
        data = {"key": key, "message": content, "messageTimestamp": now}
        await post(on_2, name, "messages.upsert", data)

    ((conversation, (message,)),) = await shown(on_2)
    counts = {row["option"]: row["count"] for row in message["poll"]["results"]}
    assert counts == {"Sim": 1, "Não": 1, "Talvez": 0}
    assert conversation["unread"] == 1


async def test_votes_keep_no_words_of_a_revoked_poll(on_2: Perene):
    name = await on_2.pair()
    key = {"remoteJid": GROUP, "id": "3APOLL", "participant": "5511911110001@s.whatsapp.net"}
    options = [{"optionName": "Segredo"}]
    poll = {"key": key, "message": {"pollCreationMessage": {"name": "?", "options": options}}}
    vote = {"pollCreationMessageKey": key, "vote": {"selectedOptions": ["Segredo"]}}
    voted = {"key": key | {"id": "3AV1"}, "message": {"pollUpdateMessage": vote}}

    for data in (poll, voted, voted | {"key": key | {"id": "3AV2"}}):
        await post(on_2, name, "messages.upsert", data | {"messageTimestamp": int(time.time())})
        await post(on_2, name, "messages.delete", key | {"fromMe": False})

    ((_, (message,)),) = await shown(on_2)
    assert message["revoked"]
    assert "Segredo" not in str(on_2.documents("tenants/acme/messages"))
