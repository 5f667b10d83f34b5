"""Webhooks posted straight to the callers of a stage, as their server would post them."""

import contextlib
from collections.abc import Sequence
from typing import Any

import httpx
import jwt

from shared import webhook_token
from tests.proofs.stage import Stage

NUMBER, MARIA = "5511999990001", "5511988887777"
AT = 1_795_302_085
Told = tuple[str, Any]


class Poster:
    """What the server of one instance posts."""

    def __init__(self, stage: Stage, name: str, number: str = NUMBER) -> None:
        self.stage = stage
        self.name = name
        self.number = number
        born = stage.documents("instances")[name]["born"]
        claims = {"sub": name, "born": born}
        token = jwt.encode(claims, stage.environment()["WEBHOOK_SECRET"], "HS256")
        self.headers = {webhook_token.HEADER: token}

    async def post(self, told: Told, at: int = 0, port: int | None = None) -> int:
        """An event is told to one of the callers, each in turn; the status of the answer."""
        stage = self.stage
        port = port or stage.ports[next(stage.serial) % len(stage.ports)]
        event, data = told
        minute, second = divmod(at // 1000 % 3600, 60)
        body = {
            "event": event, "instance": self.name, "data": data,
            "date_time": f"2099-01-01T{at // 3_600_000 % 24:02}:{minute:02}:{second:02}."
                         f"{at % 1000:03}Z",
            "sender": f"{self.number}@s.whatsapp.net",
        }  # fmt: skip
        url = f"http://127.0.0.1:{port}/webhook"
        for _ in range(3):  # an idle connection may be closed just as it is used again
            with contextlib.suppress(httpx.TransportError):
                return (await stage.http.post(url, json=body, headers=self.headers)).status_code
        return 0


def said(message: str, text: str, at: int, jid: str = MARIA, **key: Any) -> Told:
    """A message: a contact's, unless its key says that it is ours."""
    address = jid if "@" in jid else f"{jid}@s.whatsapp.net"
    known = {"remoteJid": address, "fromMe": False, "id": message, **key}
    told = {"key": known, "message": {"conversation": text}, "messageTimestamp": at}
    return "messages.upsert", told | {"pushName": f"N {address}"}


async def inbox(stage: Stage, tenant: str) -> Sequence[dict[str, Any]]:
    """The first page, read until nothing is left to heal."""
    before: Any = None
    for _ in range(20):
        answer = await stage.call("GET", "/conversations?limit=100", tenant)
        assert answer.status_code == 200, answer.text
        found = answer.json()["conversations"]
        if found == before and all("last" in each for each in found):
            return found
        before = found
    raise AssertionError("the inbox never heals")
