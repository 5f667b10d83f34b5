"""Translate to 1.8: settings in snake_case, and the data of its webhooks."""

from infra.local.simulator import ids
from infra.local.simulator.answers import Json, Value

SNAKE = {
    "rejectCall": "reject_call",
    "msgCall": "msg_call",
    "groupsIgnore": "groups_ignore",
    "alwaysOnline": "always_online",
    "readMessages": "read_messages",
    "readStatus": "read_status",
    "syncFullHistory": "sync_full_history",
    "wavoipToken": "wavoip_token",
}
KEY = ("remoteJid", "fromMe", "id")
UNKNOWN = ("instanceId", "status", "contextInfo")


def translate_data(name: str, event: str, data: Value) -> Value:
    """Return a webhook's data as 1.8 posts it: with an owner, and without the instance id."""
    if event == "messages.update":
        return _translate_update(name, data)
    if event in ("messages.upsert", "send.message"):
        return _translate_message(name, data)
    if isinstance(data, list):
        return [{k: v for k, v in item.items() if k != "instanceId"} for item in data]
    return data


def _translate_update(name: str, data: Json) -> Json:
    return {
        "remoteJid": data["remoteJid"],
        "fromMe": data["fromMe"],
        "id": data["keyId"],
        "status": data["status"],
        "datetime": ids.seconds() * 1000,
        "owner": name,
    }


def _translate_message(name: str, data: Json) -> Json:
    fields = {key: value for key, value in data.items() if key not in UNKNOWN}
    return fields | {"key": {part: data["key"][part] for part in KEY}, "owner": name}
