"""Describe the server as JSON, for its page and for other processes."""

from collections import Counter
from typing import TYPE_CHECKING

from infra.local.simulator import qr
from infra.local.simulator.answers import Json, Value
from infra.local.simulator.webhook_posts import WebhookDelivery

if TYPE_CHECKING:
    from infra.local.simulator.simulator import Simulator

NEWEST = 50


def describe_state(sim: "Simulator") -> Json:
    """Describe instances, sends, deliveries and faults."""
    world = sim.world
    return {
        "version": world.options.version,
        "instances": [_describe_instance(sim, name) for name in dict.fromkeys(
            [*world.rows, *world.sessions])],
        "creates_in_flight_peak": sim.creates_in_flight_peak,
        "calls": dict(world.calls_per_route),
        "sent": [message._asdict() for message in world.sent],
        "deliveries": {
            "outcomes": dict(Counter(post.outcome or "pending" for post in world.deliveries)),
            "last": [_describe_delivery(post) for post in list(world.deliveries)[-NEWEST:]],
        },
        "faults": sim.faults.as_json(),
    }  # fmt: skip


def list_posts(sim: "Simulator") -> list[Json]:
    """List the posts about single messages with their outcomes ("" while under way).

    `status`: what a delivery update said.
    """
    return [
        {
            "instance": delivery.instance,
            "event": delivery.event,
            "id": message_id,
            "status": delivery.body["data"].get("status"),
            "outcome": delivery.outcome,
        }
        for delivery in sim.world.deliveries
        if (message_id := _find_message_id(delivery.body["data"]))
    ]


def _find_message_id(data: Value) -> str | None:
    if not isinstance(data, dict):
        return None
    message_id = data["key"].get("id") if isinstance(data.get("key"), dict) else data.get("keyId")
    return message_id if isinstance(message_id, str) else None


def _describe_instance(sim: "Simulator", name: str) -> Json:
    row = sim.world.rows.get(name)
    hook = (row and row.webhook) or {}
    return {
        "name": name,
        "state": sim.state(name),
        "number": sim.number(name),
        "profile": row.profile_name if row else None,
        **_describe_code(sim, name),
        "webhook": hook.get("url"),
        "messages": [_describe_message(message) for message in row.messages[-NEWEST:]]
        if row
        else [],
    }


def _describe_code(sim: "Simulator", name: str) -> Json:
    session = sim.world.sessions.get(name)
    code = session.code if session else None
    return {
        "code": code.code if code else None,
        "picture": qr.draw_picture(code.code) if code else None,
        "count": code.count if code else 0,
        "expires_in": qr.seconds_left(sim.world, session) if session else None,
        "pairing_code": code.pairing_code if code else None,
        "pairing_number": session.pairing_number if session and code else None,
    }


def _describe_message(message: Json) -> Json:
    content = message["message"] or {}
    payload = content.get(message["messageType"])
    text = payload if isinstance(payload, str) else (payload or {}).get("caption", "")
    updates = [update["status"] for update in message["MessageUpdate"]]
    return {
        "id": message["key"].get("id"),
        "with": message["key"].get("remoteJid"),
        "from_me": message["key"].get("fromMe", False),
        "kind": message["messageType"],
        "text": text,
        "at": message["messageTimestamp"],
        "status": updates[-1] if updates else message.get("status"),
    }


def _describe_delivery(delivery: WebhookDelivery) -> Json:
    """Describe a delivery's course, with the state or the status that it carried."""
    data = delivery.body["data"] if isinstance(delivery.body["data"], dict) else {}
    keys = ("at", "instance", "event", "url", "statuses", "outcome")
    status = data.get("status" if delivery.event == "messages.update" else "state")
    return {key: getattr(delivery, key) for key in keys} | {"said": status}
