"""Serve the routes of an instance's webhook and settings."""

from infra.local.simulator import ids
from infra.local.simulator.answers import (
    ApiRequest,
    ApiResponse,
    Json,
    invalid,
    require_properties,
    server_error,
)
from infra.local.simulator.state import SETTINGS, Row, World
from infra.local.simulator.webhook_posts import EVENTS

REQUIRED_SETTINGS = (
    "rejectCall", "groupsIgnore", "alwaysOnline", "readMessages", "readStatus", "syncFullHistory",
)  # fmt: skip


async def set_webhook(world: World, request: ApiRequest) -> ApiResponse:
    """Store the webhook; fields that the body omits stay as they were."""
    require_properties(request.body, "webhook")
    webhook = request.body["webhook"]
    if not isinstance(webhook, dict):
        raise invalid("webhook is not of a type(s) object")
    missing = [f'webhook requires property "{k}"' for k in ("enabled", "url") if k not in webhook]
    if missing:
        raise invalid(*missing)
    _check_events(webhook.get("events"))
    row = _require_row(world, request)
    store_webhook(row, webhook)
    world.save()
    return ApiResponse(201, row.webhook)


async def find_webhook(world: World, request: ApiRequest) -> ApiResponse:
    """Answer the stored webhook, or null."""
    return ApiResponse(200, _require_row(world, request).webhook)


async def set_settings(world: World, request: ApiRequest) -> ApiResponse:
    """Store the settings that the body names."""
    require_properties(request.body, *REQUIRED_SETTINGS)
    row = _require_row(world, request)
    row.setting |= {key: request.body[key] for key in SETTINGS if key in request.body}
    row.setting["updatedAt"] = ids.moment()
    world.save()
    stored = {"instanceName": request.target, "settings": request.body}
    return ApiResponse(201, {"settings": stored})


async def find_settings(world: World, request: ApiRequest) -> ApiResponse:
    row = _require_row(world, request)
    return ApiResponse(200, {key: row.setting.get(key, value) for key, value in SETTINGS.items()})


def store_webhook(row: Row, webhook: Json) -> None:
    """Store a webhook in the row: no events means all of them, disabled means none."""
    now = ids.moment()
    former = row.webhook or {
        "id": ids.row_id(), "headers": None, "webhookByEvents": False, "webhookBase64": False,
        "createdAt": now,
    }  # fmt: skip
    enabled = bool(webhook["enabled"])
    row.webhook = {
        "id": former["id"],
        "url": webhook["url"],
        "headers": webhook.get("headers", former["headers"]),
        "enabled": enabled,
        "events": (list(webhook["events"]) or list(EVENTS)) if enabled else [],
        "webhookByEvents": webhook.get("byEvents", former["webhookByEvents"]),
        "webhookBase64": webhook.get("base64", former["webhookBase64"]),
        "createdAt": former["createdAt"],
        "updatedAt": now,
        "instanceId": row.id,
    }


def new_setting(instance_id: str, values: Json) -> Json:
    """Build a row of settings."""
    now = ids.moment()
    return {"id": ids.row_id(), **values, "createdAt": now, "updatedAt": now} | {
        "instanceId": instance_id
    }


def _check_events(events: object) -> None:
    if not isinstance(events, list):
        raise server_error("Cannot read properties of undefined (reading 'length')")
    complaints = [
        f"webhook.events[{index}] is not one of enum values: {','.join(EVENTS)}"
        for index, event in enumerate(events)
        if event not in EVENTS
    ]
    if complaints:
        raise invalid(*complaints)


def _require_row(world: World, request: ApiRequest) -> Row:
    row = world.rows.get(request.target)
    if row is None:
        raise server_error("Cannot read properties of null (reading 'id')")
    return row
