"""Receive what contacts write to an instance, and what its own phone writes beside it."""

from infra.local.simulator import ids, inbound_queue, phones, webhook_posts
from infra.local.simulator.answers import ApiRequest, ApiResponse, Json
from infra.local.simulator.delivery_updates import find_message
from infra.local.simulator.outside_events import require_session
from infra.local.simulator.sending import to_row
from infra.local.simulator.state import EVOLUTION, Impossible, Row, Session, World


def build_text(number: str, text: str, lid: str | None) -> Json:
    """Build a text, addressed by number, by lid with the number beside it, or by the bare lid."""
    number_jid = phones.address_of(number) if number else ""
    lid_jid = f"{lid.removesuffix(phones.LID)}{phones.LID}" if lid else ""
    key: Json = {"remoteJid": lid_jid or number_jid}
    if lid_jid and number_jid:
        key["remoteJidAlt"] = number_jid
    return {"key": key | {"addressingMode": "lid" if lid_jid else "pn"}} | {
        "message": {"conversation": text}
    }


def receive(world: World, name: str, draft: Json, media: str | None = None) -> str:
    """Store and post a message, unless the instance is deaf or has it already; return its id.

    Raises Impossible if the instance isn't open.
    """
    session, row = require_session(world, name), world.rows[name]
    message = complete_message(row, draft)
    if session.state != "open" and not world.faults.find("open_lies", name):
        raise Impossible("not_open", f"{name} is not open: it is {session.state}")
    if not _accepts(world, session, row, message):
        return str(message["key"]["id"])
    if media:
        world.media[message["key"]["id"]] = media
    inbound_queue.run_or_queue(session, lambda: _arrive(world, session, row, message))
    return str(message["key"]["id"])


def _arrive(world: World, session: Session, row: Row, message: Json) -> None:
    _post(world, session, row, message)
    world.save()


def complete_message(row: Row, draft: Json) -> Json:
    """Fill a draft with defaults, as messages.upsert carries it; it needs a key and a message."""
    key = {"remoteJid": "", "fromMe": False, "id": ids.received_id(), "participant": "",
           "addressingMode": "pn"} | draft["key"]  # fmt: skip
    kinds = [kind for kind in draft["message"] if kind != "messageContextInfo"]
    return {
        "pushName": "Maria",
        "status": "SERVER_ACK" if key["fromMe"] else "DELIVERY_ACK",
        "messageType": kinds[0] if kinds else "unknown",
        "messageTimestamp": ids.seconds(),
        "instanceId": row.id,
        "source": ids.source_of(key["id"]),
    } | draft | {"key": key}  # fmt: skip


def call(world: World, name: str, report: Json) -> None:
    """Post what happened to a call: `{from, id, status}` (offer, timeout, reject, accept …)."""
    session = require_session(world, name)
    address = phones.address_of(str(report["from"]))
    webhook_posts.emit(world, session.name, "call", {
        "chatId": address, "from": address, "id": report["id"], "date": ids.moment(),
        "offline": False, "status": report.get("status") or "offer",
        "isVideo": bool(report.get("video")), "isGroup": False,
    })  # fmt: skip


def reveal(world: World, name: str, message_id: str, text: str) -> None:
    """Post the words of a message that couldn't be decrypted before. Raises Impossible."""
    session, row = require_session(world, name), world.rows[name]
    message = find_message(row, message_id)
    key = {part: message["key"][part] for part in ("remoteJid", "fromMe", "id")}
    update = {"message": {"conversation": text}, "messageStubType": None}
    webhook_posts.emit(world, session.name, "messages.update", [{"key": key, "update": update}])


def receive_history(world: World, name: str, messages: list[Json]) -> None:
    """Store and post the phone's history, as after pairing."""
    row = world.rows[require_session(world, name).name]
    history = [_complete_old_message(row, draft) for draft in messages]
    row.messages += [to_row(message) for message in history]
    push_names = {message["key"]["remoteJid"]: message["pushName"] for message in reversed(history)}
    webhook_posts.emit(world, name, "chats.set", [
        _describe_chat(row, jid) | {"name": push_name} for jid, push_name in push_names.items()
    ])  # fmt: skip
    webhook_posts.emit(world, name, "messages.set", history)
    world.save()


def revoke_early(world: World, name: str, key: Json) -> None:
    """Post the revocation of a message that isn't stored yet (EVOLUTION.md §10).

    `key` is as its sender wrote it. Stored messages are edited and revoked by `revise`.
    """
    session = require_session(world, name)
    if any(message["key"]["id"] == key["id"] for message in world.rows[name].messages):
        raise Impossible("not_early", f"{name} has the message {key['id']} already")
    inbound_queue.run_or_queue(
        session, lambda: _post_protocol(world, session, {"key": key, "type": 0})
    )


