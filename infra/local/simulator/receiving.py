"""What contacts write to an instance, and what its own phone says beside it."""

from infra.local.simulator import ids, inbound, phones, webhooks
from infra.local.simulator.answers import Answer, Ask, Json
from infra.local.simulator.people import session_of
from infra.local.simulator.sending import stored
from infra.local.simulator.state import EVOLUTION, Impossible, Row, Session, World


def written(number: str, text: str, lid: str | None) -> Json:
    """A text, addressed by number, by lid with the number beside it, or by the bare lid."""
    person = phones.address(number) if number else ""
    hidden = f"{lid.removesuffix(phones.LID)}{phones.LID}" if lid else ""
    key: Json = {"remoteJid": hidden or person}
    if hidden and person:
        key["remoteJidAlt"] = person
    return {"key": key | {"addressingMode": "lid" if hidden else "pn"}} | {
        "message": {"conversation": text}
    }


def receive(world: World, name: str, said: Json, media: str | None = None) -> str:
    """The message arrived: stored and posted, unless the instance is deaf or has seen it."""
    session, row = session_of(world, name), world.rows[name]
    message = completed(row, said)
    if session.state != "open" and not world.faults.find("open_lies", name):
        raise Impossible("not_open", f"{name} is not open: it is {session.state}")
    if not _hears(world, session, row, message):
        return str(message["key"]["id"])
    if media:
        world.media[message["key"]["id"]] = media
    inbound.take(session, lambda: _arrive(world, session, row, message))
    return str(message["key"]["id"])


def _arrive(world: World, session: Session, row: Row, message: Json) -> None:
    _post(world, session, row, message)
    world.changed()


def completed(row: Row, said: Json) -> Json:
    """The message object as messages.upsert carries it."""
    key = {"remoteJid": "", "fromMe": False, "id": ids.received_id(), "participant": "",
           "addressingMode": "pn"} | said["key"]  # fmt: skip
    kinds = [kind for kind in said["message"] if kind != "messageContextInfo"]
    return {
        "pushName": "Maria",
        "status": "SERVER_ACK" if key["fromMe"] else "DELIVERY_ACK",
        "messageType": kinds[0] if kinds else "unknown",
        "messageTimestamp": ids.seconds(),
        "instanceId": row.id,
        "source": ids.source_of(key["id"]),
    } | said | {"key": key}  # fmt: skip


def recall(world: World, name: str, messages: list[Json]) -> None:
    """The phone's history arrived after pairing."""
    row = world.rows[session_of(world, name).name]
    whole = [_recalled(row, said) for said in messages]
    row.messages += [stored(message) for message in whole]
    named = {message["key"]["remoteJid"]: message["pushName"] for message in reversed(whole)}
    webhooks.emit(world, name, "chats.set", [
        _chat(row, jid) | {"name": push_name} for jid, push_name in named.items()
    ])  # fmt: skip
    webhooks.emit(world, name, "messages.set", whole)
    world.changed()


def revoke_early(world: World, name: str, key: Json) -> None:
    """Post the revocation of a message that isn't stored yet (EVOLUTION.md §10).

    `key` is as its sender wrote it. Whoever edits or takes back what is stored is `revise`.
    """
    session = session_of(world, name)
    if any(message["key"]["id"] == key["id"] for message in world.rows[name].messages):
        raise Impossible("not_early", f"{name} has the message {key['id']} already")
    inbound.take(session, lambda: _post_order(world, session, {"key": key, "type": 0}))


def revise(world: World, name: str, message_id: str, text: str | None) -> None:
    """A contact edited a message, or with no text took it back."""
    session, row = session_of(world, name), world.rows[name]
    found = [message for message in row.messages if message["key"]["id"] == message_id]
    if not found:
        raise Impossible("no_message", f"{name} has no message {message_id}")
    key = {part: found[0]["key"][part] for part in ("remoteJid", "fromMe", "id")}
    order: Json = {"key": key, "type": "REVOKE" if text is None else "MESSAGE_EDIT"}
    if text is not None:
        order["editedMessage"] = {"conversation": text}
        order["timestampMs"] = str(ids.seconds() * 1000)
    inbound.take(session, lambda: _post_order(world, session, order, found[0]))


