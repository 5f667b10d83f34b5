"""Serve POST /instance/create, with its traps and the race that destroys the winner.

The real code checks that the name is free, inserts the row, writes the webhook under the id that
it finds in memory, and then the settings under its own id. It swallows the unique violation of the
insert, and the request that fails later removes the instance by name. This code takes the same
steps with the same gaps between them, so the mix of 201, 400 and 403 comes about by itself.
"""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from http import HTTPStatus

from infra.local.simulator import ids, instance_settings, qr, removal, webhook_posts
from infra.local.simulator.answers import (
    ApiRequest,
    ApiResponse,
    Json,
    Refusal,
    bad_request,
    invalid,
    name_in_use,
    server_error,
    unauthorized,
)
from infra.local.simulator.state import (
    BAILEYS,
    BUSINESS,
    EVOLUTION,
    SETTINGS,
    Row,
    Session,
    World,
)

GAP = 0.003
CERTAIN_GAP = 0.05
REMOVAL = 0.05
NUMBER = re.compile(r"\d+[\.@\w-]+")
ON_EVERY_OBJECT = {
    "__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable",
    "toLocaleString", "toString", "valueOf",
}  # fmt: skip
BOOLEANS = (
    "qrcode", "rejectCall", "groupsIgnore", "alwaysOnline", "readMessages", "readStatus",
    "syncFullHistory",
)  # fmt: skip
NO_SUCH_ID = "Foreign key constraint violated on the constraint: `{}_instanceId_fkey`"


async def create(world: World, request: ApiRequest) -> ApiResponse:
    """Create the instance, unless another request creates the same name right now."""
    request = _trim_name(world, request)
    name = request.body.get("instanceName")
    async with AsyncExitStack() as stack:
        await _wait_for_turn(world, stack, str(name))
        _require_free_name(world, request.body)
        if request.key != world.options.api_key:
            raise unauthorized()
        _require_room(world, str(name))
        _validate(request.body)
        return await _create(world, str(name), request.body)


def _trim_name(world: World, request: ApiRequest) -> ApiRequest:
    """Strip the blanks around a name, as 2.4 does."""
    name = request.body.get("instanceName")
    if world.version < (2, 4) or not isinstance(name, str):
        return request
    return replace(request, body=request.body | {"instanceName": name.strip()})


async def _create(world: World, name: str, body: Json) -> ApiResponse:
    row, session = _build(name, body)
    await _pause(world, name)
    if name not in world.rows and len(name) < 256:
        world.rows[name] = row
    world.sessions[name] = session
    try:
        await _configure(world, session, row, body)
    except Refusal:
        world.background.spawn(removal.remove(world, name, REMOVAL))
        raise
    webhook_posts.emit(world, name, "instance.create", {"instanceName": name, "instanceId": row.id})
    world.save()
    return await _respond(world, row, session, body)


async def _configure(world: World, session: Session, row: Row, body: Json) -> None:
    """Store the webhook and the settings. Raises Refusal if their row is gone."""
    await _pause(world, row.name)
    if isinstance(body.get("webhook"), dict) and body["webhook"].get("url"):
        session_in_memory = world.sessions.get(row.name)
        if session_in_memory is None:
            raise bad_request("Cannot read properties of undefined (reading 'instanceId')")
        if not isinstance(body["webhook"].get("events"), list):
            raise bad_request("Cannot read properties of undefined (reading 'length')")
        stored_row = _find_row(world, row.name, session_in_memory.id)
        if stored_row is None:
            call = "prismaRepository.integrationSession.findFirst()"
            raise bad_request(f"Invalid `{call}` invocation … {NO_SUCH_ID.format('Webhook')}")
        instance_settings.store_webhook(stored_row, body["webhook"] | {"enabled": True})
    await asyncio.sleep(0)
    own_row = _find_row(world, row.name, session.id)
    if own_row is None:
        call = "c.integrationSession.update()"
        raise bad_request(f"Invalid `{call}` invocation … {NO_SUCH_ID.format('Setting')}")
    own_row.setting = instance_settings.new_setting(
        own_row.id, {k: body.get(k, v) for k, v in SETTINGS.items()}
    )


