"""Post webhooks straight to the callers of a stage, as their server would."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx
import jwt

from shared import webhook_token
from tests.proofs.stage import Stage

NUMBER, MARIA = "5511999990001", "5511988887777"
AT = 1_795_302_085
AT_ONCE = 16
Event = tuple[str, Any]


class Poster:
    """A source of webhooks of one instance, with its token unless other headers are given."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        number: str = NUMBER,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.stage = stage
        self.name = name
        self.number = number
        self.headers = _sign_token(stage, name) if headers is None else headers

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

    async def post_all(
        self, arrivals: Iterable[tuple[Event, int]], at_once: int = AT_ONCE
    ) -> list[int]:
        """Post events, each with the milliseconds at which it was emitted, so many at once."""
        turns = asyncio.Semaphore(at_once)

        async def post(event: Event, at: int) -> int:
            async with turns:
                return await self.post(event, at)

        return await asyncio.gather(*(post(event, at) for event, at in arrivals))


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


async def read_thread(
    stage: Stage, tenant: str, conversation: str, limit: int = 100
) -> list[dict[str, Any]]:
    """Read all messages of a conversation, newest first, page by page."""
    messages, cursor = list[dict[str, Any]](), ""
    while True:
        path = f"/conversations/{conversation}/messages?limit={limit}{cursor}"
        page = (await stage.call("GET", path, tenant)).json()
        messages += page["messages"]
        if not page.get("next"):
            return messages
        cursor = f"&cursor={page['next']}"


def _sign_token(stage: Stage, name: str) -> Mapping[str, str]:
    claims = {"sub": name, "born": stage.documents("instances")[name]["born"]}
    token = jwt.encode(claims, stage.environment()["WEBHOOK_SECRET"], "HS256")
    return {webhook_token.HEADER: token}
