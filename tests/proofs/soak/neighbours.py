"""Stand in for what a deployment has around it: endpoints, Pub/Sub, Scheduler and a bucket."""

import asyncio
import base64
import contextlib
import json
import random
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from standardwebhooks import WebhookVerificationError
from starlette.requests import ClientDisconnect

from infra.local.bucket_emulator import BucketEmulator
from tests.conventions import issuer
from tests.perene import A_DAY
from tests.proofs.stage import Stage
from tests.receiver import Delivery, Receiver

REFUSED = 0.03
"""The share of attempts that an endpoint answers with a failure."""

LOST = 0.1
"""The share of pokes that get lost."""

MOST_PUSHES = 20
SWEEP_WITHIN = 540
"""Seconds that Scheduler waits for a sweep."""

TYPES = [
    "message.received", "message.sent", "message.updated", "message.failed", "send.settled",
    "conversation.updated",
]  # fmt: skip
"""What endpoints are told; not what happens to lines, which the workers' wrong clocks date."""


class Told(NamedTuple):
    """An event that an endpoint took."""

    type: str
    about: str
    """The message's id, the send's key or the conversation's id."""
    conversation: str
    tenant: str


class Endpoint:
    """A tenant's endpoint, which fails now and then, and takes only what its own secret signed."""

    def __init__(self, stage: Stage, tenant: str, chance: random.Random) -> None:
        self.stage, self.tenant, self.chance = stage, tenant, chance
        self.receiver = Receiver(self._answer, deque(maxlen=1))
        self.secrets: list[str] = []
        self.id = ""
        self.taken: list[Told] = []
        self.counts: Counter[str] = Counter()

    async def create(self) -> None:
        body = {"url": self.receiver.url, "types": TYPES}
        answer = await self.stage.call("POST", "/endpoints", self.tenant, json=body)
        assert answer.status_code == 201, answer.text
        self.id, self.secrets = answer.json()["endpoint"]["id"], [answer.json()["secret"]]

    async def rotate_secret(self) -> bool:
        """Have the secret replaced, and trust only the new one; return whether that worked."""
        path = f"/endpoints/{self.id}/rotate"
        with contextlib.suppress(httpx.HTTPError):
            answer = await self.stage.call("POST", path, self.tenant)
            if answer.is_success:
                self.secrets.append(answer.json()["secret"])
                return True
        return False

    def _answer(self, delivery: Delivery) -> str:
        if not _verifies(delivery, self.secrets[-1]):
            # One that left before the secret was replaced, or that nobody signed.
            is_ours = any(_verifies(delivery, secret) for secret in self.secrets)
            self.counts["signed before" if is_ours else "forged"] += 1
            return "503 unknown signature"
        if self.chance.random() < REFUSED:
            self.counts["refused"] += 1
            return "503 later"
        event = delivery.event
        facts = event["data"]
        keys = ("key",) if event["type"] == "send.settled" else ("id",)
        about = str(next((facts[key] for key in keys if key in facts), ""))
        home = about if event["type"] == "conversation.updated" else facts["conversation"]
        self.taken.append(Told(event["type"], about, home, facts["tenant"]))
        return "204 ok"


class Door:
    """Pub/Sub and Scheduler: pokes are pushed to any worker until one takes them, or get lost."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.stage, self.chance = stage, chance
        self.receiver = Receiver(self._answer_publish, deque(maxlen=1))
        self.tasks = set[asyncio.Task[Any]]()
        self.counts: Counter[str] = Counter()

    async def tick(self) -> None:
        """Ask for what is due, as Scheduler does."""
        for path in ("/deliver-events", "/store-media"):
            await self._call(path, b"")

    async def sweep(self, path: str) -> dict[str, Any] | None:
        """Run a sweep; return its report, or None if it didn't end well."""
        answer = await self._call(path, b"", timeout=SWEEP_WITHIN)
        return answer.json() if answer is not None and answer.is_success else None

    def _answer_publish(self, publish: Delivery) -> str:
        for message in publish.event["messages"]:
            if self.chance.random() < LOST:
                self.counts["lost"] += 1
                continue
            body = {"message": {**message, "messageId": "1"}, "subscription": "s"}
            is_media = "message" in json.loads(base64.b64decode(message["data"]))
            path = "/store-media/push" if is_media else "/deliver-events/push"
            task = asyncio.create_task(self._push(path, json.dumps(body).encode()))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return "200 ok"

    async def _push(self, path: str, body: bytes) -> None:
        for _ in range(MOST_PUSHES):
            answer = await self._call(path, body)
            if answer is not None and answer.is_success:
                self.counts["pushed"] += 1
                return
            await asyncio.sleep(0.5)

    async def _call(self, path: str, body: bytes, **more: Any) -> httpx.Response | None:
        bearer = f"Bearer {self.stage.sign('olga', operator=True)}"
        headers = {"authorization": bearer, "content-type": "application/json"}
        with contextlib.suppress(httpx.HTTPError):
            return await self.stage.call(
                "POST", path, "olga", headers=headers, content=body, **more
            )
        return None


class Issuer:
    """An issuer of tokens that replaces its key: the next one and the last are published too."""

    def __init__(self, stage: Stage, published: issuer.Issuer) -> None:
        self.stage, self.published = stage, published
        self.serial = 0
        stage.settings |= {"AUTH_JWKS_URL": published.url, "AUTH_HS256_SECRET": ""}
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.serial += 1
        around = range(self.serial - 1, self.serial + 2)
        self.published.kids = [f"ec-{serial}" for serial in around]
        self.stage.sign = self._sign

    def _sign(self, subject: str, **claims: Any) -> str:
        until = int(time.time()) + A_DAY
        return issuer.signed(f"ec-{self.serial}", sub=subject, exp=until, **claims)


class Bucket:
    """A bucket that can be out of order; what is in it stays."""

    def __init__(self, folder: Path) -> None:
        self.emulator = BucketEmulator(folder)
        self.is_broken = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.is_broken and scope["type"] == "http":
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        with contextlib.suppress(ClientDisconnect):  # a worker that was killed
            await self.emulator.app(scope, receive, send)

    def read(self) -> dict[str, bytes]:
        """Return every object by its name."""
        objects = self.emulator.objects.items()
        return {name: self.emulator._content(facts).read_bytes() for name, facts in objects}


def _verifies(delivery: Delivery, secret: str) -> bool:
    try:
        delivery.verify(secret)
    except WebhookVerificationError:
        return False
    return True
