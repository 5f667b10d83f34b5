"""Serve the /chat routes that reach contacts: look-ups, presence, edits and deletions."""

from infra.local.simulator import ids, phones, webhook_posts
from infra.local.simulator.answers import (
    ApiRequest,
    ApiResponse,
    Json,
    Refusal,
    bad_request,
    require_properties,
)
from infra.local.simulator.archive import NOT_ON_CHANNEL
from infra.local.simulator.state import EVOLUTION, Row, World


async def whatsapp_numbers(world: World, request: ApiRequest) -> ApiResponse:
    """Tell which numbers are on WhatsApp: groups first, then people."""
    session, numbers = world.sessions[request.target], request.body.get("numbers") or []
    if not numbers:
        raise _flat_refusal("numbers does not meet minimum length of 1", nested=True)
    if session.integration == EVOLUTION:
        raise _flat_refusal(NOT_ON_CHANNEL)
    if session.state != "open":
        raise Refusal(ApiResponse(400, {}))
    numbers_found = [
        _describe_number(world.rows[request.target], str(number)) for number in numbers
    ]
    return ApiResponse(200, sorted(numbers_found, key=_rank_of_address))


async def mark_as_read(world: World, request: ApiRequest) -> ApiResponse:
    if world.sessions[request.target].integration == EVOLUTION:
        raise bad_request(NOT_ON_CHANNEL)
    require_properties(request.body, "readMessages")
    return ApiResponse(201, {"message": "Read messages", "read": "success"})


async def profile_picture(world: World, request: ApiRequest) -> ApiResponse:
    """Answer that the contact has no picture; this never fails."""
    jid = phones.address_of(str(request.body.get("number", "")))
    return ApiResponse(200, {"wuid": jid, "profilePictureUrl": None})


async def find_group(world: World, request: ApiRequest) -> ApiResponse:
    """Describe a group that the line is in, as WhatsApp does."""
    jid = request.query.get("groupJid", "")
    group = world.rows[request.target].contacts.get(jid)
    if group is None or not jid.endswith(phones.GROUP):
        raise Refusal(ApiResponse(404, {"status": 404, "error": "Not Found", "response": {
            "message": ["Error fetching group", "item-not-found"]}}))  # fmt: skip
    members = [{"id": member, "admin": None} for member in group.get("members", [])]
    subject = group.get("subject", f"Grupo {jid[-7:-5]}")
    return ApiResponse(200, {"id": jid, "subject": subject, "size": len(members),
                             "participants": members})  # fmt: skip


async def send_presence(world: World, request: ApiRequest) -> ApiResponse:
    require_properties(request.body, "number", "presence", "delay")
    await world.wait(int(request.body["delay"]) / 1000)
    return ApiResponse(201, {"presence": request.body["presence"]})


async def update_message(world: World, request: ApiRequest) -> ApiResponse:
    """Edit a sent message, and post `send.message.update`."""
    answer = await edit_message(world, request)
    edit = answer.body["message"]["protocolMessage"]
    data = edit | {"timestampMs": int(edit["timestampMs"]), "type": 14}
    webhook_posts.emit(world, request.target, "send.message.update", data)
    return answer


async def edit_message(world: World, request: ApiRequest) -> ApiResponse:
    """Edit a sent message without posting a webhook."""
    require_properties(request.body, "number", "key", "text")
    _require_open_socket(world, request)
    edit = {
        "key": request.body["key"], "type": "MESSAGE_EDIT",
        "editedMessage": {"extendedTextMessage": {"text": request.body["text"]}},
        "timestampMs": str(ids.seconds() * 1000),
    }  # fmt: skip
    return ApiResponse(200, _build_protocol_message(edit["key"]["remoteJid"], edit))


async def delete_for_everyone(world: World, request: ApiRequest) -> ApiResponse:
    """Revoke a sent message."""
    require_properties(request.body, "id", "remoteJid", "fromMe")
    _require_open_socket(world, request)
    key = {part: request.body[part] for part in ("remoteJid", "fromMe", "id")}
    for message in world.rows[request.target].messages:
        if message["key"]["id"] == key["id"]:
            webhook_posts.emit(
                world, request.target, "messages.delete", _describe_deletion(message)
            )
    return ApiResponse(
        201, _build_protocol_message(key["remoteJid"], {"key": key, "type": "REVOKE"})
    )


def _require_open_socket(world: World, request: ApiRequest) -> None:
    if world.sessions[request.target].state != "open":
        raise bad_request("Error: Connection Closed")


def _flat_refusal(message: str, nested: bool = False) -> Refusal:
    """Build an error in the envelope that only whatsappNumbers uses."""
    messages: list[object] = [[message]] if nested else [message]
    return Refusal(ApiResponse(400, {"status": 400, "error": "Bad Request", "message": messages}))


def _describe_number(row: Row, number: str) -> Json:
    jid = phones.address_of(number)
    push_name = row.contacts.get(jid, {}).get("pushName")
    name = {"name": push_name} if push_name else {}
    lid = {"lid": "lid"} if jid.endswith(phones.LID) else {}
    exists = phones.is_on_whatsapp(jid)
    return {"jid": jid, "exists": exists, "number": number} | name | lid


def _rank_of_address(number: Json) -> int:
    return [phones.GROUP, phones.PERSON, phones.LID].index("@" + number["jid"].partition("@")[2])


def _build_protocol_message(jid: str, protocol: Json) -> Json:
    return {
        "key": {"remoteJid": jid, "fromMe": True, "id": ids.sent_id()},
        "message": {"protocolMessage": protocol},
        "messageTimestamp": str(ids.seconds()),
        "status": "PENDING",
    }


def _describe_deletion(message: Json) -> Json:
    keys = ("id", "instanceId", "key", "messageType", "source", "messageTimestamp", "pushName")
    fields = {key: message.get(key) for key in keys}
    return fields | {"status": "DELETED", "participant": None, "message": message["message"]}
