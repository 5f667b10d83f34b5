"""The words of 1.8: settings in snake_case, and what its webhooks carry."""

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


def posted(name: str, event: str, data: Value) -> Value:
    """The data of a webhook as 1.8 posts it: no instance id but an owner, and bare keys."""
    if event == "messages.update":
        return _update(name, data)
    if event in ("messages.upsert", "send.message"):
        return _message(name, data)
    if isinstance(data, list):
        return [{k: v for k, v in one.items() if k != "instanceId"} for one in data]
    return data


def _update(name: str, data: Json) -> Json:
    return {
        "remoteJid": data["remoteJid"],
        "fromMe": data["fromMe"],
        "id": data["keyId"],
        "status": data["status"],
        "datetime": ids.seconds() * 1000,
        "owner": name,
    }


def _message(name: str, data: Json) -> Json:
    kept = {key: value for key, value in data.items() if key not in UNKNOWN}
    return kept | {"key": {part: data["key"][part] for part in KEY}, "owner": name}
