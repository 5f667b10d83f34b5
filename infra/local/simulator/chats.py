"""The /chat routes that reach the other side: who is there, presence, edits and deletions."""

from infra.local.simulator import ids, phones, webhooks
from infra.local.simulator.answers import Answer, Ask, Json, Refusal, bad_request, required
from infra.local.simulator.archive import ELSEWHERE
from infra.local.simulator.state import EVOLUTION, Row, World


async def whatsapp_numbers(world: World, ask: Ask) -> Answer:
    """Which numbers are on WhatsApp: groups first, then people."""
    session, numbers = world.sessions[ask.target], ask.body.get("numbers") or []
    if not numbers:
        raise _flat("numbers does not meet minimum length of 1", nested=True)
    if session.integration == EVOLUTION:
        raise _flat(ELSEWHERE)
    if session.state != "open":
        raise Refusal(Answer(400, {}))
    found = [_number(world.rows[ask.target], str(number)) for number in numbers]
    return Answer(200, sorted(found, key=_kind_of_address))


async def mark_as_read(world: World, ask: Ask) -> Answer:
    if world.sessions[ask.target].integration == EVOLUTION:
        raise bad_request(ELSEWHERE)
    required(ask.body, "readMessages")
    return Answer(201, {"message": "Read messages", "read": "success"})


async def profile_picture(world: World, ask: Ask) -> Answer:
    """Nobody here has a picture, and asking never fails."""
    jid = phones.address(str(ask.body.get("number", "")))
    return Answer(200, {"wuid": jid, "profilePictureUrl": None})


async def send_presence(world: World, ask: Ask) -> Answer:
    required(ask.body, "number", "presence", "delay")
    await world.wait(int(ask.body["delay"]) / 1000)
    return Answer(201, {"presence": ask.body["presence"]})


async def update_message(world: World, ask: Ask) -> Answer:
    """A message sent before says something else now."""
    answer = await edit_message(world, ask)
    edit = answer.body["message"]["protocolMessage"]
    told = edit | {"timestampMs": int(edit["timestampMs"]), "type": 14}
    webhooks.emit(world, ask.target, "send.message.update", told)
    return answer


async def edit_message(world: World, ask: Ask) -> Answer:
    """The edit itself, which nobody is told of."""
    required(ask.body, "number", "key", "text")
    _check_socket(world, ask)
    edit = {
        "key": ask.body["key"], "type": "MESSAGE_EDIT",
        "editedMessage": {"extendedTextMessage": {"text": ask.body["text"]}},
        "timestampMs": str(ids.seconds() * 1000),
    }  # fmt: skip
    return Answer(200, _protocol(edit["key"]["remoteJid"], edit))


async def delete_for_everyone(world: World, ask: Ask) -> Answer:
    """A message sent before is taken back."""
    required(ask.body, "id", "remoteJid", "fromMe")
    _check_socket(world, ask)
    key = {part: ask.body[part] for part in ("remoteJid", "fromMe", "id")}
    for message in world.rows[ask.target].messages:
        if message["key"]["id"] == key["id"]:
            webhooks.emit(world, ask.target, "messages.delete", _deleted(message))
    return Answer(201, _protocol(key["remoteJid"], {"key": key, "type": "REVOKE"}))


def _check_socket(world: World, ask: Ask) -> None:
    if world.sessions[ask.target].state != "open":
        raise bad_request("Error: Connection Closed")


def _flat(message: str, nested: bool = False) -> Refusal:
    """The envelope that only whatsappNumbers uses."""
    said: list[object] = [[message]] if nested else [message]
    return Refusal(Answer(400, {"status": 400, "error": "Bad Request", "message": said}))


def _number(row: Row, number: str) -> Json:
    jid = phones.address(number)
    known = row.contacts.get(jid, {}).get("pushName")
    named = {"name": known} if known else {}
    hidden = {"lid": "lid"} if jid.endswith(phones.LID) else {}
    exists = phones.on_whatsapp(jid)
    return {"jid": jid, "exists": exists, "number": number} | named | hidden


def _kind_of_address(found: Json) -> int:
    return [phones.GROUP, phones.PERSON, phones.LID].index("@" + found["jid"].partition("@")[2])


def _protocol(jid: str, said: Json) -> Json:
    return {
        "key": {"remoteJid": jid, "fromMe": True, "id": ids.sent_id()},
        "message": {"protocolMessage": said},
        "messageTimestamp": str(ids.seconds()),
        "status": "PENDING",
    }


def _deleted(message: Json) -> Json:
    keys = ("id", "instanceId", "key", "messageType", "source", "messageTimestamp", "pushName")
    shown = {key: message.get(key) for key in keys}
    return shown | {"status": "DELETED", "participant": None, "message": message["message"]}
