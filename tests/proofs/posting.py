"""Post webhooks straight to the callers of a stage, as their server would."""

import contextlib
from collections.abc import Sequence
from typing import Any

import httpx
import jwt

from shared import webhook_token
from tests.proofs.stage import Stage

NUMBER, MARIA = "5511999990001", "5511988887777"
AT = 1_795_302_085
Event = tuple[str, Any]


class Poster:
    """A source of webhooks of one instance."""

    def __init__(self, stage: Stage, name: str, number: str = NUMBER) -> None:
        self.stage = stage
        self.name = name
        self.number = number
        generation = stage.documents("instances")[name]["born"]
        claims = {"sub": name, "born": generation}
        token = jwt.encode(claims, stage.environment()["WEBHOOK_SECRET"], "HS256")
        self.headers = {webhook_token.HEADER: token}

    async def post(self, event: Event, at: int = 0, port: int | None = None) -> int:
        """Post an event to the callers in turn, or to the one at `port`; return the status."""
        stage = self.stage
        port = port or stage.ports[next(stage.serial) % len(stage.ports)]
        kind, data = event
        minute, second = divmod(at // 1000 % 3600, 60)
        body = {
            "event": kind, "instance": self.name, "data": data,
            "date_time": f"2099-01-01T{at // 3_600_000 % 24:02}:{minute:02}:{second:02}."
                         f"{at % 1000:03}Z",
            "sender": f"{self.number}@s.whatsapp.net",
        }  # fmt: skip
        url = f"http://127.0.0.1:{port}/webhook"
        for _ in range(3):  # an idle connection may be closed just as it is used again
            with contextlib.suppress(httpx.TransportError):
                return (await stage.http.post(url, json=body, headers=self.headers)).status_code
        return 0


def message_event(message: str, text: str, at: int, jid: str = MARIA, **key: Any) -> Event:
    """Build a message event: a contact's, unless the key says that it is ours."""
    address = jid if "@" in jid else f"{jid}@s.whatsapp.net"
    full_key = {"remoteJid": address, "fromMe": False, "id": message, **key}
    data = {"key": full_key, "message": {"conversation": text}, "messageTimestamp": at}
    return "messages.upsert", data | {"pushName": f"N {address}"}


async def read_inbox(stage: Stage, tenant: str) -> Sequence[dict[str, Any]]:
    """Read the first page until it no longer changes and every preview is healed."""
    before: Any = None
    for _ in range(20):
        answer = await stage.call("GET", "/conversations?limit=100", tenant)
        assert answer.status_code == 200, answer.text
        conversations = answer.json()["conversations"]
        if conversations == before and all("last" in item for item in conversations):
            return conversations
        before = conversations
    raise AssertionError("the inbox never heals")
