"""POST /instance/create: its traps, and the race that destroys the winner.

The real code looks whether the name is free, then inserts, then writes the webhook under the id
it finds in memory, then the settings under its own id. It swallows the unique violation of the
insert, and whoever fails later removes the instance by name. The same steps are taken here, with
the same gaps between them, so the mix of 201, 400 and 403 comes about by itself.
"""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from http import HTTPStatus

from infra.local.simulator import configuration, ids, qr, removal, webhooks
from infra.local.simulator.answers import (
    Answer,
    Ask,
    Json,
    Refusal,
    bad_request,
    crashed,
    invalid,
    name_in_use,
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


async def create(world: World, ask: Ask) -> Answer:
    """The instance exists, unless somebody else creates the same name right now."""
    ask = _trimmed(world, ask)
    name = ask.body.get("instanceName")
    async with AsyncExitStack() as stack:
        await _arrive(world, stack, str(name))
        _refuse_taken(world, ask.body)
        if ask.key != world.options.api_key:
            raise unauthorized()
        _refuse_crowded(world, str(name))
        _validate(ask.body)
        return await _create(world, str(name), ask.body)


def _trimmed(world: World, ask: Ask) -> Ask:
    """Take the blanks off a name, as 2.4 does."""
    name = ask.body.get("instanceName")
    if world.version < (2, 4) or not isinstance(name, str):
        return ask
    return replace(ask, body=ask.body | {"instanceName": name.strip()})


async def _create(world: World, name: str, body: Json) -> Answer:
    row, session = _made(name, body)
    await _pause(world, name)
    if name not in world.rows and len(name) < 256:
        world.rows[name] = row
    world.sessions[name] = session
    try:
        await _configure(world, session, row, body)
    except Refusal:
        world.background.spawn(removal.remove(world, name, REMOVAL))
        raise
    webhooks.emit(world, name, "instance.create", {"instanceName": name, "instanceId": row.id})
    world.changed()
    return await _answer(world, row, session, body)


async def _configure(world: World, session: Session, row: Row, body: Json) -> None:
    """The webhook and the settings are stored, or the row they belong to is not there."""
    await _pause(world, row.name)
    if isinstance(body.get("webhook"), dict) and body["webhook"].get("url"):
        in_memory = world.sessions.get(row.name)
        if in_memory is None:
            raise bad_request("Cannot read properties of undefined (reading 'instanceId')")
        if not isinstance(body["webhook"].get("events"), list):
            raise bad_request("Cannot read properties of undefined (reading 'length')")
        stored = _row_with(world, row.name, in_memory.id)
        if stored is None:
            call = "prismaRepository.integrationSession.findFirst()"
            raise bad_request(f"Invalid `{call}` invocation … {NO_SUCH_ID.format('Webhook')}")
        configuration.store_webhook(stored, body["webhook"] | {"enabled": True})
    await asyncio.sleep(0)
    mine = _row_with(world, row.name, session.id)
    if mine is None:
        call = "c.integrationSession.update()"
        raise bad_request(f"Invalid `{call}` invocation … {NO_SUCH_ID.format('Setting')}")
    mine.setting = configuration.new_setting(
        mine.id, {k: body.get(k, v) for k, v in SETTINGS.items()}
    )


async def _answer(world: World, row: Row, session: Session, body: Json) -> Answer:
    answer = answered(row, session, body)
    if body.get("qrcode") and row.integration == BAILEYS:
        qr.start(world, session, row.number)
        answer["instance"]["status"] = "connecting"
        await world.wait(5)
        answer["qrcode"] = qr.shape(session)
    if world.faults.fires("vanish_after_create", row.name):
        world.forget(row.name)
    return Answer(201, answer)


def answered(row: Row, session: Session, body: Json) -> Json:
    """The instance as create answers it, without the code."""
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
        "webhook": {theirs: webhook[ours] for ours, theirs in names.items() if ours in webhook},
        "websocket": {}, "rabbitmq": {}, "nats": {}, "sqs": {},
        "settings": {key: row.setting.get(key, value) for key, value in SETTINGS.items()},
    }  # fmt: skip


async def _arrive(world: World, stack: AsyncExitStack, name: str) -> None:
    """Requests of one name arrive spread out; with the race switched off, one at a time."""
    race = world.faults.fires("destructive_race", name, "instance/create")
    if race is None or world.legacy:
        turn = world.turns.setdefault(name, asyncio.Lock())
        await stack.enter_async_context(turn)
    elif not race.certain and world.creating[name] > 1:
        await asyncio.sleep(world.random.uniform(0, _spread(world.creating[name])))


def _spread(in_flight: int) -> float:
    """So wide that as many come too late or too early as was measured for 2, 5 and 20."""
    return GAP * (1.8 + 0.45 * in_flight)


async def _pause(world: World, name: str) -> None:
    race = world.faults.find("destructive_race", name, "instance/create")
    await asyncio.sleep(CERTAIN_GAP if race and race.certain else GAP)


def _refuse_taken(world: World, body: Json) -> None:
    name = body.get("instanceName", "undefined")
    if not isinstance(name, str):
        raise crashed(
            [
                "PrismaClientValidationError: \nInvalid "
                "`prismaRepository.integrationSession.findFirst()` invocation … Argument "
                "`name`: Invalid value provided. Expected StringFilter or String, "
                "provided Int."
            ]
        )
    anything = "instanceName" not in body and bool(world.rows)
    if anything or world.knows(name) or name in ON_EVERY_OBJECT:
        raise name_in_use(name)


def _refuse_crowded(world: World, name: str) -> None:
    full = world.faults.find("full", name, "instance/create")
    if full and len(world.rows) >= full.limit:
        world.faults.fires("full", name, "instance/create")
        body = {"status": full.status, "error": HTTPStatus(full.status).phrase}
        raise Refusal(Answer(full.status, body | {"message": "Maximum instances reached"}))


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


def _made(name: str, body: Json) -> tuple[Row, Session]:
    identity, token = ids.uuid(), str(body.get("token") or ids.token())
    integration = str(body["integration"])
    state = "close" if integration == BAILEYS else "open"
    row = Row(name, identity, token, integration, body.get("number"), state)
    return row, Session(name, identity, token, integration, state)


def _row_with(world: World, name: str, identity: str) -> Row | None:
    row = world.rows.get(name)
    return row if row and row.id == identity else None