def _post_order(world: World, session: Session, order: Json, target: Json | None = None) -> None:
    """Post what a contact ordered; until that is delivered all else waits (EVOLUTION.md §4)."""

    def then() -> None:
        if target and "editedMessage" in order:
            target["MessageUpdate"].append({"status": "EDITED"})
        elif target:
            webhooks.emit(world, session.name, "messages.delete", target["key"])
        world.changed()

    inbound.hold(world, session, webhooks.emit(world, session.name, "messages.edited", order), then)


def _recalled(row: Row, said: Json) -> Json:
    message = completed(row, said)
    return message | {"key": {"fromMe": False} | said["key"]}


async def inject(world: World, ask: Ask) -> Answer:
    """POST /webhook/evolution: anybody may write into an EVOLUTION instance by its number."""
    number = ask.body.get("numberId")
    rows = [r for r in world.rows.values() if r.number == number and r.integration == EVOLUTION]
    if not number or not rows or "message" not in ask.body:
        return Answer(200, None)
    _inject(world, rows[0], ask.body)
    return Answer(200, {"status": "success"})


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
    row.messages.append(stored(message))
    jid = str(message["key"].get("remoteJid", ""))
    webhooks.emit(world, row.name, "messages.upsert", message)
    known = jid in row.contacts
    contact = remember(row, jid, body.get("pushName"))
    shape = {key: contact[key] for key in ("remoteJid", "pushName", "instanceId")}
    webhooks.emit(world, row.name, f"contacts.{'update' if known else 'upsert'}", shape)
    webhooks.emit(world, row.name, "chats.upsert", _chat(row, jid))
    world.changed()


def _hears(world: World, session: Session, row: Row, message: Json) -> bool:
    jid, setting = message["key"]["remoteJid"], row.setting
    ignored = (jid.endswith(phones.GROUP) and setting.get("groupsIgnore")) or (
        jid.endswith(phones.BROADCAST) and not setting.get("readStatus")
    )
    return not ignored and not world.faults.fires("open_lies", session.name)


def _post(world: World, session: Session, row: Row, message: Json) -> None:
    """Chat, contact, message, contact again, in the order they were recorded."""
    jid, name = message["key"]["remoteJid"], session.name
    webhooks.emit(world, name, "chats.update", [_chat(row, jid)])
    webhooks.emit(world, name, "contacts.update", [
        {"remoteJid": jid, "profilePicUrl": None, "instanceId": row.id},
    ])  # fmt: skip
    if session.deaf or message["key"]["id"] in session.seen:
        return
    session.seen.add(message["key"]["id"])
    row.messages.append(stored(message))
    webhooks.emit(world, name, "messages.upsert", _with_media(world, session, message))
    known = jid in row.contacts
    contact = remember(row, jid, message["pushName"], message["key"]["participant"])
    keys = ("remoteJid", "pushName", "profilePicUrl", "instanceId")
    webhooks.emit(world, name, f"contacts.{'update' if known else 'upsert'}", {
        key: contact[key] for key in keys
    })  # fmt: skip


def _with_media(world: World, session: Session, message: Json) -> Json:
    media = world.media.get(message["key"]["id"])
    if not session.base64 or not media:
        return message
    return message | {"message": message["message"] | {"base64": media}}


def remember(row: Row, jid: str, push_name: str | None, member: str = "") -> Json:
    """The contact is in the database, and so is who speaks in it if it is a group."""
    now = ids.moment()
    contact = row.contacts.setdefault(jid, {
        "id": ids.row_id(), "remoteJid": jid, "profilePicUrl": None, "createdAt": now,
        "instanceId": row.id, "members": [],
    })  # fmt: skip
    contact |= {"pushName": push_name, "updatedAt": now}
    if member and member not in contact["members"]:
        contact["members"].append(member)
    return contact


def _chat(row: Row, jid: str) -> Json:
    return {"remoteJid": jid, "instanceId": row.id}
