"""Let contacts write, tenants send and read, and guests come and go, and note what was promised."""

import asyncio
import base64
import contextlib
import hashlib
import random
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

from tests.perene import name_of
from tests.proofs.stage import Stage

RESIDENTS = {"acme": "5511999990001", "globex": "5511999990002", "initech": "5511999990003"}
"""The tenants whose lines stay, by their numbers."""

GUESTS = {"hotel-1": "5511999991001", "hotel-2": "5511999991002", "hotel-3": "5511999991003"}
"""Tenants that take a line and release it again: there isn't room for all of them at once."""

INSTANCE_MAX = len(RESIDENTS) + 2
WRITERS = ("5511988887777", "5521977776666", "14155550101")
LISTENERS = ("5521977700001", "351912345678", "14155550199")
GROUP = "120363041234567890@g.us"
NAME = "Fulana Sigilosa"
WORD = "confidencial"
"""Every text has it, so that no log may."""

TRIES = 8
FILE_BYTES = (1_000, 12_000)


class Written(NamedTuple):
    """What a contact wrote, as its server has it."""

    tenant: str
    contact: str
    place: int
    """The order in which the server had it."""
    sha256: str | None = None
    sure: bool = True
    """False: the server died before it answered; perhaps it never had it."""


class Asked(NamedTuple):
    """What a caller asked to send with a key."""

    tenant: str
    text: str
    sha256: str | None = None


