"""The /chat routes that look back: messages, chats, contacts, deliveries and media kept."""

from datetime import datetime

from infra.local.simulator import contents, ids, phones
from infra.local.simulator.answers import Answer, Ask, Json, bad_request
from infra.local.simulator.state import EVOLUTION, Row, World

ELSEWHERE = "Method not available on Evolution Channel"
PAGE = 50
MEDIA = {"imageMessage", "videoMessage", "audioMessage", "documentMessage", "stickerMessage"}
CLOSED: Json = {
    "windowStart": None, "windowExpires": None, "windowActive": False, "unreadCount": None,
}  # fmt: skip
RECORD = (
    "id", "key", "pushName", "messageType", "message", "messageTimestamp", "instanceId", "source",
    "contextInfo", "MessageUpdate",
)  # fmt: skip


async def find_messages(world: World, ask: Ask) -> Answer:
    """A page of stored messages, newest first."""
    where = ask.body.get("where") or {}
    size, page = int(ask.body.get("offset") or PAGE), int(ask.body.get("page") or 1)
    found = [m for m in reversed(world.rows[ask.target].messages) if _matches(m, where)]
    shown = found[(page - 1) * size : page * size]
    return Answer(200, {"messages": {
        "total": len(found),
        "pages": -(-len(found) // size),
        "currentPage": page,
        "records": [{key: message.get(key) for key in RECORD} for message in shown],
    }})  # fmt: skip


async def find_chats(world: World, ask: Ask) -> Answer:
    """Who was spoken with, and the last message each."""
    row = world.rows[ask.target]
    last = {message["key"]["remoteJid"]: message for message in row.messages}
    return Answer(200, [_chat(row, jid, message) for jid, message in last.items()])


async def find_contacts(world: World, ask: Ask) -> Answer:
    wanted = (ask.body.get("where") or {}).get("remoteJid")
    contacts = world.rows[ask.target].contacts.values()
    found = [_contact(c) for c in contacts if wanted in (None, c["remoteJid"])]
    return Answer(200, found)


async def find_status(world: World, ask: Ask) -> Answer:
    """Every delivery update of the messages asked for."""
    where = ask.body.get("where") or {}
    row = world.rows[ask.target]
    return Answer(200, [
        _status(row, message, update["status"])
        for message in row.messages
        for update in message["MessageUpdate"]
        if where.get("remoteJid") in (None, message["key"]["remoteJid"])
        and where.get("id") in (None, message["key"]["id"])
    ])  # fmt: skip


async def get_base64(world: World, ask: Ask) -> Answer:
    """The bytes of a media message, if WhatsApp still has them."""
    if world.sessions[ask.target].integration == EVOLUTION:
        raise bad_request(ELSEWHERE)
    wanted = ((ask.body.get("message") or {}).get("key") or {}).get("id")
    row = world.rows[ask.target]
    message = next((m for m in row.messages if m["key"]["id"] == wanted), None)
    if message is None:
        raise bad_request("Message not found")
    if message["messageType"] not in MEDIA:
        raise bad_request("The message is not of the media type")
    return await _media(world, message)


def _matches(message: Json, where: Json) -> bool:
    key = where.get("key") or {}
    span = where.get("messageTimestamp") or {}
    said = message["messageTimestamp"]
    return (
        key.get("id") in (None, message["key"].get("id"))
        and key.get("remoteJid") in (None, message["key"].get("remoteJid"))
        and where.get("messageType") in (None, message["messageType"])
        and ("gte" not in span or said >= _seconds(span["gte"]))
        and ("lte" not in span or said <= _seconds(span["lte"]))
    )


def _seconds(moment: object) -> float:
    if isinstance(moment, str) and not moment.isdigit():
        return datetime.fromisoformat(moment).timestamp()
    return float(str(moment))


def _chat(row: Row, jid: str, message: Json) -> Json:
    saved = jid in row.contacts
    return {
        "id": row.contacts[jid]["id"] if saved else None,
        "remoteJid": jid,
        "pushName": None,
        "profilePicUrl": None,
        "updatedAt": ids.moment(),
        **(_window() if saved and row.integration == EVOLUTION else CLOSED),
        "lastMessage": _last(message),
        "isSaved": saved,
    }


def _window() -> Json:
    """The 24 hours in which one may answer; only that channel keeps chats to know it by."""
    now = ids.moment()
    return (
        CLOSED
        | {"windowStart": now, "windowExpires": now, "windowActive": True}
        | {"unreadCount": 0}
    )


def _last(message: Json) -> Json:
    shown = {key: message.get(key) for key in RECORD if key != "MessageUpdate"}
    return shown | {"participant": None, "sessionId": None, "status": message.get("status")}


def _contact(contact: Json) -> Json:
    group = contact["remoteJid"].endswith(phones.GROUP)
    shown = {key: value for key, value in contact.items() if key != "members"}
    return shown | {"isGroup": group, "isSaved": True, "type": "group" if group else "contact"}


def _status(row: Row, message: Json, status: str) -> Json:
    return {
        "id": ids.row_id(),
        "keyId": message["key"]["id"],
        "remoteJid": message["key"]["remoteJid"],
        "fromMe": message["key"]["fromMe"],
        "participant": None,
        "pollUpdates": None,
        "status": status,
        "messageId": message["id"],
        "instanceId": row.id,
    }


async def _media(world: World, message: Json) -> Answer:
    kind, raw = message["messageType"], world.media.get(message["key"]["id"])
    proto = message["message"][kind]
    if raw is None:
        await world.wait(5)
        raise bad_request(f"Error: Failed to fetch stream from {proto.get('url')}")
    extension = str(proto.get("mimetype", "")).partition("/")[2].partition(";")[0]
    sized = ("fileLength", "height", "width")
    size = {key: proto[key] for key in sized if key in proto} or {"fileLength": contents.long(0)}
    return Answer(201, {
        "mediaType": kind,
        "fileName": proto.get("fileName") or f"{message['key']['id']}.{extension}",
        **({"caption": proto["caption"]} if "caption" in proto else {}),
        "size": size,
        "mimetype": proto.get("mimetype"),
        "base64": raw,
        "buffer": None,
    })  # fmt: skip
