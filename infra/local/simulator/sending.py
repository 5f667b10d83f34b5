"""POST /message/*: what callers say through an instance."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

import httpx

from infra.local.simulator import contents, ids, phones, webhooks
from infra.local.simulator.answers import (
    Answer,
    Ask,
    Json,
    bad_request,
    crashed,
    invalid,
)
from infra.local.simulator.contents import Content
from infra.local.simulator.delivering import acknowledge
from infra.local.simulator.state import EVOLUTION, Row, Sent, Session, World

Build = Callable[[Json], Content]
BARE = {"reactionMessage", "viewOnceMessage"}
PTV = "Error: Failed to get video duration: Aborted(CompileError: WebAssembly.instantiate())"


def sender(build: Build) -> Callable[[World, Ask], Awaitable[Answer]]:
    """The handler that sends what `build` makes of the body."""

    async def send(world: World, ask: Ask) -> Answer:
        if not isinstance(ask.body.get("number", ""), str):
            raise invalid("Invalid format")
        content = build(ask.body)
        session = world.sessions.get(ask.target)
        if session is None:
            raise crashed(f"Cannot read properties of undefined (reading '{build.__name__}')")
        if session.integration == EVOLUTION:
            return _on_evolution_channel(world, session, ask.body, content)
        return await _on_whatsapp(world, session, ask.body, content)

    return send


async def send_ptv(world: World, ask: Ask) -> Answer:
    raise crashed([PTV])


async def _on_whatsapp(world: World, session: Session, body: Json, content: Content) -> Answer:
    jid = await _resolved(world, session, _addressed(body))
    uploads = bool(content.media)
    content = content._replace(media=await _fetched(world, session.name, content.media))
    if uploads and world.faults.fires("upload_fails", session.name):
        raise crashed(["Error: Media upload failed on all hosts"])
    await world.wait(int(body.get("delay") or 0) / 1000)
    row = world.rows[session.name]
    message = _message(row, jid, body, content)
    row.messages.append(stored(message))
    if content.media:
        world.media[message["key"]["id"]] = content.media
    if session.base64 and content.media:
        message["message"] = message["message"] | {"base64": content.media}
    webhooks.emit(world, session.name, "send.message", message)
    _travel(world, session, message, content)
    world.changed()
    return Answer(201, message)


def _travel(world: World, session: Session, message: Json, content: Content) -> None:
    """The message is with its contact, unless the connection only claims to be open."""
    if world.faults.fires("open_lies", session.name):
        return
    world.sent.append(Sent(
        instance=session.name, sender=(session.wuid or "").partition("@")[0],
        to=message["key"]["remoteJid"], id=message["key"]["id"], kind=content.kind,
        text=content.text, message=message["message"], at=ids.moment(),
    ))  # fmt: skip
    if not message["key"]["remoteJid"].endswith(phones.GROUP):
        world.background.spawn(_acknowledged(world, session.name, message["key"]["id"]))


async def _acknowledged(world: World, name: str, message_id: str) -> None:
    await asyncio.sleep(0)
    await world.wait(0.3)
    if world.faults.fires("send_unacknowledged", name):
        return
    refused = world.faults.fires("send_refused", name)
    if name in world.rows:
        acknowledge(world, name, message_id, "ERROR" if refused else "DELIVERY_ACK")


async def _resolved(world: World, session: Session, number: str) -> str:
    """The address WhatsApp knows the number by, or one of the ways in which that fails."""
    jid = phones.address(number)
    _check_socket(world, session, jid)
    if jid.endswith(phones.GROUP) and jid not in world.rows[session.name].contacts:
        if world.faults.fires("group_not_found", session.name):
            raise bad_request({"jid": jid, "exists": False, "number": number})
        raise bad_request("[object Object]")
    if world.faults.fires("lookup_stalls", session.name):
        await world.wait(60)
        raise crashed("Cannot read properties of undefined (reading 'find')")
    if not phones.on_whatsapp(jid):
        raise bad_request({"jid": jid, "exists": False, "number": number})
    world.on_whatsapp.add(jid)
    return jid


def _check_socket(world: World, session: Session, jid: str) -> None:
    if session.state == "open" or world.faults.find("open_lies", session.name):
        return
    if not session.started:
        raise crashed("Cannot read properties of undefined (reading 'onWhatsApp')")
    if session.code:
        raise bad_request("TypeError: Cannot read properties of undefined (reading 'id')")
    if jid in world.on_whatsapp:
        raise bad_request("Error: Connection Closed")
    raise crashed("Connection Closed")


async def _fetched(world: World, name: str, media: str) -> str:
    """The media as base64; a URL is fetched if this server can reach anything, else believed."""
    if not contents.URL.fullmatch(media):
        return media
    if world.faults.fires("media_unreachable", name):
        raise crashed(["AxiosError: Request failed with status code 404"])
    if world.fetch is None:
        return ""
    try:
        response = await world.fetch.get(media, timeout=10, follow_redirects=True)
    except httpx.HTTPError as error:
        raise crashed([f"AxiosError: {error}"]) from error
    if response.is_error:
        raise crashed([f"AxiosError: Request failed with status code {response.status_code}"])
    return base64.b64encode(response.content).decode()


def _message(row: Row, jid: str, body: Json, content: Content) -> Json:
    context = _context(row, jid, body)
    message: Json = {
        "key": {"remoteJid": jid, "fromMe": True, "id": ids.sent_id()},
        "pushName": "Você",
        "status": "PENDING",
        "message": content.message,
        "contextInfo": context,
        "messageType": content.kind,
        "messageTimestamp": ids.seconds(),
        "instanceId": row.id,
        "source": "web",
    }
    if content.kind == "viewOnceMessage":
        message["key"]["participant"] = jid
    return _with_context(message, content, context)


def _with_context(message: Json, content: Content, context: Json) -> Json:
    """The context is outside, and inside too where there is an inside; some kinds have none."""
    inner = content.message.get(content.kind)
    if content.kind in BARE or message["key"]["remoteJid"] == "status@broadcast":
        del message["contextInfo"]
    elif content.kind == "pollCreationMessageV3":
        del message["contextInfo"]
        secret = content.message["messageContextInfo"] | {"contextInfo": context}
        message["message"] = content.message | {"messageContextInfo": secret}
    elif isinstance(inner, dict):
        message["message"] = content.message | {content.kind: inner | {"contextInfo": context}}
    return message


def _context(row: Row, jid: str, body: Json) -> Json:
    if jid.endswith(phones.GROUP):
        everyone = [row.owner_jid, *row.contacts[jid].get("members", [])]
        return {"mentionedJid": everyone if body.get("mentionsEveryOne") else []}
    return {
        "mentionedJid": [phones.address(str(who)) for who in body.get("mentioned") or []],
        "groupMentions": [],
        "ephemeralSettingTimestamp": contents.long(ids.seconds() - 172_800),
        "disappearingMode": {"initiator": 0},
    } | _quote(row, body)


def _quote(row: Row, body: Json) -> Json:
    """The quoted message; one that is neither known nor given is silently left out."""
    quoted = body.get("quoted") or {}
    key = quoted.get("key") or {}
    known = next((m for m in row.messages if m["key"]["id"] == key.get("id")), None)
    said = quoted.get("message") or (known and known["message"])
    if not said:
        return {}
    key = known["key"] if known else key
    author = row.owner_jid if key.get("fromMe") else key.get("remoteJid")
    return {"participant": author, "stanzaId": key.get("id"), "quotedMessage": said}


def stored(message: Json) -> Json:
    """The message as a row of the database."""
    return {"contextInfo": None, **message, "id": ids.row_id(), "MessageUpdate": []}


def _addressed(body: Json) -> str:
    if "type" in body and "content" in body:
        return "status@broadcast"
    return str(body.get("number") or (body.get("key") or {}).get("remoteJid", ""))


def _on_evolution_channel(world: World, session: Session, body: Json, content: Content) -> Answer:
    """That channel stores and echoes text, media and buttons, and can do nothing else."""
    message = _evolution_message(session, body, content)
    world.rows[session.name].messages.append(stored(message | {"pushName": "Você"}))
    webhooks.emit(world, session.name, "send.message", message)
    world.changed()
    return Answer(201, message)


def _evolution_message(session: Session, body: Json, content: Content) -> Json:
    if content.kind == "audioMessage" and "audio" in body:
        raise crashed("File or buffer is undefined.")
    return {
        "key": {"fromMe": True, "id": ids.uuid(), "remoteJid": body.get("number", "")},
        "message": _evolution_content(body, content),
        "messageType": "buttonMessage" if content.kind == "viewOnceMessage" else content.kind,
        "messageTimestamp": ids.seconds(),
        "source": "unknown",
        "instanceId": session.id,
    }


def _evolution_content(body: Json, content: Content) -> Json:
    quoted = body["quoted"].get("key", {}) if isinstance(body.get("quoted"), dict) else None
    if content.kind == "conversation":
        return content.message | ({"quoted": quoted} if quoted else {})
    if content.kind == "viewOnceMessage":
        keys = ("title", "description", "footer", "buttons")
        return {key: body[key] for key in keys if key in body}
    if content.kind in ("imageMessage", "documentMessage", "videoMessage", "audioMessage"):
        media = body.get("media", "")
        return {"mediaUrl": media if contents.URL.fullmatch(media) else None}
    raise bad_request("Method not available on Evolution Channel")
