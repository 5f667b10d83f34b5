"""The /chat routes that 1.8 has otherwise."""

from infra.local.simulator import chats
from infra.local.simulator.answers import Answer, Ask, Json, required
from infra.local.simulator.state import World
from infra.local.simulator.v1_words import KEY

RECORD = ("pushName", "message", "messageType", "messageTimestamp", "source", "contextInfo")


async def find_messages(world: World, ask: Ask) -> Answer:
    """A list, newest first and up to `limit`: there are no pages, and no condition but equality."""
    where, limit = ask.body.get("where") or {}, int(ask.body.get("limit") or 0)
    found = [m for m in reversed(world.rows[ask.target].messages) if _matches(m, where)]
    return Answer(200, [_record(ask.target, message) for message in found[: limit or None]])


async def mark_as_read(world: World, ask: Ask) -> Answer:
    """As in 2.x, under its name in snake_case."""
    required(ask.body, "read_messages")
    ask.body["readMessages"] = ask.body["read_messages"]
    return await chats.mark_as_read(world, ask)


def _matches(message: Json, where: Json) -> bool:
    return all(_equals(message.get(name), wanted) for name, wanted in where.items())


def _equals(found: object, wanted: object) -> bool:
    """An object asks for some of the fields of another."""
    if not isinstance(wanted, dict):
        return found == wanted
    return isinstance(found, dict) and all(found.get(part) == wanted[part] for part in wanted)


def _record(name: str, message: Json) -> Json:
    key = {part: message["key"].get(part) for part in KEY}
    shown = {part: message[part] for part in RECORD if message.get(part) is not None}
    return {"_id": message["id"], "key": key, "owner": name} | shown
