"""What contacts write is in their tenant's inbox, through the right number, once."""

import asyncio
import base64
import json
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.cases import in_each
from tests.perene import Perene, name_of

NUMBER, OTHER = "5511999990001", "5511999990002"
MARIA, JOAO = "5511988887777", "5521977776666"
GROUP = "120363000000000001@g.us"
NOW = int(time.time())


async def inbox(perene: Perene, query: str = "", tenant: str = "acme") -> list[dict[str, Any]]:
    """The conversations on the first page."""
    answer = await perene.call("GET", f"/conversations{query}", tenant)
    assert answer.status_code == 200, answer.text
    return answer.json()["conversations"]


async def only(perene: Perene, query: str = "") -> dict[str, Any]:
    """The one conversation there is."""
    (conversation,) = await inbox(perene, query)
    return conversation


async def thread(perene: Perene, of: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    """The newest of its messages."""
    answer = await perene.call("GET", f"/conversations/{of['id']}/messages{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["messages"]


async def change(perene: Perene, of: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = await perene.call("PATCH", f"/conversations/{of['id']}", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def write(perene: Perene, name: str, sender: str = MARIA, text: str = "oi", **more: Any):
    """A contact wrote, and the server has told us; the message's id."""
    written = await perene.evolution.receive(name, sender, text, **more)
    await perene.evolution.drain()
    return written


async def say(perene: Perene, name: str, content: Any, jid: str = MARIA, **more: Any) -> str:
    """Any message object arrived, and the server has told us; the message's id."""
    address = jid if "@" in jid else f"{jid}@s.whatsapp.net"
    key = {"remoteJid": address, **more.pop("key", {})}
    message = {"key": key, "message": content, **more}
    written = await perene.evolution.receive_message(name, message)
    await perene.evolution.drain()
    return written


async def tell(perene: Perene, name: str, event: str, data: Any) -> None:
    await perene.evolution.emit(name, event, data)
    await perene.evolution.drain()


async def send(perene: Perene, name: str, text: str = "olá") -> str:
    """Send a message through the server itself and return its id."""
    body: dict[str, Any] = {"number": MARIA, "text": text}
    if perene.versions["main"].startswith("1."):
        body = {"number": MARIA, "textMessage": {"text": text}}
    answer = await upstream(perene, f"/message/sendText/{name}", body)
    await perene.evolution.drain()
    return answer["key"]["id"]


async def upstream(perene: Perene, path: str, body: Any) -> Any:
    transport = httpx.ASGITransport(perene.evolution.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://main.test") as http:
        answer = await http.post(path, json=body, headers={"apikey": "key-of-main"})
    assert answer.is_success, answer.text
    return answer.json()


async def post(perene: Perene, name: str, body: Any) -> int:
    """A webhook of the instance, as it is; the status of the answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = perene.webhook_headers(name)
    return (await perene.http.post("/webhook", content=content, headers=headers)).status_code


def told(name: str, event: str, data: Any, number: str = NUMBER) -> dict[str, Any]:
    """A webhook's body."""
    sender = f"{number}@s.whatsapp.net"
    moment = "2026-11-21T23:01:25.123Z"
    envelope = {"event": event, "instance": name, "data": data, "date_time": moment}
    return {**envelope, "sender": sender, "apikey": "an instance's token"}


async def two_lines(perene: Perene) -> tuple[str, str]:
    """Two lines of one tenant, each with its number."""
    first = await perene.pair(number=NUMBER, label="Vendas")
    perene.write("tenants/acme", max_lines=2)
    return first, await perene.pair(number=OTHER, line="suporte", label="Suporte")


# The list ------------------------------------------------------------------------------------


async def test_inbox_shows_contacts_message(perene: Perene):
    name = await perene.pair(number=NUMBER, label="Vendas")

    await write(perene, name, text="bom dia", push_name="Maria Silva")

    conversation = await only(perene)
    assert (conversation["line"], conversation["label"]) == ("default", "Vendas")
    assert conversation["number"] == NUMBER
    assert conversation["contact"] == {
        "key": "551188887777", "number": MARIA, "name": "Maria Silva", "group": False,
    }  # fmt: skip
    assert (conversation["unread"], conversation["archived"]) == (1, False)
    assert (conversation["last"]["text"], conversation["last"]["from_me"]) == ("bom dia", False)
    (message,) = await thread(perene, conversation)
    assert (message["text"], message["kind"], message["from_me"]) == ("bom dia", "text", False)


async def test_lines_are_merged_newest_first(perene: Perene):
    sales, support = await two_lines(perene)
    for at, (name, text) in enumerate([(sales, "um"), (support, "dois")]):
        await say(perene, name, {"conversation": text}, messageTimestamp=NOW + at)
    await say(perene, sales, {"conversation": "três"}, JOAO, messageTimestamp=NOW + 2)

    conversations = await inbox(perene)

    shown = [(row["label"], row["number"], row["last"]["text"]) for row in conversations]
    assert shown == [
        ("Vendas", NUMBER, "três"), ("Suporte", OTHER, "dois"), ("Vendas", NUMBER, "um"),
    ]  # fmt: skip
    assert [
        conversation["last"]["text"] for conversation in await inbox(perene, "?line=suporte")
    ] == ["dois"]
    assert await inbox(perene, "?line=nobody") == []
    threads = [await thread(perene, conversation) for conversation in conversations]
    assert [[m["text"] for m in messages] for messages in threads] == [["três"], ["dois"], ["um"]]


async def test_read_conversation_leaves_the_unread(perene: Perene):
    name = await perene.pair()
    await write(perene, name)
    await write(perene, name, text="tudo bem?")
    await write(perene, name, JOAO)
    assert {conversation["unread"] for conversation in await inbox(perene, "?unread=true")} == {
        1,
        2,
    }
    maria = await only(perene, "?search=5511")

    read = await change(perene, maria, read=True, tell=True)

    assert read["unread"] == 0
    assert [
        conversation["contact"]["number"] for conversation in await inbox(perene, "?unread=true")
    ] == [JOAO]
    marked = [call for call in perene.evolution.calls if "markMessageAsRead" in call.path]
    assert [call.status for call in marked] == [201]


async def test_next_message_unarchives_conversation(perene: Perene):
    name = await perene.pair()
    await write(perene, name)

    assert (await change(perene, await only(perene), archived=True))["archived"]
    assert await inbox(perene) == []
    assert (await only(perene, "?archived=true"))["unread"] == 1

    await write(perene, name, text="ainda aí?")
    assert (await only(perene))["unread"] == 2
    assert await inbox(perene, "?archived=true") == []


SEARCHES = {
    "name": ("maria", ["Maria Silva 😀", "Maria😀"]),
    "capitals": ("MARIA S", ["Maria Silva 😀"]),
    "number": ("5521", ["João"]),
    "a number as people write it": ("%2B55 (21) 97777", ["João"]),
    "the ninth digit that WhatsApp leaves out": ("5531988887777", ["Ana"]),
    "nobody": ("zoe", []),
    "signs": ("!?", []),
    "a later word": ("silva", ["Maria Silva 😀"]),
    "words in another order": ("sil maria", ["Maria Silva 😀"]),
    "no accent": ("joao", ["João"]),
    "accents": ("MÁRIA SÍLVA", ["Maria Silva 😀"]),
    "a number as the console shows it": ("%2B55 21 97777-6666", ["João"]),
    "a number without its country": ("(21) 97777-6666", ["João"]),
    "a number with the zeros before it": ("021977776666", ["João"]),
    "a number without its ninth digit": ("21 7777-6666", ["João"]),
    "a number with its ninth digit": ("31 98888-7777", ["Ana"]),
    "the last digits": ("6666", ["João"]),
    "the last digits after zeros": ("0019", ["Zé da Obra 16"]),
    "a number in a name": ("obra 16", ["Zé da Obra 16"]),
    "digits in a name": ("16", ["Zé da Obra 16"]),
}


async def test_search_finds_words_and_digits(on_2: Perene):
    name = await on_2.pair()
    await write(on_2, name, MARIA, push_name="Maria Silva 😀")
    await write(on_2, name, "5511955554444", push_name="Maria😀")
    await write(on_2, name, JOAO, push_name="João")
    await write(on_2, name, "553188887777", push_name="Ana")
    await write(on_2, name, "5511977770019", push_name="Zé da Obra 16")
    await tell(on_2, name, "groups.upsert", [{"id": GROUP, "subject": "Maria e amigos"}])

    for title, (wanted, names) in SEARCHES.items():
        conversations = await inbox(on_2, f"?search={wanted}")
        assert sorted(row["contact"]["name"] for row in conversations) == names, title


async def test_pages_stay_complete_while_messages_arrive(on_2: Perene):
    name = await on_2.pair()
    for at in range(7):
        content = {"conversation": "oi"}
        await say(on_2, name, content, f"55219777700{at:02}", messageTimestamp=NOW + at // 2)
    first = (await on_2.call("GET", "/conversations?limit=3")).json()
    await say(on_2, name, {"conversation": "novo"}, JOAO, messageTimestamp=NOW + 99)

    seen, cursor = (
        [conversation["id"] for conversation in first["conversations"]],
        first.get("next"),
    )
    while cursor:
        page = (await on_2.call("GET", f"/conversations?limit=3&cursor={cursor}")).json()
        seen += [conversation["id"] for conversation in page["conversations"]]
        cursor = page.get("next")

    assert len(seen) == len(set(seen)) == 7
    assert seen == [conversation["id"] for conversation in await inbox(on_2)][1:]


async def test_a_search_has_pages_too(on_2: Perene):
    name = await on_2.pair()
    for at in range(3):
        await write(on_2, name, f"55219777700{at:02}", push_name="Maria")

    seen, cursor = [], ""
    for _ in range(4):
        page = (await on_2.call("GET", f"/conversations?search=mar&limit=1{cursor}")).json()
        seen += [conversation["id"] for conversation in page["conversations"]]
        cursor = f"&cursor={page.get('next')}"

    assert len(seen) == len(set(seen)) == 3
    assert "next" not in page


# Messages ------------------------------------------------------------------------------------


async def test_message_pages_start_with_newest(perene: Perene):
    name = await perene.pair()
    for at in range(5):
        content = {"conversation": str(at)}
        await say(perene, name, content, messageTimestamp=NOW + at // 2)
    path = f"/conversations/{(await only(perene))['id']}/messages?limit=2"

    first = (await perene.call("GET", path)).json()
    await say(perene, name, {"conversation": "5"}, messageTimestamp=NOW + 9)
    second = (await perene.call("GET", f"{path}&cursor={first['next']}")).json()
    third = (await perene.call("GET", f"{path}&cursor={second['next']}")).json()

    texts = [m["text"] for page in (first, second, third) for m in page["messages"]]
    assert sorted(texts) == ["0", "1", "2", "3", "4"]
    assert texts[0] == "4"
    assert set(texts[1:3]) == {"2", "3"}
    assert "next" not in third


async def test_poll_answers_only_changes(on_2: Perene):
    name = await on_2.pair()
    first = await write(on_2, name, text="um")
    path = f"/conversations/{(await only(on_2))['id']}/messages"
    since = (await on_2.call("GET", path)).json()["since"]

    polled = await on_2.call("GET", f"{path}?since={since}")
    etag = {"if-none-match": polled.headers["etag"]}
    again = await on_2.call("GET", f"{path}?since={since}", headers=etag)
    assert [m["id"] for m in polled.json()["messages"]] == [first]
    weak = {"if-none-match": f'"older", W/{polled.headers["etag"]}'}  # as proxies send it
    through_proxy = await on_2.call("GET", f"{path}?since={since}", headers=weak)
    assert (again.status_code, again.content) == (304, b"")
    assert through_proxy.status_code == 304

    await on_2.evolution.edit(name, first, "dois")
    await on_2.evolution.drain()
    changed = await on_2.call("GET", f"{path}?since={since}", headers=etag)
    assert [m["text"] for m in changed.json()["messages"]] == ["dois"]

    on_2.clock.advance(timedelta(minutes=1))
    second = await write(on_2, name, text="três")
    later = (await on_2.call("GET", f"{path}?since={since}")).json()
    final = (await on_2.call("GET", f"{path}?since={later['since']}")).json()
    assert [m["id"] for m in final["messages"]] == [second]


async def test_simultaneous_changes_span_pages(on_2: Perene):
    name = await on_2.pair()
    await on_2.evolution.history(name, past(7))
    await on_2.evolution.drain()
    path = f"/conversations/{(await only(on_2))['id']}/messages?since=0&limit=3"

    seen, cursor = [], ""
    for _ in range(3):
        page = (await on_2.call("GET", path + cursor)).json()
        seen += [message["id"] for message in page["messages"]]
        cursor = f"&cursor={page.get('next', '')}"

    assert sorted(seen) == [f"PAST{at}" for at in range(7)]
    assert "next" not in page
    assert page["since"] > 0


async def test_simultaneous_changes_are_both_polled(on_2: Perene):
    name = await on_2.pair()
    first = await write(on_2, name)
    path = f"/conversations/{(await only(on_2))['id']}/messages?since=0"
    before = (await on_2.call("GET", path)).headers["etag"]
    document = f"tenants/acme/messages/default~{first}"
    on_2.write(document, edits={"k": {"text": "mudou", "at": 1}})

    answer = await on_2.call("GET", path, headers={"if-none-match": before})

    assert answer.status_code == 200


# What became of them -------------------------------------------------------------------------


async def test_ticks_only_move_forward(perene: Perene):
    name = await perene.pair()
    sent = await send(perene, name)
    conversation = await only(perene)
    assert conversation["unread"] == 0
    seen = []
    for status in (None, "DELIVERY_ACK", "READ", "DELIVERY_ACK"):
        if status:
            await perene.evolution.acknowledge(name, sent, status)
            await perene.evolution.drain()
        (message,) = await thread(perene, conversation)
        seen.append(message["delivery"])

    order = ["pending", "sent", "delivered", "read"]
    assert seen[-3:] == ["delivered", "read", "read"] or seen[0] in order[2:]
    assert seen == sorted(seen, key=order.index)
    assert message["from_me"]


async def test_a_refused_message_says_so(perene: Perene):
    perene.evolution.faults.turn_on("send_unacknowledged")
    name = await perene.pair()
    sent = await send(perene, name)

    await perene.evolution.acknowledge(name, sent, "ERROR")
    await perene.evolution.drain()

    (message,) = await thread(perene, await only(perene))
    assert message["failed"]


async def test_phone_message_is_ours_and_read(perene: Perene):
    name = await perene.pair()

    await say(perene, name, {"conversation": "do celular"}, key={"fromMe": True}, pushName="Você")

    conversation = await only(perene)
    (message,) = await thread(perene, conversation)
    assert (message["from_me"], message["delivery"]) == (True, "sent")
    assert (conversation["unread"], conversation["contact"].get("name")) == (0, None)
    assert conversation["last"]["from_me"]


async def test_edit_is_shown_with_history(on_2: Perene):
    name = await on_2.pair()
    first = await write(on_2, name, text="certo")

    for text in ("serto", "certo!"):
        on_2.clock.advance(timedelta(minutes=1))
        await tell(on_2, name, "messages.edited", {
            "key": {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": False, "id": first},
            "type": "MESSAGE_EDIT", "editedMessage": {"conversation": text},
            "timestampMs": str((NOW + len(text)) * 1000),
        })  # fmt: skip

    conversation = await only(on_2)
    (message,) = await thread(on_2, conversation)
    assert (message["text"], message["edited"]) == ("certo!", True)
    assert message["history"] == ["certo", "serto"]
    assert conversation["last"]["text"] == "certo!"


async def test_edit_by_contact_changes_preview(on_2: Perene):
    name = await on_2.pair()
    first = await write(on_2, name, text="antes")

    await on_2.evolution.edit(name, first, "depois")
    await on_2.evolution.drain()

    assert (await only(on_2))["last"]["text"] == "depois"


async def test_revoked_message_is_shown_nowhere(on_2: Perene):
    name = await on_2.pair()
    first = await write(on_2, name, text="segredo")
    await on_2.evolution.edit(name, first, "segredo maior")
    await on_2.evolution.revoke(name, first)
    await on_2.evolution.drain()

    conversation = await only(on_2)
    path = f"/conversations/{conversation['id']}"
    for where in ("/conversations", path, f"{path}/messages", f"{path}/messages?since=0"):
        assert "segredo" not in (await on_2.call("GET", where)).text
    (message,) = await thread(on_2, conversation)
    assert message["revoked"]
    assert conversation["last"]["message"] == first


@pytest.mark.parametrize("news", ["edit", "revocation"])
async def test_early_update_is_in_the_preview(on_2: Perene, news: str):
    name = await on_2.pair()
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": False, "id": "3A1"}
    edit = {"key": key, "type": "MESSAGE_EDIT", "editedMessage": {"conversation": "depois"},
            "timestampMs": str(NOW * 1000)}  # fmt: skip
    event = ("messages.edited", edit) if news == "edit" else ("messages.delete", key)
    await post(on_2, name, told(name, *event))

    await say(on_2, name, {"conversation": "antes"}, key={"id": "3A1"})

    conversation = await only(on_2)
    assert conversation["last"]["text"] == ("depois" if news == "edit" else "")
    assert conversation["unread"] == 1


async def test_revocation_by_lid_is_in_preview(on_2: Perene):
    name = await on_2.pair()
    first = await write(on_2, name, MARIA, "segredo", lid="111222333")

    await post(on_2, name, told(name, "messages.delete", {
        "remoteJid": "999888@lid", "fromMe": False, "id": first,
    }))  # fmt: skip

    assert "segredo" not in (await on_2.call("GET", "/conversations")).text


async def test_reaction_is_added_changed_and_removed(perene: Perene):
    name = await perene.pair()
    first = await write(perene, name)
    target = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": False, "id": first}
    seen = []
    for at, emoji in enumerate(["👍", "😂", ""]):
        reaction = {"text": emoji, "key": target, "senderTimestampMs": (NOW + at) * 1000}
        await say(perene, name, {"reactionMessage": reaction})
        conversation = await only(perene)
        (message,) = await thread(perene, conversation)
        seen.append(message["reactions"])
    mine = {"text": "❤️", "key": target}
    await say(perene, name, {"reactionMessage": mine}, key={"fromMe": True})

    assert seen == [{"551188887777": "👍"}, {"551188887777": "😂"}, {}]
    assert (await thread(perene, conversation))[0]["reactions"] == {"me": "❤️"}
    assert (conversation["unread"], conversation["last"]["text"]) == (1, "oi")


# Who -----------------------------------------------------------------------------------------


async def test_group_says_who_of_it_wrote(on_2: Perene):
    name = await on_2.pair()
    await tell(on_2, name, "groups.upsert", [{"id": GROUP, "subject": "Família"}])
    for author, text in ((MARIA, "oi"), (JOAO, "olá")):
        await say(
            on_2, name, {"conversation": text}, GROUP, pushName=f"N{text}",
            key={"participant": f"{author}@s.whatsapp.net"}, messageTimestamp=NOW + len(text),
        )  # fmt: skip

    conversation = await only(on_2)

    assert conversation["contact"] == {
        "key": "g-120363000000000001", "name": "Família", "group": True,
    }  # fmt: skip
    messages = await thread(on_2, conversation)
    assert [(m["author"]["number"], m["author"]["name"]) for m in messages] == [
        (JOAO, "Nolá"), (MARIA, "Noi"),
    ]  # fmt: skip
    assert (await only(on_2, "?search=fam"))["id"] == conversation["id"]


async def test_named_group_is_no_conversation_yet(on_2: Perene):
    name = await on_2.pair()
    await tell(on_2, name, "groups.upsert", [{"id": GROUP, "subject": "Família"}])

    assert await inbox(on_2) == []
    assert await inbox(on_2, "?search=fam") == []


async def test_lid_with_number_is_that_contact(on_2: Perene):
    name = await on_2.pair()
    await write(on_2, name, MARIA, "um")

    await write(on_2, name, MARIA, "dois", lid="111222333")
    await write(on_2, name, "", "três", lid="111222333")

    conversation = await only(on_2)
    assert conversation["unread"] == 3
    assert len(await thread(on_2, conversation)) == 3


async def test_learned_number_merges_conversations(on_2: Perene):
    name = await on_2.pair()
    texts = ["um", "dois", "três"]
    for at, text in enumerate(texts):
        key = {"remoteJid": "111222333@lid"}
        key |= {"remoteJidAlt": f"{MARIA}@s.whatsapp.net"} if at == 2 else {}
        await say(on_2, name, {"conversation": text}, "", key=key, messageTimestamp=NOW + at)
        if at == 1:
            before = await only(on_2)
            assert (before["contact"].get("number"), before["unread"]) == (None, 2)

    await inbox(on_2)
    conversation = await only(on_2)

    assert (conversation["contact"]["number"], conversation["unread"]) == (MARIA, 3)
    assert [m["text"] for m in await thread(on_2, conversation)] == texts[::-1]
    assert [m["text"] for m in await thread(on_2, before)] == texts[::-1]
    assert await inbox(on_2, "?archived=true") == []


async def test_updates_after_merge_are_merged(on_2: Perene):
    name = await on_2.pair()
    await write(on_2, name, "", "um", lid="111222333")
    await write(on_2, name, MARIA, "dois", lid="111222333")
    await inbox(on_2)
    await change(on_2, await only(on_2), read=True)
    document = on_2.database.collection("tenants/acme/conversations")
    (hidden,) = [
        snapshot.id for snapshot in document.stream() if snapshot.get("contact").startswith("lid-")
    ]
    on_2.write(
        f"tenants/acme/conversations/{hidden}",
        merged_into=None, archived=False, unread=1, has_unread=True,
    )  # fmt: skip

    await inbox(on_2)

    assert (await only(on_2))["unread"] == 1


async def test_hidden_contacts_let_previews_heal(on_2: Perene):
    name = await on_2.pair()
    old = {"conversation": "velho"}
    await say(on_2, name, {"conversation": "novo"}, JOAO, messageTimestamp=NOW)
    await say(on_2, name, old, JOAO, messageTimestamp=NOW - 100)
    for at in range(4):
        await say(on_2, name, old, f"11122233{at}@lid", messageTimestamp=NOW + 10)

    conversations = await inbox(on_2)

    assert len(conversations) == 5
    assert conversations[-1]["last"]["text"] == "novo"


async def test_status_and_broadcast_are_nobodys_conversation(perene: Perene):
    name = await perene.pair()
    for jid in ("status@broadcast", "1234@broadcast", "1234@newsletter"):
        await say(perene, name, {"conversation": "olhem"}, jid)

    assert await inbox(perene) == []
    assert perene.documents("dead_letters") == {}


# What was said -------------------------------------------------------------------------------


async def test_an_answer_shows_what_it_answers(perene: Perene):
    name = await perene.pair()
    first = await write(perene, name, text="quanto custa?")
    quoting = {"stanzaId": first, "participant": f"{MARIA}@s.whatsapp.net",
               "quotedMessage": {"conversation": "quanto custa?"}}  # fmt: skip

    content = {"extendedTextMessage": {"text": "e então?", "contextInfo": quoting}}
    await say(perene, name, content, messageTimestamp=NOW + 3600)

    newest = (await thread(perene, await only(perene)))[0]
    assert newest["quoted"] == {
        "id": first, "author": "551188887777", "kind": "text", "preview": "quanto custa?",
    }  # fmt: skip


async def test_unsupported_kind_is_visible(perene: Perene):
    name = await perene.pair()

    await say(perene, name, {"someFutureMessage": {"x": 1}})

    conversation = await only(perene)
    (message,) = await thread(perene, conversation)
    assert (message["kind"], message["original"]) == ("unsupported", "someFutureMessage")
    assert (conversation["unread"], conversation["last"]["kind"]) == (1, "unsupported")


async def test_newly_supported_kind_is_shown(perene: Perene):
    """Show what an earlier version kept as it came."""
    name = await perene.pair()
    await say(perene, name, {"someFutureMessage": {"x": 1}})
    conversation = await only(perene)
    (stored,) = await perene.store.db.client.collection("tenants/acme/messages").get()

    await stored.reference.update({"raw": json.dumps({"contactMessage": {"displayName": "Ana"}})})

    (message,) = await thread(perene, conversation)
    assert (message["kind"], message["cards"][0]["name"]) == ("contacts", "Ana")


PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()


async def test_file_is_streamed_on_demand(perene: Perene):
    name = await perene.pair()
    first = await perene.evolution.receive_media(name, MARIA, "image", PIXEL, caption="veja")
    await perene.evolution.drain()
    conversation = await only(perene)
    (message,) = await thread(perene, conversation)

    answer = await perene.call("GET", f"/conversations/{conversation['id']}/messages/{first}/media")

    assert (message["kind"], message["text"]) == ("image", "veja")
    assert message["media"]["mimetype"] == "image/png"
    document = perene.documents("tenants/acme/messages")[f"default~{first}"]
    assert not [word for word in ("mediaKey", "mmg.whatsapp", PIXEL) if word in str(document)]
    assert answer.status_code == 200
    assert answer.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-disposition"].startswith("inline; filename*=UTF-8''")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, max-age=86400, immutable"


async def test_file_name_has_no_bidi_controls(on_2: Perene):
    name = await on_2.pair()
    received = await on_2.evolution.receive_media(name, MARIA, "document", PIXEL)
    await on_2.evolution.drain()
    conversation = await only(on_2)
    on_2.write(f"tenants/acme/messages/default~{received}", media={"name": "cobrança\u202efdp.exe"})

    answer = await on_2.call(
        "GET", f"/conversations/{conversation['id']}/messages/{received}/media"
    )

    assert answer.headers["content-disposition"].endswith("''cobran%C3%A7afdp.exe")


MIMETYPES = {
    "text/html": ("text/html; charset=utf-8", "attachment"),
    "image/svg+xml": ("image/svg+xml", "attachment"),
    "video/x+xml": ("video/x+xml", "attachment"),
    "image/png+xml": ("image/png+xml", "attachment"),
    "no type\r\nx-evil: 1": ("application/octet-stream", "attachment"),
    f"image/{'x' * 200}": ("application/octet-stream", "attachment"),
    "application/pdf": ("application/pdf", "inline"),
    "audio/ogg; codecs=opus": ("audio/ogg; codecs=opus", "inline"),
}


@in_each("case", MIMETYPES)
async def test_scriptable_file_is_downloaded(on_2: Perene, case: str):
    name = await on_2.pair()
    first = await on_2.evolution.receive_media(name, MARIA, "document", PIXEL, mimetype=case)
    await on_2.evolution.drain()
    conversation = await only(on_2)

    answer = await on_2.call("GET", f"/conversations/{conversation['id']}/messages/{first}/media")

    kind, disposition = MIMETYPES[case]
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"].startswith(disposition)
    assert "x-evil" not in answer.headers


async def test_unavailable_file_is_a_problem(on_2: Perene):
    name = await on_2.pair()
    text = await write(on_2, name)
    gone = await on_2.evolution.receive_media(name, MARIA, "image", PIXEL)
    large = await say(on_2, name, {"videoMessage": {"fileLength": 33 * 1024 * 1024}})
    revoked = await on_2.evolution.receive_media(name, MARIA, "image", PIXEL)
    await on_2.evolution.revoke(name, revoked)
    await on_2.evolution.drain()
    on_2.evolution.world.media.pop(gone)
    path = f"/conversations/{(await only(on_2))['id']}/messages"
    problems = {}
    for which in (text, gone, large, revoked, "3A0", "a~b"):
        answer = await on_2.call("GET", f"{path}/{which}/media")
        problems[which] = (answer.status_code, answer.json()["type"].rpartition(":")[2])

    assert problems == {
        text: (404, "media-absent"), gone: (404, "media-absent"),
        large: (413, "media-too-large"), revoked: (404, "media-absent"),
        "3A0": (404, "message-unknown"), "a~b": (404, "message-unknown"),
    }  # fmt: skip
    calls = [call for call in on_2.evolution.calls if "getBase64" in call.path]
    assert len(calls) == 1


async def test_file_needs_its_conversation(on_2: Perene):
    name = await on_2.pair()
    await write(on_2, name, JOAO)
    joao = await only(on_2)
    first = await on_2.evolution.receive_media(name, MARIA, "image", PIXEL)
    await on_2.evolution.drain()

    answer = await on_2.call("GET", f"/conversations/{joao['id']}/messages/{first}/media")

    assert answer.json()["type"] == "urn:perene:problem:message-unknown"


# Lines that change ---------------------------------------------------------------------------


async def test_changed_number_splits_conversations(perene: Perene):
    name = await perene.pair(number=NUMBER)
    await write(perene, name, text="ao antigo")
    await perene.evolution.unpair(name)
    await perene.evolution.drain()
    await perene.pair(number=OTHER)
    await say(perene, name, {"conversation": "ao novo"}, messageTimestamp=NOW + 3600)

    conversations = await inbox(perene)

    last = [(row["number"], row["last"]["text"]) for row in conversations]
    threads = [await thread(perene, conversation) for conversation in conversations]
    assert last == [(OTHER, "ao novo"), (NUMBER, "ao antigo")]
    assert [[m["text"] for m in messages] for messages in threads] == [["ao novo"], ["ao antigo"]]
    await change(perene, conversations[1], read=True, tell=True)
    assert not [call for call in perene.evolution.calls if "markMessage" in call.path]


async def test_released_line_keeps_its_conversations(perene: Perene):
    sales, _ = await two_lines(perene)
    await write(perene, sales)
    await perene.call("DELETE", "/instances/default")

    conversation = await only(perene)

    assert (conversation["label"], conversation["number"]) == ("Vendas", NUMBER)
    assert len(await thread(perene, conversation)) == 1


def past(count: int, people: int = 1) -> list[dict[str, Any]]:
    """Messages of the past."""
    return [
        {
            "key": {"remoteJid": f"552197777{at % people:04}@s.whatsapp.net", "id": f"PAST{at}"},
            "message": {"conversation": f"antes {at}"},
            "messageTimestamp": NOW - 100_000 + at,
        }
        for at in range(count)
    ]


async def test_history_is_read_and_idempotent(on_2: Perene):
    name = await on_2.pair()
    await write(on_2, name, "5521977770000", "agora")
    for _ in range(2):
        await on_2.evolution.history(name, past(1000, 10))
        await on_2.evolution.drain()

    assert len(on_2.documents("tenants/acme/messages")) == 1001
    for _ in range(4):
        conversations = await inbox(on_2)
    assert [conversation["unread"] for conversation in conversations] == [1] + [0] * 9
    assert [conversation["last"]["text"] for conversation in conversations] == [
        "agora", *(f"antes {at}" for at in range(999, 990, -1)),
    ]  # fmt: skip


# What nobody understands ---------------------------------------------------------------------


async def test_dead_letter_is_stored_without_secrets(on_2: Perene):
    name = await on_2.pair()
    odd = told(name, "messages.upsert", {"key": 7, "mediaKey": "k3y", "message": {"a": "b"}})

    statuses = [await post(on_2, name, odd) for _ in range(3)]

    assert statuses == [204, 204, 204]
    (letter,) = on_2.documents("dead_letters").values()
    assert (letter["instance"], letter["attempts"], letter["reason"]) == (name, 3, "no key")
    assert "an instance's token" not in letter["raw"]
    assert "k3y" not in letter["raw"]
    assert json.loads(letter["raw"])["event"] == "messages.upsert"


async def test_oversized_dead_letter_is_cut(on_2: Perene):
    name = await on_2.pair()

    status = await post(on_2, name, ("é€" * 700_000).encode())

    (letter,) = on_2.documents("dead_letters").values()
    assert status == 204
    assert letter["cut"]
    assert letter["raw"].startswith("é€é€")


async def test_nonsense_hides_no_message(on_2: Perene):
    name = await on_2.pair()
    good = {"key": {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": False, "id": "3A1"},
            "message": {"conversation": "oi"}, "messageTimestamp": NOW}  # fmt: skip

    assert await post(on_2, name, told(name, "messages.upsert", [7, good])) == 204

    assert (await only(on_2))["last"]["text"] == "oi"
    assert len(on_2.documents("dead_letters")) == 1


async def test_unknown_instances_message_is_dead_letter(on_2: Perene):
    body = told("instance_nobody", "messages.upsert", {
        "key": {"remoteJid": f"{MARIA}@s.whatsapp.net", "id": "3A1"},
        "message": {"conversation": "oi"}, "messageTimestamp": NOW,
    })  # fmt: skip
    del body["sender"]

    assert await post(on_2, "instance_nobody", body) == 204
    (letter,) = on_2.documents("dead_letters").values()
    assert letter["reason"] == "own number unknown"


async def test_oversized_message_is_not_lost(on_2: Perene):
    name = await on_2.pair()
    body = told(name, "messages.upsert", {
        "key": {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": False, "id": "3A1"},
        "message": {"conversation": "é" * 1_500_000}, "messageTimestamp": NOW,
    })  # fmt: skip

    assert await post(on_2, name, body) == 204
    assert on_2.documents("dead_letters") or on_2.documents("tenants/acme/messages")


# What is asked oddly -------------------------------------------------------------------------

QUERIES = {
    "": ["limit=0", "limit=101", "limit=x", "line=A B", "unread=perhaps", "search=", "nope=1",
         "search=" + "x" * 61],
    "/{id}/messages": ["limit=0", "since=-1", "since=x", "since=1e99", "nope=1", "limit=101"],
}  # fmt: skip

CURSORS = [
    "x", "é", "W10", "bnVsbA", "WzEsMl0", "WzEsIi4uL3giXQ", "WzEsICJfX3hfXyJd",
    "WyJhIiwgImIiXQ", "W3RydWUsICJiIl0", "Wy0xLCAiYiJd",
    "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCwgImIiXQ", "WzEsICJcdWQ4MDAiXQ", "A" * 599,
    "W1siYSJdLCAiYiJd", "WzEuNSwgImIiXQ", "WzEsICIuIl0",
]  # fmt: skip


@in_each("case", [(path, query) for path, all in QUERIES.items() for query in all])
async def test_an_odd_query_is_a_problem(on_2: Perene, case: tuple[str, str]):
    name = await on_2.pair()
    await write(on_2, name)
    path, query = case
    full = f"/conversations{path}".format(id=(await only(on_2))["id"])

    answer = await on_2.call("GET", f"{full}?{query}")

    assert (answer.status_code, answer.json()["type"]) == (
        422, "urn:perene:problem:request-invalid",
    )  # fmt: skip


async def test_a_forged_cursor_is_a_problem(on_2: Perene):
    name = await on_2.pair()
    await write(on_2, name)
    paths = ["", f"/{(await only(on_2))['id']}/messages"]
    for cursor in CURSORS:
        for path in paths:
            answer = await on_2.call("GET", f"/conversations{path}", params={"cursor": cursor})
            assert answer.status_code == 400, cursor
            assert answer.json()["type"] == "urn:perene:problem:cursor-invalid"
    for forged in ("WzEsICJiIl0", "WyJcdWQ4MDAiLCAiYiJd"):
        answer = await on_2.call("GET", f"/conversations?search=a&cursor={forged}")
        assert answer.json()["type"] == "urn:perene:problem:cursor-invalid"


@in_each("id", ["nope", "a" * 26, "%2e%2e", "__x__", "é", "A" * 300])
async def test_an_unknown_conversation_is_a_problem(on_2: Perene, id: str):
    await on_2.pair()
    for path in (f"/conversations/{id}", f"/conversations/{id}/messages"):
        answer = await on_2.call("GET", path)
        assert answer.status_code == 404, path


async def test_concurrent_first_messages_are_one_conversation(on_2: Perene):
    name = await on_2.pair()
    await asyncio.gather(*(on_2.evolution.receive(name, MARIA, str(at)) for at in range(50)))
    await on_2.evolution.drain()

    assert (await only(on_2))["unread"] == 50
    assert name == name_of("acme")
