"""Post how far a message got: messages.update, each status once."""

from infra.local.simulator import webhook_posts
from infra.local.simulator.answers import Json
from infra.local.simulator.state import Impossible, Row, World

STATUSES = ("ERROR", "SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED")


def acknowledge(world: World, name: str, message_id: str, status: str) -> None:
    """Record a message's status, and post it once, as Evolution does."""
    if status not in STATUSES:
        raise Impossible("no_status", f"there is no status {status}")
    row, session = world.rows[name], world.sessions[name]
    message = find_message(row, message_id)
    if (message_id, status) in session.acknowledged:
        return
    session.acknowledged.add((message_id, status))
    message["MessageUpdate"].append({"status": status})
    webhook_posts.emit(world, name, "messages.update", _build_update(row, message, status))
    world.save()


def find_message(row: Row, message_id: str) -> Json:
    """Return the stored message of a WhatsApp id. Raises Impossible."""
    matches = [message for message in row.messages if message["key"]["id"] == message_id]
    if not matches:
        raise Impossible("no_message", f"{row.name} has no message {message_id}")
    return matches[0]


def _build_update(row: Row, message: Json, status: str) -> Json:
    return {
        "keyId": message["key"]["id"],
        "remoteJid": message["key"]["remoteJid"],
        "fromMe": message["key"]["fromMe"],
        "status": status,
        "instanceId": row.id,
        "messageId": message["id"],
    }
