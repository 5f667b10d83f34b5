"""Run a stack under load while everything around it breaks: `make prove`.

Contacts write and callers send for SECONDS (180 unless set; SEED makes the same choices again).
Meanwhile functions are killed, the database stands still, and the server loses answers, fails, is
slow, and posts webhooks again and in the wrong order. Then every fault ends, the soak waits until
all deliveries are through, and compares the promises with what is stored: that alone decides, and
no clock.

The simulated server retries a hundred times quicker than Evolution: it may give up a webhook that
Evolution would have posted again for 20 minutes. That is counted, and breaks no promise.
"""

import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from infra.local.emulator import Emulator
from shared.domain.sends import LEASE
from tests.perene import name_of
from tests.proofs.stage import Stage, open_database, open_stage, paused
from tests.proofs.verdict import Evidence, Verdict, judge

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
    """A run: its writers, senders and faults, and the evidence in the end."""

    def __init__(self, stage: Stage, database: Emulator, seconds: float, seed: int) -> None:
        self.stage = stage
        self.database = database
        self.until = time.monotonic() + seconds
        self.pace = max(0.2, min(1.0, seconds / 60))
        """Scale of the faults' durations and pauses; 1 for a run of a minute or more."""
        self.random = random.Random(seed)
        self.callers: dict[int, Any] = {}
        self.happened: Counter[str] = Counter()
        self.texts_written: set[str] = set()
        self.sends: dict[str, str] = {}

    async def run(self, callers: int = 2) -> Verdict:
        """Run the load and the faults, end the faults, and judge."""
        await self._prepare(callers)
        async with asyncio.TaskGroup() as group:
            for tenant in TENANTS:
                group.create_task(self._write(tenant))
                for turn in range(2):
                    group.create_task(self._send(tenant, turn))
            for disturb in (self._kill, self._stand_still, self._fail):
                group.create_task(disturb())
        await self.stage.set_faults()
        await self._wait_until_quiet()
        outcomes = await self._find_outcomes()
        await self._wait_until_quiet()
        return judge(await self._gather_evidence(outcomes))

    def _is_over(self) -> bool:
        """Tell whether the time is over and each kind of event happened at least once."""
        is_complete = {"written", "sent", "killed", "stood still", "failed"} <= self.happened.keys()
        return is_complete and time.monotonic() > self.until

    async def _prepare(self, callers: int) -> None:
        for index in range(callers):
            await self._start(self.stage.public_port if index == 0 else None)
        for tenant, number in TENANTS.items():
            await self.stage.wait_for_line(tenant)
            await self.stage.scan(name_of(tenant), number)
        await self._wait_until_quiet()

    async def _start(self, port: int | None) -> None:
        ports = [*self.stage.ports]
        port, process = await self.stage.start_caller("--send-patience", "1.5", port=port)
        self.callers[port] = process
        self.stage.ports = ports if port in ports else [*ports, port]

    # Load ------------------------------------------------------------------------------------

    async def _write(self, tenant: str) -> None:
        path = f"/instances/{name_of(tenant)}/receive"
        at = 0
        while not self._is_over():
            text = f"W{tenant}{at}"
            at += 1
            body = {"from": self.random.choice(WRITERS), "text": text, "id": text}
            self.texts_written.add(text)
            await self.stage.call_simulator("POST", path, body)
            self.happened["written"] += 1
            await asyncio.sleep(self.random.uniform(0.05, 0.3))

    async def _send(self, tenant: str, turn: int) -> None:
        at = 0
        while not self._is_over():
            text = f"S{tenant}{turn}-{at}"
            at += 1
            self.sends[text] = tenant
            to = self.random.choice(LISTENERS)
            for _ in range(TRIES):
                if await self._send_once(tenant, text, to):
                    self.happened["sent"] += 1
                    break
                await asyncio.sleep(self.random.uniform(0.05, 0.3))

    async def _send_once(self, tenant: str, text: str, to: str) -> bool:
        """Send with the same key as the first time; return whether it is confirmed as sent."""
        body, headers = {"to": to, "text": text}, {"idempotency-key": text}
        with contextlib.suppress(httpx.HTTPError):
            answer = await self.stage.call(
                "POST", "/send-message", tenant, json=body, headers=headers
            )
            return answer.status_code == 201
        return False

    # Faults ----------------------------------------------------------------------------------

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
            with paused(self.database):
                await self._wait(1, 5)
            self.happened["stood still"] += 1

    async def _fail(self) -> None:
        while not self._is_over():
            await self.stage.set_faults(**self.random.choice(FAULTS))
            await self._wait(0.5, 3)
            self.happened["failed"] += 1

    async def _wait(self, shortest: float, longest: float) -> None:
        await asyncio.sleep(self.pace * self.random.uniform(shortest, longest))

    # Evidence --------------------------------------------------------------------------------

    async def _wait_until_quiet(self) -> None:
        async with asyncio.timeout(QUIET_WITHIN):
            while (await self.stage.read_simulator_state())["deliveries"]["outcomes"].get(
                "pending"
            ):
                await asyncio.sleep(0.2)

    async def _find_outcomes(self) -> dict[str, str]:
        """Return the outcome of every send, once it can't change any more."""
        self.stage.expire_leases(LEASE)
        outcomes: dict[str, str] = {}
        for _ in range(3):
            for text, tenant in self.sends.items():
                if outcomes.get(text) not in ("sent", "failed"):
                    outcomes[text] = await self._read_outcome(tenant, text)
            self.stage.pass_time(15)
        return outcomes

    async def _read_outcome(self, tenant: str, text: str) -> str:
        answer = await self.stage.call("GET", f"/send-message/{text}", tenant)
        if answer.status_code == 404:
            return "unknown"  # none of the requests with this key arrived
        assert answer.is_success, answer.text
        state: str = answer.json()["state"]
        return state

    async def _gather_evidence(self, outcomes: dict[str, str]) -> Evidence:
        posts = await self.stage.call_simulator("GET", "/posted")
        outcomes_of = {post["id"]: set[str]() for post in posts}
        for post in posts:
            outcomes_of[post["id"]].add(post["outcome"])
        assert self.texts_written <= outcomes_of.keys(), (
            "the simulator no longer knows all that it posted"
        )
        messages = [
            message
            for tenant in TENANTS
            for message in self.stage.documents(f"tenants/{tenant}/messages").values()
        ]
        inbound = Counter(
            message["conversation"] for message in messages if not message.get("from_me")
        )
        conversations = {
            name: conversation.get("unread", 0)
            for tenant in TENANTS
            for name, conversation in self.stage.documents(
                f"tenants/{tenant}/conversations"
            ).items()
        }
        deliveries = (await self.stage.read_simulator_state())["sent"]
        return Evidence(
            written=frozenset(self.texts_written),
            acknowledged=frozenset(
                text for text in self.texts_written if "delivered" in outcomes_of[text]
            ),
            stored=Counter(message.get("text") for message in messages),
            counts=tuple((unread, inbound[name]) for name, unread in conversations.items()),
            delivered=Counter(delivery["text"] for delivery in deliveries),
            outcomes=outcomes,
        )


async def soak(
    place: Path, database: Emulator, seconds: float, seed: int
) -> tuple[Verdict, Counter[str]]:
    """Run a soak; return its verdict, and how often each event happened."""
    async with open_stage(place, 0, **FAST) as stage:
        run = Soak(stage, database, seconds, seed)
        return await run.run(), run.happened


def main() -> int:
    """Run a soak and print its verdict; return 0 if it is good."""
    seconds = float(os.environ.get("SECONDS") or 180)
    seed = int(os.environ.get("SEED") or time.time())
    print(f"A soak of {seconds:.0f} s, SEED={seed}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="perene-soak-") as folder,
        open_database(Path(folder)) as database,
    ):
        verdict, happened = asyncio.run(soak(Path(folder), database, seconds, seed))
    print(", ".join(f"{event} {count} times" for event, count in happened.items()))
    print(verdict)
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
