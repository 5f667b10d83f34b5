"""What a person or another process sees of the server, as JSON."""

from collections import Counter
from typing import TYPE_CHECKING

from infra.local.simulator import qr
from infra.local.simulator.answers import Json
from infra.local.simulator.webhooks import Delivery

if TYPE_CHECKING:
    from infra.local.simulator.simulator import Simulator

NEWEST = 50


def state(sim: "Simulator") -> Json:
    """Everything worth seeing."""
    world = sim.world
    return {
        "version": world.options.version,
        "instances": [_instance(sim, name) for name in dict.fromkeys(
            [*world.rows, *world.sessions])],
        "creates_in_flight_peak": sim.creates_in_flight_peak,
        "calls": dict(world.calls_per_route),
        "sent": [sent._asdict() for sent in world.sent],
        "deliveries": {
            "outcomes": dict(Counter(each.outcome or "pending" for each in world.deliveries)),
            "last": [_delivery(each) for each in list(world.deliveries)[-NEWEST:]],
        },
        "faults": sim.faults.as_json(),
    }  # fmt: skip


def posted(sim: "Simulator") -> list[Json]:
    """Every post about one message, and how it ended ("" while it is under way)."""
    return [
        {
            "instance": each.instance,
            "event": each.event,
            "id": each.body["data"]["key"]["id"],
            "outcome": each.outcome,
        }
        for each in sim.world.deliveries
        if isinstance(each.body["data"], dict) and isinstance(each.body["data"].get("key"), dict)
    ]


def _instance(sim: "Simulator", name: str) -> Json:
    row = sim.world.rows.get(name)
    hook = (row and row.webhook) or {}
    return {
        "name": name,
        "state": sim.state(name),
        "number": sim.number(name),
        "profile": row.profile_name if row else None,
        **_code(sim, name),
        "webhook": hook.get("url"),
        "messages": [_said(message) for message in row.messages[-NEWEST:]] if row else [],
    }


def _code(sim: "Simulator", name: str) -> Json:
    session = sim.world.sessions.get(name)
    shown = session.code if session else None
    return {
        "code": shown.code if shown else None,
        "picture": qr.picture(shown.code) if shown else None,
        "count": shown.count if shown else 0,
        "expires_in": qr.seconds_left(sim.world, session) if session else None,
        "pairing_code": shown.pairing_code if shown else None,
        "pairing_number": session.pairing_number if session and shown else None,
    }


def _said(message: Json) -> Json:
    said = message["message"] or {}
    payload = said.get(message["messageType"])
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


def _delivery(delivery: Delivery) -> Json:
    """How it went, and the state or the status that it told of."""
    told = delivery.body["data"] if isinstance(delivery.body["data"], dict) else {}
    kept = ("at", "instance", "event", "url", "statuses", "outcome")
    said = told.get("status") if delivery.event == "messages.update" else told.get("state")
    return {key: getattr(delivery, key) for key in kept} | {"said": said}
