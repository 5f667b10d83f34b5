"""GET /instance/fetchInstances: what the database knows, which may not be what memory knows."""

from infra.local.simulator.answers import Answer, Ask, Json, not_found, unauthorized
from infra.local.simulator.state import Row, World

NO_DISCONNECTION: Json = {
    "disconnectionReasonCode": None,
    "disconnectionObject": None,
    "disconnectionAt": None,
}


async def fetch_instances(world: World, ask: Ask) -> Answer:
    """Every instance, or those of that name, id or number; with a token, only its own."""
    if ask.key != world.options.api_key:
        return Answer(200, [shape(row) for row in _owned(world, ask)])
    return Answer(200, [shape(row) for row in found(world, ask)])


def found(world: World, ask: Ask) -> list[Row]:
    """The rows that the query asks for; it is an error to ask for one that isn't there."""
    name, identity = ask.query.get("instanceName"), ask.query.get("instanceId")
    number = ask.query.get("number")
    rows = [
        row
        for row in world.rows.values()
        if row.name == (name or row.name)
        and row.id == (identity or row.id)
        and row.number == (number or row.number)
    ]
    asked = identity or number or name
    if asked and not rows:
        raise not_found(asked)
    return rows


def shape(row: Row) -> Json:
    """The row as fetchInstances answers it."""
    disconnection = row.disconnection or NO_DISCONNECTION
    return {
        "id": row.id,
        "name": row.name,
        "connectionStatus": row.connection_status,
        "ownerJid": row.owner_jid,
        "profileName": row.profile_name,
        "profilePicUrl": None,
        "integration": row.integration,
        "number": row.number,
        "businessId": None,
        "token": row.token,
        "clientName": "evolution",
        **{key: disconnection[key] for key in NO_DISCONNECTION},
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "Chatwoot": None, "Proxy": None, "Rabbitmq": None, "Nats": None, "Sqs": None,
        "Websocket": None,
        "Setting": row.setting or None,
        "_count": {
            "Message": len(row.messages),
            "Contact": len(row.contacts),
            "Chat": len({message["key"]["remoteJid"] for message in row.messages}),
        },
    }  # fmt: skip


def _owned(world: World, ask: Ask) -> list[Row]:
    name, identity = ask.query.get("instanceName"), ask.query.get("instanceId")
    rows = [
        row
        for row in world.rows.values()
        if row.token == ask.key and row.name == (name or row.name)
        and row.id == (identity or row.id)
    ]  # fmt: skip
    if not ask.key or not rows:
        raise unauthorized()
    return rows
