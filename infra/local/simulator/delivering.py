"""How far a message got: messages.update, each status once."""

from infra.local.simulator import webhooks
from infra.local.simulator.answers import Json
from infra.local.simulator.state import Impossible, Row, World

STATUSES = ("ERROR", "SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED")


def acknowledge(world: World, name: str, message_id: str, status: str) -> None:
    """The message got that far; said only once, as Evolution does."""
    if status not in STATUSES:
        raise Impossible("no_status", f"there is no status {status}")
    row, session = world.rows[name], world.sessions[name]
    message = message_of(row, message_id)
    if (message_id, status) in session.acknowledged:
        return
    session.acknowledged.add((message_id, status))
    message["MessageUpdate"].append({"status": status})
    webhooks.emit(world, name, "messages.update", _update(row, message, status))
    world.changed()


def message_of(row: Row, message_id: str) -> Json:
    """The stored message of that WhatsApp id."""
    found = [message for message in row.messages if message["key"]["id"] == message_id]
    if not found:
        raise Impossible("no_message", f"{row.name} has no message {message_id}")
    return found[0]


def _update(row: Row, message: Json, status: str) -> Json:
    return {
        "keyId": message["key"]["id"],
        "remoteJid": message["key"]["remoteJid"],
        "fromMe": message["key"]["fromMe"],
        "status": status,
        "instanceId": row.id,
        "messageId": message["id"],
    }
