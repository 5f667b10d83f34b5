"""Serve POST /message/*: send a caller's message through an instance."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

import httpx

from infra.local.simulator import ids, message_contents, phones, webhook_posts
from infra.local.simulator.answers import (
    ApiRequest,
    ApiResponse,
    Json,
    bad_request,
    invalid,
    server_error,
)
from infra.local.simulator.delivery_updates import acknowledge
from infra.local.simulator.message_contents import MessageContent
from infra.local.simulator.state import EVOLUTION, Row, SentMessage, Session, World

ContentBuilder = Callable[[Json], MessageContent]
WITHOUT_CONTEXT = {"reactionMessage", "viewOnceMessage"}
PTV = "Error: Failed to get video duration: Aborted(CompileError: WebAssembly.instantiate())"


def make_handler(build: ContentBuilder) -> Callable[[World, ApiRequest], Awaitable[ApiResponse]]:
    """Make the handler that sends what `build` makes of the body."""

    async def send(world: World, request: ApiRequest) -> ApiResponse:
        if not isinstance(request.body.get("number", ""), str):
            raise invalid("Invalid format")
        content = build(request.body)
        session = world.sessions.get(request.target)
        if session is None:
            raise server_error(f"Cannot read properties of undefined (reading '{build.__name__}')")
        if session.integration == EVOLUTION:
            return _send_on_evolution_channel(world, session, request.body, content)
        return await _send_on_whatsapp(world, session, request.body, content)

    return send


async def send_ptv(world: World, request: ApiRequest) -> ApiResponse:
    raise server_error([PTV])


async def _send_on_whatsapp(
    world: World, session: Session, body: Json, content: MessageContent
) -> ApiResponse:
    jid = await _resolve_address(world, session, _read_address(body))
    has_media = bool(content.media)
    content = content._replace(media=await _fetch_media(world, session.name, content.media))
    if has_media and world.faults.fires("upload_fails", session.name):
        raise server_error(["Error: Media upload failed on all hosts"])
    await world.wait(int(body.get("delay") or 0) / 1000)
    row = world.rows[session.name]
    message = _build_message(row, jid, body, content)
    row.messages.append(to_row(message))
    if content.media:
        world.media[message["key"]["id"]] = content.media
    if session.base64 and content.media:
        message["message"] = message["message"] | {"base64": content.media}
    webhook_posts.emit(world, session.name, "send.message", message)
    _reach_contact(world, session, message, content)
    world.save()
    return ApiResponse(201, message)


def _reach_contact(world: World, session: Session, message: Json, content: MessageContent) -> None:
    """Let the contact receive the message, unless the connection only claims to be open."""
    if world.faults.fires("open_lies", session.name):
        return
    world.sent.append(SentMessage(
        instance=session.name, sender=(session.wuid or "").partition("@")[0],
        to=message["key"]["remoteJid"], id=message["key"]["id"], kind=content.kind,
        text=content.text, message=message["message"], at=ids.moment(),
    ))  # fmt: skip
    if not message["key"]["remoteJid"].endswith(phones.GROUP):
        world.background.spawn(_acknowledge_later(world, session.name, message["key"]["id"]))


async def _acknowledge_later(world: World, name: str, message_id: str) -> None:
    await asyncio.sleep(0)
    await world.wait(0.3)
    if world.faults.fires("send_unacknowledged", name):
        return
    is_refused = world.faults.fires("send_refused", name)
    if name in world.rows:
        acknowledge(world, name, message_id, "ERROR" if is_refused else "DELIVERY_ACK")


async def _resolve_address(world: World, session: Session, number: str) -> str:
    """Return the address by which WhatsApp knows the number. Raises Refusal."""
    jid = phones.address_of(number)
    _require_open_socket(world, session, jid)
    if jid.endswith(phones.GROUP) and jid not in world.rows[session.name].contacts:
        if world.faults.fires("group_not_found", session.name):
            raise bad_request({"jid": jid, "exists": False, "number": number})
        raise bad_request("[object Object]")
    if world.faults.fires("lookup_stalls", session.name):
        await world.wait(60)
        raise server_error("Cannot read properties of undefined (reading 'find')")
    if not phones.is_on_whatsapp(jid):
        raise bad_request({"jid": jid, "exists": False, "number": number})
    world.on_whatsapp.add(jid)
    return jid


def _require_open_socket(world: World, session: Session, jid: str) -> None:
    if session.state == "open" or world.faults.find("open_lies", session.name):
        return
    if not session.has_started:
        raise server_error("Cannot read properties of undefined (reading 'onWhatsApp')")
    if session.code:
        raise bad_request("TypeError: Cannot read properties of undefined (reading 'id')")
    if jid in world.on_whatsapp:
        raise bad_request("Error: Connection Closed")
    raise server_error("Connection Closed")


async def _fetch_media(world: World, name: str, media: str) -> str:
    """Return the media as base64; fetch a URL, or take it as good if there is no client."""
    if not message_contents.URL.fullmatch(media):
        return media
    if world.faults.fires("media_unreachable", name):
        raise server_error(["AxiosError: Request failed with status code 404"])
    if world.fetch is None:
        return ""
    try:
        response = await world.fetch.get(media, timeout=10, follow_redirects=True)
    except httpx.HTTPError as error:
        raise server_error([f"AxiosError: {error}"]) from error
    if response.is_error:
        raise server_error([f"AxiosError: Request failed with status code {response.status_code}"])
    return base64.b64encode(response.content).decode()


def _build_message(row: Row, jid: str, body: Json, content: MessageContent) -> Json:
    context = _build_context(row, jid, body)
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
    return _add_context(message, content, context)


def _add_context(message: Json, content: MessageContent, context: Json) -> Json:
    """Add the context beside the content, and inside it if it is an object; not for all kinds."""
    inner = content.message.get(content.kind)
    if content.kind in WITHOUT_CONTEXT or message["key"]["remoteJid"] == "status@broadcast":
        del message["contextInfo"]
    elif content.kind == "pollCreationMessageV3":
        del message["contextInfo"]
        secret = content.message["messageContextInfo"] | {"contextInfo": context}
        message["message"] = content.message | {"messageContextInfo": secret}
    elif isinstance(inner, dict):
        message["message"] = content.message | {content.kind: inner | {"contextInfo": context}}
    return message


def _build_context(row: Row, jid: str, body: Json) -> Json:
    people = [phones.address_of(str(number)) for number in body.get("mentioned") or []]
    if jid.endswith(phones.GROUP):
        members = [row.owner_jid, *row.contacts[jid].get("members", [])]
        return {"mentionedJid": members if body.get("mentionsEveryOne") else people}
    return {
        "mentionedJid": people,
        "groupMentions": [],
        "ephemeralSettingTimestamp": message_contents.long(ids.seconds() - 172_800),
        "disappearingMode": {"initiator": 0},
    } | _build_quote(row, body)


def _build_quote(row: Row, body: Json) -> Json:
    """Build the quote; a quoted message that is neither stored nor given is silently left out."""
    quoted = body.get("quoted") or {}
    key = quoted.get("key") or {}
    original = next((m for m in row.messages if m["key"]["id"] == key.get("id")), None)
    content = quoted.get("message") or (original and original["message"])
    if not content:
        return {}
    key = original["key"] if original else key
    author = row.owner_jid if key.get("fromMe") else key.get("remoteJid")
    return {"participant": author, "stanzaId": key.get("id"), "quotedMessage": content}


def to_row(message: Json) -> Json:
    """Build the message as a row of the database."""
    return {"contextInfo": None, **message, "id": ids.row_id(), "MessageUpdate": []}


def _read_address(body: Json) -> str:
    if "type" in body and "content" in body:
        return "status@broadcast"
    return str(body.get("number") or (body.get("key") or {}).get("remoteJid", ""))


def _send_on_evolution_channel(
    world: World, session: Session, body: Json, content: MessageContent
) -> ApiResponse:
    """Store and echo text, media and buttons, the only kinds of that channel."""
    message = _build_channel_message(session, body, content)
    world.rows[session.name].messages.append(to_row(message | {"pushName": "Você"}))
    webhook_posts.emit(world, session.name, "send.message", message)
    world.save()
    return ApiResponse(201, message)


def _build_channel_message(session: Session, body: Json, content: MessageContent) -> Json:
    if content.kind == "audioMessage" and "audio" in body:
        raise server_error("File or buffer is undefined.")
    return {
        "key": {"fromMe": True, "id": ids.uuid(), "remoteJid": body.get("number", "")},
        "message": _build_channel_content(body, content),
        "messageType": "buttonMessage" if content.kind == "viewOnceMessage" else content.kind,
        "messageTimestamp": ids.seconds(),
        "source": "unknown",
        "instanceId": session.id,
    }


def _build_channel_content(body: Json, content: MessageContent) -> Json:
    quoted = body["quoted"].get("key", {}) if isinstance(body.get("quoted"), dict) else None
    if content.kind == "conversation":
        return content.message | ({"quoted": quoted} if quoted else {})
    if content.kind == "viewOnceMessage":
        keys = ("title", "description", "footer", "buttons")
        return {key: body[key] for key in keys if key in body}
    if content.kind in ("imageMessage", "documentMessage", "videoMessage", "audioMessage"):
        media = body.get("media", "")
        return {"mediaUrl": media if message_contents.URL.fullmatch(media) else None}
    raise bad_request("Method not available on Evolution Channel")
