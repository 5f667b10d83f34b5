"""The webhook and the settings of an instance."""

from infra.local.simulator import ids
from infra.local.simulator.answers import Answer, Ask, Json, crashed, invalid, required
from infra.local.simulator.state import SETTINGS, Row, World
from infra.local.simulator.webhooks import EVENTS

REQUIRED_SETTINGS = (
    "rejectCall", "groupsIgnore", "alwaysOnline", "readMessages", "readStatus", "syncFullHistory",
)  # fmt: skip


async def set_webhook(world: World, ask: Ask) -> Answer:
    """The webhook is stored; what the body omits of it stays as it was."""
    required(ask.body, "webhook")
    wanted = ask.body["webhook"]
    if not isinstance(wanted, dict):
        raise invalid("webhook is not of a type(s) object")
    missing = [f'webhook requires property "{k}"' for k in ("enabled", "url") if k not in wanted]
    if missing:
        raise invalid(*missing)
    _check_events(wanted.get("events"))
    row = _row(world, ask)
    store_webhook(row, wanted)
    world.changed()
    return Answer(201, row.webhook)


async def find_webhook(world: World, ask: Ask) -> Answer:
    """The stored webhook, or null."""
    return Answer(200, _row(world, ask).webhook)


async def set_settings(world: World, ask: Ask) -> Answer:
    """The settings named are stored."""
    required(ask.body, *REQUIRED_SETTINGS)
    row = _row(world, ask)
    row.setting |= {key: ask.body[key] for key in SETTINGS if key in ask.body}
    row.setting["updatedAt"] = ids.moment()
    world.changed()
    stored = {"instanceName": ask.target, "settings": ask.body}
    return Answer(201, {"settings": stored})


async def find_settings(world: World, ask: Ask) -> Answer:
    row = _row(world, ask)
    return Answer(200, {key: row.setting.get(key, value) for key, value in SETTINGS.items()})


def store_webhook(row: Row, wanted: Json) -> None:
    """The row has that webhook: no events means all of them, disabled means none."""
    now = ids.moment()
    old = row.webhook or {
        "id": ids.row_id(), "headers": None, "webhookByEvents": False, "webhookBase64": False,
        "createdAt": now,
    }  # fmt: skip
    enabled = bool(wanted["enabled"])
    row.webhook = {
        "id": old["id"],
        "url": wanted["url"],
        "headers": wanted.get("headers", old["headers"]),
        "enabled": enabled,
        "events": (list(wanted["events"]) or list(EVENTS)) if enabled else [],
        "webhookByEvents": wanted.get("byEvents", old["webhookByEvents"]),
        "webhookBase64": wanted.get("base64", old["webhookBase64"]),
        "createdAt": old["createdAt"],
        "updatedAt": now,
        "instanceId": row.id,
    }


def new_setting(instance_id: str, values: Json) -> Json:
    """A row of settings."""
    now = ids.moment()
    return {"id": ids.row_id(), **values, "createdAt": now, "updatedAt": now} | {
        "instanceId": instance_id
    }


def _check_events(events: object) -> None:
    if not isinstance(events, list):
        raise crashed("Cannot read properties of undefined (reading 'length')")
    complaints = [
        f"webhook.events[{at}] is not one of enum values: {','.join(EVENTS)}"
        for at, event in enumerate(events)
        if event not in EVENTS
    ]
    if complaints:
        raise invalid(*complaints)


def _row(world: World, ask: Ask) -> Row:
    row = world.rows.get(ask.target)
    if row is None:
        raise crashed("Cannot read properties of null (reading 'id')")
    return row
