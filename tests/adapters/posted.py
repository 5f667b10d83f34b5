"""What a server posts: recorded, or made of parts that say only what matters to a test."""

import json
from pathlib import Path
from typing import Any

from shared.domain.events import Event, Said
from shared.domain.messages import Message
from shared.evolution import webhooks

RECORDINGS = Path(__file__).parent.parent / "recordings"
FOLDERS = (RECORDINGS / "webhooks", RECORDINGS / "derived" / "webhooks")
RECORDED = {file.name: file for folder in FOLDERS for file in sorted(folder.glob("*.json"))}

OWN = "5511999990001@s.whatsapp.net"
MARIA = "5511988887777@s.whatsapp.net"
LID = "111222333444555@lid"
GROUP = "120363000000000001@g.us"
AT = 1_795_302_085_000


def body(name: str) -> Any:
    """The body of a recorded webhook."""
    return json.loads(RECORDED[name].read_text())["request"]["body"]


def told(posted: Any) -> tuple[Event, ...]:
    """What a body means."""
    wire = webhooks.read(json.dumps(posted).encode())
    assert wire is not None
    return wire.meanings()


def an_event(event: str, data: Any, **change: Any) -> dict[str, Any]:
    """A webhook of the line whose number is OWN."""
    envelope = {"instance": "wa1", "date_time": "2026-11-21T23:01:25.123Z", "sender": OWN}
    return {"event": event, "data": data, **envelope, **change}


def a_key(jid: str = MARIA, **change: Any) -> dict[str, Any]:
    """A message's key; Maria's unless somebody else is named."""
    return {"remoteJid": jid, "fromMe": False, "id": "3A1", **change}


def a_message(content: Any = None, key: Any = None, **change: Any) -> dict[str, Any]:
    """A message object; Maria says "oi"."""
    known = {"key": key or a_key(), "pushName": "Maria", "status": "DELIVERY_ACK"}
    said = {"conversation": "oi"} if content is None else content
    return {**known, "message": said, "messageTimestamp": AT // 1000, **change}


def upsert(*parts: Any, **change: Any) -> tuple[Event, ...]:
    """What a `messages.upsert` of `a_message` means."""
    return told(an_event("messages.upsert", a_message(*parts, **change)))


def heard(*parts: Any, **change: Any) -> Message:
    """The message in a `messages.upsert` of `a_message`."""
    (said,) = upsert(*parts, **change)
    assert isinstance(said, Said), said
    return said.message
