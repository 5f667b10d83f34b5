"""Serve the /chat routes that read the database: messages, chats, contacts, statuses and media."""

from datetime import datetime

from infra.local.simulator import ids, message_contents, phones
from infra.local.simulator.answers import ApiRequest, ApiResponse, Json, bad_request
from infra.local.simulator.state import EVOLUTION, Row, World

NOT_ON_CHANNEL = "Method not available on Evolution Channel"
PAGE = 50
MEDIA = {"imageMessage", "videoMessage", "audioMessage", "documentMessage", "stickerMessage"}
CLOSED: Json = {
    "windowStart": None, "windowExpires": None, "windowActive": False, "unreadCount": None,
}  # fmt: skip
RECORD = (
    "id", "key", "pushName", "messageType", "message", "messageTimestamp", "instanceId", "source",
    "contextInfo", "MessageUpdate",
)  # fmt: skip


async def find_messages(world: World, request: ApiRequest) -> ApiResponse:
    """Answer a page of stored messages, newest first."""
    where = request.body.get("where") or {}
    size, page = int(request.body.get("offset") or PAGE), int(request.body.get("page") or 1)
    matches = [m for m in reversed(world.rows[request.target].messages) if _matches(m, where)]
    records = matches[(page - 1) * size : page * size]
    return ApiResponse(200, {"messages": {
        "total": len(matches),
        "pages": -(-len(matches) // size),
        "currentPage": page,
        "records": [{key: message.get(key) for key in RECORD} for message in records],
    }})  # fmt: skip


async def find_chats(world: World, request: ApiRequest) -> ApiResponse:
    """Answer every chat with its last message."""
    row = world.rows[request.target]
    last = {message["key"]["remoteJid"]: message for message in row.messages}
    return ApiResponse(200, [_describe_chat(row, jid, message) for jid, message in last.items()])


async def find_contacts(world: World, request: ApiRequest) -> ApiResponse:
    """Answer all contacts, or the one of an address."""
    jid = (request.body.get("where") or {}).get("remoteJid")
    contacts = world.rows[request.target].contacts.values()
    return ApiResponse(
        200, [_describe_contact(c) for c in contacts if jid in (None, c["remoteJid"])]
    )


async def find_status(world: World, request: ApiRequest) -> ApiResponse:
    """Answer every delivery update of the matching messages."""
    where = request.body.get("where") or {}
    row = world.rows[request.target]
    return ApiResponse(200, [
        _describe_update(row, message, update["status"])
        for message in row.messages
        for update in message["MessageUpdate"]
        if where.get("remoteJid") in (None, message["key"]["remoteJid"])
        and where.get("id") in (None, message["key"]["id"])
    ])  # fmt: skip


async def get_base64(world: World, request: ApiRequest) -> ApiResponse:
    """Answer the bytes of a media message, if WhatsApp still has them."""
    if world.sessions[request.target].integration == EVOLUTION:
        raise bad_request(NOT_ON_CHANNEL)
    message_id = ((request.body.get("message") or {}).get("key") or {}).get("id")
    row = world.rows[request.target]
    message = next((m for m in row.messages if m["key"]["id"] == message_id), None)
    if message is None:
        raise bad_request("Message not found")
    if message["messageType"] not in MEDIA:
        raise bad_request("The message is not of the media type")
    return await _read_media(world, message)


def _matches(message: Json, where: Json) -> bool:
    key = where.get("key") or {}
    span = where.get("messageTimestamp") or {}
    timestamp = message["messageTimestamp"]
    return (
        key.get("id") in (None, message["key"].get("id"))
        and key.get("remoteJid") in (None, message["key"].get("remoteJid"))
        and where.get("messageType") in (None, message["messageType"])
        and ("gte" not in span or timestamp >= _to_epoch_seconds(span["gte"]))
        and ("lte" not in span or timestamp <= _to_epoch_seconds(span["lte"]))
    )


def _to_epoch_seconds(moment: object) -> float:
    if isinstance(moment, str) and not moment.isdigit():
        return datetime.fromisoformat(moment).timestamp()
    return float(str(moment))


def _describe_chat(row: Row, jid: str, message: Json) -> Json:
    is_saved = jid in row.contacts
    return {
        "id": row.contacts[jid]["id"] if is_saved else None,
        "remoteJid": jid,
        "pushName": None,
        "profilePicUrl": None,
        "updatedAt": ids.moment(),
        **(_open_window() if is_saved and row.integration == EVOLUTION else CLOSED),
        "lastMessage": _describe_last_message(message),
        "isSaved": is_saved,
    }


def _open_window() -> Json:
    """Build the 24-hour window for answers; only the EVOLUTION channel stores chats to know it."""
    now = ids.moment()
    return (
        CLOSED
        | {"windowStart": now, "windowExpires": now, "windowActive": True}
        | {"unreadCount": 0}
    )


def _describe_last_message(message: Json) -> Json:
    fields = {key: message.get(key) for key in RECORD if key != "MessageUpdate"}
    return fields | {"participant": None, "sessionId": None, "status": message.get("status")}


def _describe_contact(contact: Json) -> Json:
    is_group = contact["remoteJid"].endswith(phones.GROUP)
    fields = {key: value for key, value in contact.items() if key != "members"}
    return fields | {
        "isGroup": is_group,
        "isSaved": True,
        "type": "group" if is_group else "contact",
    }


def _describe_update(row: Row, message: Json, status: str) -> Json:
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


async def _read_media(world: World, message: Json) -> ApiResponse:
    kind, raw = message["messageType"], world.media.get(message["key"]["id"])
    proto = message["message"][kind]
    if raw is None:
        await world.wait(5)
        raise bad_request(f"Error: Failed to fetch stream from {proto.get('url')}")
    extension = str(proto.get("mimetype", "")).partition("/")[2].partition(";")[0]
    size_keys = ("fileLength", "height", "width")
    size = {key: proto[key] for key in size_keys if key in proto} or {
        "fileLength": message_contents.long(0)
    }
    return ApiResponse(201, {
        "mediaType": kind,
        "fileName": proto.get("fileName") or f"{message['key']['id']}.{extension}",
        **({"caption": proto["caption"]} if "caption" in proto else {}),
        "size": size,
        "mimetype": proto.get("mimetype"),
        "base64": raw,
        "buffer": None,
    })  # fmt: skip
