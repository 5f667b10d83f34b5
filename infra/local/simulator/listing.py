"""Serve GET /instance/fetchInstances: the database's state, which may differ from memory's."""

from infra.local.simulator.answers import ApiRequest, ApiResponse, Json, not_found, unauthorized
from infra.local.simulator.state import Row, World

NO_DISCONNECTION: Json = {
    "disconnectionReasonCode": None,
    "disconnectionObject": None,
    "disconnectionAt": None,
}


async def fetch_instances(world: World, request: ApiRequest) -> ApiResponse:
    """Answer all instances, or those of a name, id or number; with a token, only its own."""
    if request.key != world.options.api_key:
        return ApiResponse(200, [describe_row(row) for row in _list_own_rows(world, request)])
    return ApiResponse(200, [describe_row(row) for row in find_rows(world, request)])


def find_rows(world: World, request: ApiRequest) -> list[Row]:
    """Return the rows that match the query. Raises Refusal if it names an absent instance."""
    name, identity = request.query.get("instanceName"), request.query.get("instanceId")
    number = request.query.get("number")
    rows = [
        row
        for row in world.rows.values()
        if row.name == (name or row.name)
        and row.id == (identity or row.id)
        and row.number == (number or row.number)
    ]
    condition = identity or number or name
    if condition and not rows:
        raise not_found(condition)
    return rows


def describe_row(row: Row) -> Json:
    """Build the row as fetchInstances answers it."""
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


def _list_own_rows(world: World, request: ApiRequest) -> list[Row]:
    name, identity = request.query.get("instanceName"), request.query.get("instanceId")
    rows = [
        row
        for row in world.rows.values()
        if row.token == request.key and row.name == (name or row.name)
        and row.id == (identity or row.id)
    ]  # fmt: skip
    if not request.key or not rows:
        raise unauthorized()
    return rows