class Load:
    """All that asks something of the deployment, while `is_over` says no."""

    def __init__(self, stage: Stage, seed: int, is_over: Callable[[], bool]) -> None:
        self.stage, self.seed, self.is_over = stage, seed, is_over
        self.happened: Counter[str] = Counter()
        self.written: dict[str, Written] = {}
        self.asked: dict[str, Asked] = {}
        self.conversations: dict[str, list[str]] = {tenant: [] for tenant in RESIDENTS}
        self.statuses: Counter[int] = Counter()
        self.odd_answers: list[str] = []
        """Failures that weren't a problem as RFC 9457 wants it, and answers of another tenant."""

    def start(self, group: asyncio.TaskGroup, *, guests: bool) -> None:
        """Start everything as tasks of a group."""
        for tenant in RESIDENTS:
            group.create_task(self._write(tenant))
            group.create_task(self._read(tenant))
            for turn in range(2):
                group.create_task(self._send(tenant, turn))
        for tenant in GUESTS if guests else ():
            group.create_task(self._visit(tenant))

    # Contacts --------------------------------------------------------------------------------

    async def _write(self, tenant: str) -> None:
        chance = self._draw_chance(f"write {tenant}")
        while not self.is_over():
            await self._write_once(tenant, chance)
            await asyncio.sleep(chance.uniform(0.05, 0.5))

    async def _write_once(self, tenant: str, chance: random.Random) -> None:
        """Write a text, into a group or to the line, or send a file."""
        message, serial = f"3A{chance.getrandbits(72):018X}", len(self.written)
        contact, text, sha256 = chance.choice(WRITERS), f"{WORD} {tenant} {serial}", None
        match chance.choices(["text", "file", "group"], [7, 2, 1])[0]:
            case "file":
                content = chance.randbytes(chance.randint(*FILE_BYTES))
                sha256 = hashlib.sha256(content).hexdigest()
                encoded = base64.b64encode(content).decode()
                body = {"from": contact, "media": encoded, "kind": "document", "text": text}
            case "group":
                key = {"remoteJid": GROUP, "participant": f"{contact}@s.whatsapp.net"}
                body = {"key": key, "message": {"conversation": text}, "pushName": NAME}
                body["key"]["id"] = message
                contact = GROUP
            case _:
                body = {"from": contact, "text": text, "push_name": NAME}
        self.written[message] = Written(tenant, contact, serial, sha256, sure=False)
        is_refused = await self._tell(tenant, "receive", body | {"id": message})
        if is_refused:
            del self.written[message]
        elif is_refused is False:
            self.written[message] = Written(tenant, contact, serial, sha256)
            self.happened["written"] += 1
            self.happened["files written"] += sha256 is not None

    async def _tell(self, tenant: str, verb: str, body: dict[str, Any]) -> bool | None:
        """Tell the simulated server; return whether it refuses, None if nobody knows."""
        origin = f"http://127.0.0.1:{self.stage.evolution_port}/simulator"
        url = f"{origin}/instances/{name_of(tenant)}/{verb}"
        try:
            return (await self.stage.http.post(url, json=body)).is_error
        except httpx.ConnectError:
            return True
        except httpx.HTTPError:
            return None

    # Callers ---------------------------------------------------------------------------------

    async def _send(self, tenant: str, turn: int) -> None:
        chance = self._draw_chance(f"send {tenant} {turn}")
        while not self.is_over():
            await self._send_once(tenant, chance)
            await asyncio.sleep(chance.uniform(0.05, 0.5))

    async def _send_once(self, tenant: str, chance: random.Random) -> None:
        """Send something, and again with the same key until it is confirmed as sent."""
        key, sha256 = str(uuid.UUID(int=chance.getrandbits(128))), None
        text = f"{WORD} {tenant} {key}"
        homes = self.conversations[tenant]
        path, body = "/send-message", {"to": chance.choice(LISTENERS), "text": text}
        match chance.choices(["number", "file", "reply"], [5, 1, 4])[0]:
            case "file":
                content = chance.randbytes(chance.randint(*FILE_BYTES))
                sha256 = hashlib.sha256(content).hexdigest()
                encoded = base64.b64encode(content).decode()
                file = {"base64": encoded, "name": "a.bin", "caption": text}
                body = {"to": chance.choice(LISTENERS), "document": file}
            case "reply" if homes:
                path, body = f"/conversations/{chance.choice(homes)}/messages", {"text": text}
        self.asked[key] = Asked(tenant, text, sha256)
        for _ in range(TRIES):
            answer = await self.call(
                "POST", path, tenant, json=body, headers={"idempotency-key": key}
            )
            if answer is not None and answer.status_code == 201:
                self.happened["sent"] += 1
                if chance.random() < 0.5:
                    seen = {"id": answer.json()["message"]["id"], "status": "READ"}
                    await self._tell(tenant, "acknowledge", seen)
                return
            await asyncio.sleep(chance.uniform(0.05, 0.5))

    async def _read(self, tenant: str) -> None:
        """Look at the inbox, in which nothing of another tenant may ever stand."""
        chance = self._draw_chance(f"read {tenant}")
        while not self.is_over():
            answer = await self.call("GET", "/conversations?limit=50", tenant)
            if answer is not None and answer.is_success:
                conversations = answer.json()["conversations"]
                self.conversations[tenant] = [found["id"] for found in conversations]
                others = RESIDENTS.keys() - {tenant}
                if any(f"{WORD} {other} " in answer.text for other in others):
                    self.odd_answers.append(f"{tenant} saw another tenant's words")
                self.happened["inbox read"] += 1
            await asyncio.sleep(chance.uniform(0.5, 2))

    async def _visit(self, tenant: str) -> None:
        """Take a line, pair it, perhaps with a number that is live already, and release it."""
        chance = self._draw_chance(f"visit {tenant}")
        while not self.is_over():
            await asyncio.sleep(chance.uniform(0.5, 4))
            answer = await self.call("POST", "/ensure-instance", tenant, json={})
            if answer is None or answer.status_code not in (200, 201, 202):
                is_full = answer is not None and "maximum-instances" in answer.text
                self.happened["turned away"] += is_full
                continue
            self.happened["visited"] += 1
            others = [number for guest, number in GUESTS.items() if guest != tenant]
            number = chance.choice([GUESTS[tenant]] * 3 + [*others, RESIDENTS["acme"]])
            await self._tell(tenant, "scan", {"number": number})
            await asyncio.sleep(chance.uniform(0.2, 2))
            match chance.choices(["vanish", "release", "stay"], [1, 2, 1])[0]:
                case "vanish":
                    await self._tell(tenant, "vanish", {})
                case "release":
                    await self.call("DELETE", "/instances/default", tenant)

    async def call(self, method: str, path: str, tenant: str, **more: Any) -> httpx.Response | None:
        """Call the deployment; None if there was no answer. A failure has to be a problem."""
        with contextlib.suppress(httpx.HTTPError):
            answer = await self.stage.call(method, path, tenant, **more)
            self.statuses[answer.status_code] += 1
            if answer.is_error and not _is_problem(answer):
                self.odd_answers.append(f"{method} {path.split('?')[0]} {answer.status_code}")
            return answer
        return None

    async def read(self, path: str, tenant: str) -> httpx.Response:
        """Read something as a caller with patience: what can't be answered now is asked again."""
        for _ in range(TRIES):
            answer = await self.call("GET", path, tenant)
            if answer is not None and answer.status_code != 503:
                return answer
            await asyncio.sleep(2)
        raise AssertionError(f"GET {path.split('?')[0]} is never answered")

    def _draw_chance(self, name: str) -> random.Random:
        """Make a source of chance of its own, so that what others do changes no choice of it."""
        return random.Random(f"{self.seed} {name}")


def _is_problem(answer: httpx.Response) -> bool:
    if answer.headers.get("content-type") != "application/problem+json":
        return False
    problem = answer.json()
    is_named = str(problem.get("type", "")).startswith("urn:perene:problem:")
    return is_named and bool(problem.get("title")) and problem.get("status") == answer.status_code
