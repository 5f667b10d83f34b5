"""A stack in processes of its own, under load, while everything around it breaks: `make prove`.

Contacts write and callers send for SECONDS (180 unless set; SEED makes the same choices again).
Meanwhile functions are killed, the database stands still, and the server loses answers, fails, is
slow, and posts webhooks again and in the wrong order. Then all is mended, everybody waits until it
is quiet, and what was promised is compared with what is there: that alone decides, and no clock.

The simulated server retries a hundred times quicker than Evolution: it may give up a webhook that
Evolution would have posted again for 20 minutes. That is counted, and breaks no promise.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from infra.local import emulator
from infra.local.emulator import HOST_VARIABLE, Emulator
from shared.domain.sends import LEASE
from tests.perene import name_of
from tests.proofs.stage import Stage, staged
from tests.proofs.verdict import Evidence, Verdict, judge
from tests.stack import processes

TENANTS = {"acme": "5511999990001", "globex": "5511999990002", "initech": "5511999990003"}
WRITERS = ["5511988887777", "5521977776666", "14155550101"]
LISTENERS = ["5521977700001", "351912345678", "14155550199"]
FAST = {"SEND_BURST": "10000", "SEND_PER_MINUTE": "60000"}
TRIES = 8
QUIET_WITHIN = 600.0
SENDS = {"route": "sendText", "probability": 0.4}
FAULTS: tuple[dict[str, dict[str, Any]], ...] = (
    {},
    {"no_answer_after": SENDS},
    {"no_answer_before": SENDS},
    {"error_500_after": SENDS},
    {"error_500_before": {"probability": 0.4}},
    {"cut_after": SENDS, "cut_before": {"probability": 0.2}},
    {"slow": {"milliseconds": 300}},
    {"webhook_duplicated": {"times": 3}, "webhook_reordered": {"seconds": 0.5}},
    {"webhook_delayed": {"seconds": 1.0}, "no_answer_after": SENDS},
    {"bad_gateway": {"probability": 0.4}, "webhook_duplicated": {"times": 2}},
)


class Soak:
    """One run: who writes, who sends, what breaks, and what is known of it in the end."""

    def __init__(self, stage: Stage, database: Emulator, seconds: float, seed: int) -> None:
        self.stage = stage
        self.database = database
        self.until = time.monotonic() + seconds
        self.pace = max(0.2, min(1.0, seconds / 60))
        """How long troubles last and wait, of what they do in a minute or more."""
        self.random = random.Random(seed)
        self.callers: dict[int, Any] = {}
        self.happened: Counter[str] = Counter()
        self.written: set[str] = set()
        self.asked: dict[str, str] = {}

    async def run(self, callers: int = 2) -> Verdict:
        """Let everything happen, mend it, and judge."""
        await self._prepare(callers)
        async with asyncio.TaskGroup() as group:
            for tenant in TENANTS:
                group.create_task(self._write(tenant))
                for turn in range(2):
                    group.create_task(self._send(tenant, turn))
            for trouble in (self._kill, self._stand_still, self._fail):
                group.create_task(trouble())
        await self.stage.fault()
        await self._become_quiet()
        outcomes = await self._settle()
        await self._become_quiet()
        return judge(await self._gather(outcomes))

    def _is_over(self) -> bool:
        """Tell whether it has lasted long enough, and everything happened at least once."""
        happened = {"written", "sent", "killed", "stood still", "failed"} <= self.happened.keys()
        return happened and time.monotonic() > self.until

    async def _prepare(self, callers: int) -> None:
        for index in range(callers):
            await self._start(self.stage.public_port if index == 0 else None)
        for tenant, number in TENANTS.items():
            await self.stage.converged(tenant)
            await self.stage.scan(name_of(tenant), number)
        await self._become_quiet()

    async def _start(self, port: int | None) -> None:
        known = [*self.stage.ports]
        port, process = await self.stage.caller("--send-patience", "1.5", port=port)
        self.callers[port] = process
        self.stage.ports = known if port in known else [*known, port]

    # Who says something ----------------------------------------------------------------------

    async def _write(self, tenant: str) -> None:
        path = f"/instances/{name_of(tenant)}/receive"
        at = 0
        while not self._is_over():
            text = f"W{tenant}{at}"
            at += 1
            body = {"from": self.random.choice(WRITERS), "text": text, "id": text}
            self.written.add(text)
            await self.stage._simulator("POST", path, body)
            self.happened["written"] += 1
            await asyncio.sleep(self.random.uniform(0.05, 0.3))

    async def _send(self, tenant: str, turn: int) -> None:
        at = 0
        while not self._is_over():
            text = f"S{tenant}{turn}-{at}"
            at += 1
            self.asked[text] = tenant
            to = self.random.choice(LISTENERS)
            for _ in range(TRIES):
                if await self._say(tenant, text, to):
                    self.happened["sent"] += 1
                    break
                await asyncio.sleep(self.random.uniform(0.05, 0.3))

    async def _say(self, tenant: str, text: str, to: str) -> bool:
        """Ask with the key of the first time; return whether it is known to be sent."""
        body, headers = {"to": to, "text": text}, {"idempotency-key": text}
        with contextlib.suppress(httpx.HTTPError):
            answer = await self.stage.call(
                "POST", "/send-message", tenant, json=body, headers=headers
            )
            return answer.status_code == 201
        return False

    # What breaks -----------------------------------------------------------------------------

    async def _kill(self) -> None:
        while not self._is_over():
            await self._wait(1, 6)
            port = self.random.choice([*self.callers])
            self.callers[port].kill()
            self.callers[port].join()
            await asyncio.sleep(self.random.uniform(0, 1))
            await self._start(port)
            self.happened["killed"] += 1

    async def _stand_still(self) -> None:
        while not self._is_over():
            await self._wait(2, 10)
            with _standing_still(self.database):
                await self._wait(1, 5)
            self.happened["stood still"] += 1

    async def _fail(self) -> None:
        while not self._is_over():
            await self.stage.fault(**self.random.choice(FAULTS))
            await self._wait(0.5, 3)
            self.happened["failed"] += 1

    async def _wait(self, shortest: float, longest: float) -> None:
        await asyncio.sleep(self.pace * self.random.uniform(shortest, longest))

    # What is there in the end ----------------------------------------------------------------

    async def _become_quiet(self) -> None:
        async with asyncio.timeout(QUIET_WITHIN):
            while (await self.stage.simulated())["deliveries"]["outcomes"].get("pending"):
                await asyncio.sleep(0.2)

    async def _settle(self) -> dict[str, str]:
        """Return what became of every send, asked for until nothing can change any more."""
        self.stage.pass_a_lease(LEASE)
        outcomes: dict[str, str] = {}
        for _ in range(3):
            for text, tenant in self.asked.items():
                if outcomes.get(text) not in ("sent", "failed"):
                    outcomes[text] = await self._outcome(tenant, text)
            self.stage.pass_time(15)
        return outcomes

    async def _outcome(self, tenant: str, text: str) -> str:
        answer = await self.stage.call("GET", f"/send-message/{text}", tenant)
        if answer.status_code == 404:
            return "unknown"  # none of the requests with this key arrived
        assert answer.is_success, answer.text
        state: str = answer.json()["state"]
        return state

    async def _gather(self, outcomes: dict[str, str]) -> Evidence:
        posted = await self.stage._simulator("GET", "/posted")
        told = {each["id"]: set[str]() for each in posted}
        for each in posted:
            told[each["id"]].add(each["outcome"])
        assert self.written <= told.keys(), "the simulator no longer knows all that it posted"
        messages = [
            message
            for tenant in TENANTS
            for message in self.stage.documents(f"tenants/{tenant}/messages").values()
        ]
        inbound = Counter(each["conversation"] for each in messages if not each.get("from_me"))
        conversations = {
            name: conversation.get("unread", 0)
            for tenant in TENANTS
            for name, conversation in self.stage.documents(
                f"tenants/{tenant}/conversations"
            ).items()
        }
        heard = (await self.stage.simulated())["sent"]
        return Evidence(
            written=frozenset(self.written),
            acknowledged=frozenset(text for text in self.written if "delivered" in told[text]),
            stored=Counter(each.get("text") for each in messages),
            counts=tuple((unread, inbound[name]) for name, unread in conversations.items()),
            delivered=Counter(each["text"] for each in heard),
            outcomes=outcomes,
        )


@contextlib.contextmanager
def _standing_still(database: Emulator) -> Iterator[None]:
    """Stop the emulator where it is, and let it go on; its keeper, who ends it, goes on always."""
    assert database.child
    keeper = database.child.process.pid
    stopped = [pid for pid in processes.in_session(keeper) if pid != keeper]
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def _database(place: Path) -> Iterator[Emulator]:
    """An emulator of our own, as one that others use too can't be stopped."""
    with mock.patch.dict(os.environ):
        os.environ.pop(HOST_VARIABLE, None)
        database = emulator.start(place / "emulator.log")
        os.environ[HOST_VARIABLE] = database.host
        try:
            yield database
        finally:
            database.stop()


async def soak(place: Path, seconds: float, seed: int) -> tuple[Verdict, Counter[str]]:
    """Return the verdict on one run, and how often what happened."""
    with _database(place) as database:
        async with staged(place, 0, **FAST) as stage:
            run = Soak(stage, database, seconds, seed)
            return await run.run(), run.happened


def main() -> int:
    """Print the verdict; 0 if it is good."""
    seconds = float(os.environ.get("SECONDS") or 180)
    seed = int(os.environ.get("SEED") or time.time())
    print(f"A soak of {seconds:.0f} s, SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="perene-soak-") as place:
        verdict, happened = asyncio.run(soak(Path(place), seconds, seed))
    print(", ".join(f"{what} {count} times" for what, count in happened.items()))
    print(verdict)
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
