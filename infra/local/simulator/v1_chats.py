"""Serve the /chat routes in which 1.8 differs."""

from infra.local.simulator import chats
from infra.local.simulator.answers import ApiRequest, ApiResponse, Json, require_properties
from infra.local.simulator.state import World
from infra.local.simulator.v1_words import KEY

RECORD = ("pushName", "message", "messageType", "messageTimestamp", "source", "contextInfo")


async def find_messages(world: World, request: ApiRequest) -> ApiResponse:
    """Answer a list, newest first and up to `limit`: without pages, and with equalities only."""
    where, limit = request.body.get("where") or {}, int(request.body.get("limit") or 0)
    matches = [m for m in reversed(world.rows[request.target].messages) if _matches(m, where)]
    return ApiResponse(
        200, [_describe_record(request.target, message) for message in matches[: limit or None]]
    )


async def mark_as_read(world: World, request: ApiRequest) -> ApiResponse:
    """Mark as read as in 2.x, under the name in snake_case."""
    require_properties(request.body, "read_messages")
    request.body["readMessages"] = request.body["read_messages"]
    return await chats.mark_as_read(world, request)


def _matches(message: Json, where: Json) -> bool:
    return all(_equals(message.get(name), expected) for name, expected in where.items())


def _equals(value: object, expected: object) -> bool:
    """Compare a value with what was asked for; of an object only the named fields count."""
    if not isinstance(expected, dict):
        return value == expected
    return isinstance(value, dict) and all(value.get(key) == expected[key] for key in expected)


def _describe_record(name: str, message: Json) -> Json:
    key = {part: message["key"].get(part) for part in KEY}
    fields = {part: message[part] for part in RECORD if message.get(part) is not None}
    return {"_id": message["id"], "key": key, "owner": name} | fields
