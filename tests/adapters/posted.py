"""Build what a server posts: recorded, or of parts that say only what matters to a test."""

import json
from pathlib import Path
from typing import Any

from shared.domain.events import Event, Said
from shared.domain.messages import Message
from shared.evolution.events.envelope import read_envelope

RECORDINGS = Path(__file__).parent.parent / "recordings"
FOLDERS = (RECORDINGS / "webhooks", RECORDINGS / "derived" / "webhooks")
RECORDED = {file.name: file for folder in FOLDERS for file in sorted(folder.glob("*.json"))}

OWN = "5511999990001@s.whatsapp.net"
MARIA = "5511988887777@s.whatsapp.net"
LID = "111222333444555@lid"
GROUP = "120363000000000001@g.us"
AT = 1_795_302_085_000


def body(name: str) -> Any:
    """Return the body of a recorded webhook."""
    return json.loads(RECORDED[name].read_text())["request"]["body"]


def read_events(posted: Any) -> tuple[Event, ...]:
    """Return the events of a body."""
    envelope = read_envelope(json.dumps(posted).encode())
    assert envelope is not None
    return envelope.events()


def an_event(event: str, data: Any, **change: Any) -> dict[str, Any]:
    """Build a webhook of the line whose number is OWN."""
    envelope = {"instance": "wa1", "date_time": "2026-11-21T23:01:25.123Z", "sender": OWN}
    return {"event": event, "data": data, **envelope, **change}


def a_key(jid: str = MARIA, **change: Any) -> dict[str, Any]:
    """Build a message's key; Maria's unless another address is given."""
    return {"remoteJid": jid, "fromMe": False, "id": "3A1", **change}


def a_message(content: Any = None, key: Any = None, **change: Any) -> dict[str, Any]:
    """Build a message object; Maria says "oi"."""
    fields = {"key": key or a_key(), "pushName": "Maria", "status": "DELIVERY_ACK"}
    message = {"conversation": "oi"} if content is None else content
    return {**fields, "message": message, "messageTimestamp": AT // 1000, **change}


def upsert(*parts: Any, **change: Any) -> tuple[Event, ...]:
    """Return the events of a `messages.upsert` of `a_message`."""
    return read_events(an_event("messages.upsert", a_message(*parts, **change)))


def read_message(*parts: Any, **change: Any) -> Message:
    """Return the message in a `messages.upsert` of `a_message`."""
    (event,) = upsert(*parts, **change)
    assert isinstance(event, Said), event
    return event.message
