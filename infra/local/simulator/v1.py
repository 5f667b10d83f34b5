"""What 1.8 does otherwise: snake_case, nested sends, other shapes. Read in its source, not run."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from infra.local.simulator import (
    chats,
    configuration,
    connection,
    contents,
    creation,
    ids,
    listing,
    removal,
    sending,
    v1_chats,
)
from infra.local.simulator.answers import Answer, Ask, Json, bad_request, required
from infra.local.simulator.sending import Build
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


async def create(world: World, ask: Ask) -> Answer:
    """As in 2.x, but the body is flat, the integration optional and `hash` an object."""
    if ask.body.get("token") in [row.token for row in world.rows.values()]:
        raise bad_request("Token already exists")
    answer = await creation.create(world, replace(ask, body=_modern(ask.body)))
    body = answer.body
    row, qrcode = world.rows.get(str(ask.body.get("instanceName"))), body.get("qrcode")
    return Answer(answer.status, {
        "instance": _created(body["instance"]),
        "hash": {"apikey": body["hash"]},
        "webhook": _flat_hook(row),
        "websocket": OFF, "rabbitmq": OFF, "sqs": OFF, "typebot": {"enabled": False},
        "settings": _snake(body["settings"]),
        **({"qrcode": qrcode} if qrcode else {}),
    })  # fmt: skip


async def fetch_instances(world: World, ask: Ask) -> Answer:
    """A list; a single object when the global key asks for one name."""
    everything = (await listing.fetch_instances(world, ask)).body
    shapes = [_listed(world, found["name"]) for found in everything]
    single = ask.key == world.options.api_key and ask.query.get("instanceName")
    return Answer(200, shapes[0] if single else shapes)


async def delete(world: World, ask: Ask) -> Answer:
    """As in 2.x, but an open instance has to be disconnected first."""
    session = world.sessions.get(ask.target)
    if session and session.state == "open":
        raise bad_request(f'The "{session.name}" instance needs to be disconnected')
    return await removal.delete(world, ask)


async def set_webhook(world: World, ask: Ask) -> Answer:
    """The flat webhook is stored."""
    required(ask.body, "url", "enabled")
    modern = {HOOK.get(key, key): value for key, value in ask.body.items()}
    wanted = {"events": [], "byEvents": False, "base64": False} | modern
    row = world.rows[ask.target]
    configuration.store_webhook(row, wanted)
    world.changed()
    return Answer(201, {"webhook": {"instanceName": row.name, "webhook": _stored_hook(row)}})


async def find_webhook(world: World, ask: Ask) -> Answer:
    return Answer(200, _stored_hook(world.rows[ask.target]))


async def set_settings(world: World, ask: Ask) -> Answer:
    """The settings named, in snake_case, are stored."""
    required(ask.body, *(key for key in SNAKE.values() if key not in ("msg_call", "wavoip_token")))
    row = world.rows[ask.target]
    row.setting |= {ours: ask.body[theirs] for ours, theirs in SNAKE.items() if theirs in ask.body}
    world.changed()
    return Answer(201, {"settings": {"instanceName": row.name, "settings": ask.body}})


async def find_settings(world: World, ask: Ask) -> Answer:
    return Answer(200, _snake((await configuration.find_settings(world, ask)).body))


def sender(build: Build) -> Callable[[World, Ask], Awaitable[Answer]]:
    """The handler that sends a nested body and answers what Baileys returned."""
    send = sending.sender(build)

    async def send_nested(world: World, ask: Ask) -> Answer:
        answer = await send(world, replace(ask, body=_flattened(ask)))
        return Answer(answer.status, _raw(answer.body))

    return send_nested


def _modern(body: Json) -> Json:
    camel = {theirs: ours for ours, theirs in SNAKE.items()}
    modern = {camel.get(key, key): value for key, value in body.items() if key not in HOOK}
    modern |= {"integration": body.get("integration", "WHATSAPP-BAILEYS"), "groupsIgnore": True}
    if body.get("webhook"):
        hook = {ours: body[theirs] for theirs, ours in HOOK.items() if theirs in body}
        modern["webhook"] = hook | {"events": body.get("events") or []}
    return modern


def _created(instance: Json) -> Json:
    kept = ("instanceName", "instanceId", "integration")
    return {key: instance[key] for key in kept} | {
        "webhook_wa_business": None, "access_token_wa_business": "", "status": "created",
    }  # fmt: skip


def _flat_hook(row: Row | None) -> Json:
    hook = (row and row.webhook) or {"url": "", "events": []}
    return {
        "webhook": hook["url"],
        "webhook_by_events": hook.get("webhookByEvents", False),
        "webhook_base64": hook.get("webhookBase64", False),
        "events": hook["events"],
    }


def _stored_hook(row: Row) -> Json:
    flat = _flat_hook(row)
    enabled = bool(row.webhook and row.webhook["enabled"])
    return {"enabled": enabled, "url": flat.pop("webhook")} | flat


def _snake(settings: Json) -> Json:
    return {SNAKE[key]: value for key, value in settings.items() if key != "wavoipToken"}


def _listed(world: World, name: str) -> Json:
    row, session = world.rows[name], world.sessions[name]
    instance: Json = {"instanceName": name, "instanceId": row.id}
    if session.state == "open":
        instance |= {
            "owner": row.owner_jid, "profileName": row.profile_name or "not loaded",
            "profilePictureUrl": None, "profileStatus": "",
        }  # fmt: skip
    return {"instance": instance | {"status": session.state} | _exposed(world, row, session)}


def _exposed(world: World, row: Row, session: Session) -> Json:
    if not world.options.expose_token:
        return {}
    url = world.options.server_url
    integration = {
        "integration": session.integration, "number": row.number or "", "token": "",
        "webhook_wa_business": f"{url}/webhook/whatsapp/{row.name}",
    }  # fmt: skip
    return {"serverUrl": url, "apikey": row.token, "integration": integration}


def _flattened(ask: Ask) -> Json:
    verb = ask.route.rpartition("/")[2]
    required(ask.body, *(["number"] if verb != "sendReaction" else []), NESTED[verb])
    options: Json = ask.body.get("options") or {}
    given = ask.body[NESTED[verb]]
    said: Json = {"contact": given} if isinstance(given, list) else given
    if verb == "sendSticker":
        said = {RENAMED.get(key, key): value for key, value in said.items()}
    mentions = options.get("mentions") or {}
    everyone = {"mentionsEveryOne": mentions.get("everyOne", False)}
    common = {key: options[key] for key in ("delay", "quoted", "linkPreview") if key in options}
    number: Json = {"number": ask.body["number"]} if "number" in ask.body else {}
    return number | said | common | everyone | {"mentioned": mentions.get("mentioned")}


def _raw(message: Json) -> Json:
    said = message["message"]
    if "conversation" in said:
        said = {"extendedTextMessage": {"text": said["conversation"]}}
    return {
        "key": message["key"],
        "message": said,
        "messageTimestamp": str(message.get("messageTimestamp", ids.seconds())),
        "status": "PENDING",
    }


OVERRIDES = {
    ("POST", "instance/create"): create,
    ("GET", "instance/fetchInstances"): fetch_instances,
    ("PUT", "instance/restart"): connection.restart,
    ("DELETE", "instance/delete"): delete,
    ("POST", "webhook/set"): set_webhook,
    ("GET", "webhook/find"): find_webhook,
    ("POST", "settings/set"): set_settings,
    ("GET", "settings/find"): find_settings,
    ("POST", "message/sendText"): sender(contents.text),
    ("POST", "message/sendMedia"): sender(contents.media),
    ("POST", "message/sendWhatsAppAudio"): sender(contents.audio),
    ("POST", "message/sendSticker"): sender(contents.sticker),
    ("POST", "message/sendLocation"): sender(contents.location),
    ("POST", "message/sendContact"): sender(contents.contact),
    ("POST", "message/sendReaction"): sender(contents.reaction),
    ("POST", "message/sendPoll"): sender(contents.poll),
    ("POST", "chat/findMessages"): v1_chats.find_messages,
    ("PUT", "chat/markMessageAsRead"): v1_chats.mark_as_read,
    ("PUT", "chat/updateMessage"): chats.edit_message,
}
GONE = {
    ("POST", "instance/restart"), ("POST", "verify-creds"), ("POST", "webhook/evolution"),
    ("POST", "chat/markMessageAsRead"), ("POST", "chat/updateMessage"),
}  # fmt: skip
