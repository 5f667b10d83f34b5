"""Serve 1.8 where it differs: snake_case, nested sends, other shapes.

The differences were read in its source, not recorded.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from infra.local.simulator import (
    chats,
    creation,
    ids,
    instance_settings,
    listing,
    message_contents,
    removal,
    sending,
    sessions,
    v1_chats,
)
from infra.local.simulator.answers import (
    ApiRequest,
    ApiResponse,
    Json,
    bad_request,
    require_properties,
)
from infra.local.simulator.sending import ContentBuilder
from infra.local.simulator.state import Row, Session, World
from infra.local.simulator.v1_words import SNAKE

OFF: Json = {"enabled": False, "events": []}
HOOK = {"webhook": "url", "webhook_by_events": "byEvents", "webhook_base64": "base64"}
NESTED = {
    "sendText": "textMessage", "sendMedia": "mediaMessage", "sendWhatsAppAudio": "audioMessage",
    "sendSticker": "stickerMessage", "sendLocation": "locationMessage",
    "sendContact": "contactMessage", "sendReaction": "reactionMessage",
    "sendPoll": "pollMessage",
}  # fmt: skip
RENAMED = {"image": "sticker"}


async def create(world: World, request: ApiRequest) -> ApiResponse:
    """Create as in 2.x, but with a flat body, an optional integration and `hash` as an object."""
    if request.body.get("token") in [row.token for row in world.rows.values()]:
        raise bad_request("Token already exists")
    answer = await creation.create(world, replace(request, body=_to_modern_body(request.body)))
    body = answer.body
    row, qrcode = world.rows.get(str(request.body.get("instanceName"))), body.get("qrcode")
    return ApiResponse(answer.status, {
        "instance": _describe_created(body["instance"]),
        "hash": {"apikey": body["hash"]},
        "webhook": _describe_flat_hook(row),
        "websocket": OFF, "rabbitmq": OFF, "sqs": OFF, "typebot": {"enabled": False},
        "settings": _to_snake_case(body["settings"]),
        **({"qrcode": qrcode} if qrcode else {}),
    })  # fmt: skip


async def fetch_instances(world: World, request: ApiRequest) -> ApiResponse:
    """Answer a list, or a single object when the global key asks for one name."""
    rows = (await listing.fetch_instances(world, request)).body
    instances = [_describe_listed(world, row["name"]) for row in rows]
    is_single = request.key == world.options.api_key and request.query.get("instanceName")
    return ApiResponse(200, instances[0] if is_single else instances)


async def delete(world: World, request: ApiRequest) -> ApiResponse:
    """Delete as in 2.x, but refuse an open instance."""
    session = world.sessions.get(request.target)
    if session and session.state == "open":
        raise bad_request(f'The "{session.name}" instance needs to be disconnected')
    return await removal.delete(world, request)


async def set_webhook(world: World, request: ApiRequest) -> ApiResponse:
    """Store the flat webhook."""
    require_properties(request.body, "url", "enabled")
    modern = {HOOK.get(key, key): value for key, value in request.body.items()}
    webhook = {"events": [], "byEvents": False, "base64": False} | modern
    row = world.rows[request.target]
    instance_settings.store_webhook(row, webhook)
    world.save()
    return ApiResponse(
        201, {"webhook": {"instanceName": row.name, "webhook": _describe_stored_hook(row)}}
    )


async def find_webhook(world: World, request: ApiRequest) -> ApiResponse:
    return ApiResponse(200, _describe_stored_hook(world.rows[request.target]))


async def set_settings(world: World, request: ApiRequest) -> ApiResponse:
    """Store the settings that the body names in snake_case."""
    require_properties(
        request.body, *(key for key in SNAKE.values() if key not in ("msg_call", "wavoip_token"))
    )
    row = world.rows[request.target]
    row.setting |= {
        ours: request.body[theirs] for ours, theirs in SNAKE.items() if theirs in request.body
    }
    world.save()
    return ApiResponse(201, {"settings": {"instanceName": row.name, "settings": request.body}})


async def find_settings(world: World, request: ApiRequest) -> ApiResponse:
    return ApiResponse(
        200, _to_snake_case((await instance_settings.find_settings(world, request)).body)
    )


def make_handler(build: ContentBuilder) -> Callable[[World, ApiRequest], Awaitable[ApiResponse]]:
    """Make the handler that sends a nested body and answers what Baileys returned."""
    send = sending.make_handler(build)

    async def send_nested(world: World, request: ApiRequest) -> ApiResponse:
        answer = await send(world, replace(request, body=_flatten_body(request)))
        return ApiResponse(answer.status, _to_raw_message(answer.body))

    return send_nested


def _to_modern_body(body: Json) -> Json:
    camel = {theirs: ours for ours, theirs in SNAKE.items()}
    modern = {camel.get(key, key): value for key, value in body.items() if key not in HOOK}
    modern |= {"integration": body.get("integration", "WHATSAPP-BAILEYS"), "groupsIgnore": True}
    if body.get("webhook"):
        hook = {ours: body[theirs] for theirs, ours in HOOK.items() if theirs in body}
        modern["webhook"] = hook | {"events": body.get("events") or []}
    return modern


def _describe_created(instance: Json) -> Json:
    keys = ("instanceName", "instanceId", "integration")
    return {key: instance[key] for key in keys} | {
        "webhook_wa_business": None, "access_token_wa_business": "", "status": "created",
    }  # fmt: skip


def _describe_flat_hook(row: Row | None) -> Json:
    hook = (row and row.webhook) or {"url": "", "events": []}
    return {
        "webhook": hook["url"],
        "webhook_by_events": hook.get("webhookByEvents", False),
        "webhook_base64": hook.get("webhookBase64", False),
        "events": hook["events"],
    }


def _describe_stored_hook(row: Row) -> Json:
    flat = _describe_flat_hook(row)
    enabled = bool(row.webhook and row.webhook["enabled"])
    return {"enabled": enabled, "url": flat.pop("webhook")} | flat


def _to_snake_case(settings: Json) -> Json:
    return {SNAKE[key]: value for key, value in settings.items() if key != "wavoipToken"}


def _describe_listed(world: World, name: str) -> Json:
    row, session = world.rows[name], world.sessions[name]
    instance: Json = {"instanceName": name, "instanceId": row.id}
    if session.state == "open":
        instance |= {
            "owner": row.owner_jid, "profileName": row.profile_name or "not loaded",
            "profilePictureUrl": None, "profileStatus": "",
        }  # fmt: skip
    return {"instance": instance | {"status": session.state} | _describe_token(world, row, session)}


def _describe_token(world: World, row: Row, session: Session) -> Json:
    if not world.options.expose_token:
        return {}
    url = world.options.server_url
    integration = {
        "integration": session.integration, "number": row.number or "", "token": "",
        "webhook_wa_business": f"{url}/webhook/whatsapp/{row.name}",
    }  # fmt: skip
    return {"serverUrl": url, "apikey": row.token, "integration": integration}


def _flatten_body(request: ApiRequest) -> Json:
    verb = request.route.rpartition("/")[2]
    require_properties(request.body, *(["number"] if verb != "sendReaction" else []), NESTED[verb])
    options: Json = request.body.get("options") or {}
    nested = request.body[NESTED[verb]]
    content: Json = {"contact": nested} if isinstance(nested, list) else nested
    if verb == "sendSticker":
        content = {RENAMED.get(key, key): value for key, value in content.items()}
    mentions = options.get("mentions") or {}
    everyone = {"mentionsEveryOne": mentions.get("everyOne", False)}
    common = {key: options[key] for key in ("delay", "quoted", "linkPreview") if key in options}
    number: Json = {"number": request.body["number"]} if "number" in request.body else {}
    return number | content | common | everyone | {"mentioned": mentions.get("mentioned")}


def _to_raw_message(message: Json) -> Json:
    content = message["message"]
    if "conversation" in content:
        content = {"extendedTextMessage": {"text": content["conversation"]}}
    return {
        "key": message["key"],
        "message": content,
        "messageTimestamp": str(message.get("messageTimestamp", ids.seconds())),
        "status": "PENDING",
    }


OVERRIDES = {
    ("POST", "instance/create"): create,
    ("GET", "instance/fetchInstances"): fetch_instances,
    ("PUT", "instance/restart"): sessions.restart,
    ("DELETE", "instance/delete"): delete,
    ("POST", "webhook/set"): set_webhook,
    ("GET", "webhook/find"): find_webhook,
    ("POST", "settings/set"): set_settings,
    ("GET", "settings/find"): find_settings,
    ("POST", "message/sendText"): make_handler(message_contents.text),
    ("POST", "message/sendMedia"): make_handler(message_contents.media),
    ("POST", "message/sendWhatsAppAudio"): make_handler(message_contents.audio),
    ("POST", "message/sendSticker"): make_handler(message_contents.sticker),
    ("POST", "message/sendLocation"): make_handler(message_contents.location),
    ("POST", "message/sendContact"): make_handler(message_contents.contact),
    ("POST", "message/sendReaction"): make_handler(message_contents.reaction),
    ("POST", "message/sendPoll"): make_handler(message_contents.poll),
    ("POST", "chat/findMessages"): v1_chats.find_messages,
    ("PUT", "chat/markMessageAsRead"): v1_chats.mark_as_read,
    ("PUT", "chat/updateMessage"): chats.edit_message,
}
REMOVED_ROUTES = {
    ("POST", "instance/restart"), ("POST", "verify-creds"), ("POST", "webhook/evolution"),
    ("POST", "chat/markMessageAsRead"), ("POST", "chat/updateMessage"),
}  # fmt: skip