def revise(world: World, name: str, message_id: str, text: str | None) -> None:
    """Edit a message as its contact, or revoke it if `text` is None. Raises Impossible."""
    session, row = require_session(world, name), world.rows[name]
    message = find_message(row, message_id)
    key = {part: message["key"][part] for part in ("remoteJid", "fromMe", "id")}
    protocol: Json = {"key": key, "type": "REVOKE" if text is None else "MESSAGE_EDIT"}
    if text is not None:
        protocol["editedMessage"] = {"conversation": text}
        protocol["timestampMs"] = str(ids.seconds() * 1000)
    inbound_queue.run_or_queue(session, lambda: _post_protocol(world, session, protocol, message))


def _post_protocol(
    world: World, session: Session, protocol: Json, target: Json | None = None
) -> None:
    """Post an edit or a revocation; all else waits until it is delivered (EVOLUTION.md §4)."""

    def finish() -> None:
        if target and "editedMessage" in protocol:
            target["MessageUpdate"].append({"status": "EDITED"})
        elif target:
            webhook_posts.emit(world, session.name, "messages.delete", target["key"])
        world.save()

    inbound_queue.block(
        world, session, webhook_posts.emit(world, session.name, "messages.edited", protocol), finish
    )


def _complete_old_message(row: Row, draft: Json) -> Json:
    message = complete_message(row, draft)
    return message | {"key": {"fromMe": False} | draft["key"]}


async def inject(world: World, request: ApiRequest) -> ApiResponse:
    """Serve POST /webhook/evolution: write into an EVOLUTION instance by its number, keyless."""
    number = request.body.get("numberId")
    rows = [r for r in world.rows.values() if r.number == number and r.integration == EVOLUTION]
    if not number or not rows or "message" not in request.body:
        return ApiResponse(200, None)
    _inject(world, rows[0], request.body)
    return ApiResponse(200, {"status": "success"})


def _inject(world: World, row: Row, body: Json) -> None:
    message = {
        "key": body.get("key", {}),
        "pushName": body.get("pushName"),
        "message": body["message"],
        "messageType": body.get("messageType"),
        "messageTimestamp": ids.seconds(),
        "source": "unknown",
        "instanceId": row.id,
    }
    row.messages.append(to_row(message))
    jid = str(message["key"].get("remoteJid", ""))
    webhook_posts.emit(world, row.name, "messages.upsert", message)
    is_known = jid in row.contacts
    contact = store_contact(row, jid, body.get("pushName"))
    contact_data = {key: contact[key] for key in ("remoteJid", "pushName", "instanceId")}
    webhook_posts.emit(
        world, row.name, f"contacts.{'update' if is_known else 'upsert'}", contact_data
    )
    webhook_posts.emit(world, row.name, "chats.upsert", _describe_chat(row, jid))
    world.save()


def _accepts(world: World, session: Session, row: Row, message: Json) -> bool:
    jid, setting = message["key"]["remoteJid"], row.setting
    is_ignored = (jid.endswith(phones.GROUP) and setting.get("groupsIgnore")) or (
        jid.endswith(phones.BROADCAST) and not setting.get("readStatus")
    )
    return not is_ignored and not world.faults.fires("open_lies", session.name)


def _post(world: World, session: Session, row: Row, message: Json) -> None:
    """Post chat, contact, message and contact again, in the recorded order."""
    jid, name = message["key"]["remoteJid"], session.name
    webhook_posts.emit(world, name, "chats.update", [_describe_chat(row, jid)])
    webhook_posts.emit(world, name, "contacts.update", [
        {"remoteJid": jid, "profilePicUrl": None, "instanceId": row.id},
    ])  # fmt: skip
    if session.is_deaf or message["key"]["id"] in session.message_ids:
        return
    session.message_ids.add(message["key"]["id"])
    row.messages.append(to_row(message))
    webhook_posts.emit(world, name, "messages.upsert", _with_media(world, session, message))
    is_known = jid in row.contacts
    contact = store_contact(row, jid, message["pushName"], message["key"]["participant"])
    keys = ("remoteJid", "pushName", "profilePicUrl", "instanceId")
    webhook_posts.emit(world, name, f"contacts.{'update' if is_known else 'upsert'}", {
        key: contact[key] for key in keys
    })  # fmt: skip


def _with_media(world: World, session: Session, message: Json) -> Json:
    media = world.media.get(message["key"]["id"])
    if not session.base64 or not media:
        return message
    return message | {"message": message["message"] | {"base64": media}}


def store_contact(row: Row, jid: str, push_name: str | None, member: str = "") -> Json:
    """Store the contact, and for a group the member who wrote."""
    now = ids.moment()
    contact = row.contacts.setdefault(jid, {
        "id": ids.row_id(), "remoteJid": jid, "profilePicUrl": None, "createdAt": now,
        "instanceId": row.id, "members": [],
    })  # fmt: skip
    contact |= {"pushName": push_name, "updatedAt": now}
    if member and member not in contact["members"]:
        contact["members"].append(member)
    return contact


def _describe_chat(row: Row, jid: str) -> Json:
    return {"remoteJid": jid, "instanceId": row.id}