async def _respond(world: World, row: Row, session: Session, body: Json) -> ApiResponse:
    answer = describe_created(row, session, body)
    if body.get("qrcode") and row.integration == BAILEYS:
        qr.start(world, session, row.number)
        answer["instance"]["status"] = "connecting"
        await world.wait(5)
        answer["qrcode"] = qr.describe_code(session)
    if world.faults.fires("vanish_after_create", row.name):
        world.remove(row.name)
    return ApiResponse(201, answer)


def describe_created(row: Row, session: Session, body: Json) -> Json:
    """Build the instance as create answers it, without the code."""
    webhook = body["webhook"] if isinstance(body.get("webhook"), dict) else {}
    names = {
        "url": "webhookUrl",
        "headers": "webhookHeaders",
        "byEvents": "webhookByEvents",
        "base64": "webhookBase64",
    }
    return {
        "instance": {
            "instanceName": row.name,
            "instanceId": session.id,
            "integration": row.integration,
            "webhookWaBusiness": None,
            "accessTokenWaBusiness": "",
            "status": session.state,
        },
        "hash": session.token,
        "webhook": {name: webhook[key] for key, name in names.items() if key in webhook},
        "websocket": {}, "rabbitmq": {}, "nats": {}, "sqs": {},
        "settings": {key: row.setting.get(key, value) for key, value in SETTINGS.items()},
    }  # fmt: skip


async def _wait_for_turn(world: World, stack: AsyncExitStack, name: str) -> None:
    """Spread the requests for one name; let them pass one at a time if the race is switched off."""
    race = world.faults.fires("destructive_race", name, "instance/create")
    if race is None or world.is_legacy:
        turn = world.turns.setdefault(name, asyncio.Lock())
        await stack.enter_async_context(turn)
    elif not race.certain and world.creating[name] > 1:
        await asyncio.sleep(world.random.uniform(0, _arrival_spread(world.creating[name])))


def _arrival_spread(in_flight: int) -> float:
    """Return the seconds that reproduce the outcomes measured for 2, 5 and 20 requests."""
    return GAP * (1.8 + 0.45 * in_flight)


async def _pause(world: World, name: str) -> None:
    race = world.faults.find("destructive_race", name, "instance/create")
    await asyncio.sleep(CERTAIN_GAP if race and race.certain else GAP)


def _require_free_name(world: World, body: Json) -> None:
    name = body.get("instanceName", "undefined")
    if not isinstance(name, str):
        raise server_error(
            [
                "PrismaClientValidationError: \nInvalid "
                "`prismaRepository.integrationSession.findFirst()` invocation … Argument "
                "`name`: Invalid value provided. Expected StringFilter or String, "
                "provided Int."
            ]
        )
    matches_any_row = "instanceName" not in body and bool(world.rows)
    if matches_any_row or world.has_instance(name) or name in ON_EVERY_OBJECT:
        raise name_in_use(name)


def _require_room(world: World, name: str) -> None:
    switch = world.faults.find("full", name, "instance/create")
    if switch and len(world.rows) >= switch.limit:
        world.faults.fires("full", name, "instance/create")
        body = {"status": switch.status, "error": HTTPStatus(switch.status).phrase}
        raise Refusal(ApiResponse(switch.status, body | {"message": "Maximum instances reached"}))


def _validate(body: Json) -> None:
    complaints = [
        f"{key} is not of a type(s) boolean"
        for key in BOOLEANS
        if key in body and not isinstance(body[key], bool)
    ]
    if "number" in body and not NUMBER.match(str(body["number"])):
        complaints.append(r'number does not match pattern "^\\d+[\\.@\\w-]+"')
    if not isinstance(body.get("webhook", {}), dict):
        complaints.append("webhook is not of a type(s) object")
    if complaints:
        raise invalid(*complaints)
    if body.get("integration") not in (BAILEYS, BUSINESS, EVOLUTION):
        raise bad_request("Invalid integration")
    if body["integration"] == BUSINESS and not body.get("token"):
        raise bad_request("token is required")


def _build(name: str, body: Json) -> tuple[Row, Session]:
    identity, token = ids.uuid(), str(body.get("token") or ids.token())
    integration = str(body["integration"])
    state = "close" if integration == BAILEYS else "open"
    row = Row(name, identity, token, integration, body.get("number"), state)
    return row, Session(name, identity, token, integration, state)


def _find_row(world: World, name: str, identity: str) -> Row | None:
    row = world.rows.get(name)
    return row if row and row.id == identity else None
