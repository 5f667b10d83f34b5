"""Run a soak from its beginning to its end: load and chaos, then quiet, sweeps and evidence."""

import asyncio
import contextlib
import hashlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from infra.local.bucket_emulator import BUCKET
from infra.local.children import find_free_port
from infra.local.emulator import Emulator
from infra.local.pubsub_emulator import name_topic
from shared.domain.fleet.invariants import MENDED, Rule
from shared.domain.sends import LEASE
from tests.conventions import issuer
from tests.perene import name_of
from tests.proofs.soak import evidence as gathering
from tests.proofs.soak.chaos import Chaos
from tests.proofs.soak.evidence import Delivered, Evidence, Outcome, Posted, Slots
from tests.proofs.soak.load import (
    GUESTS,
    INSTANCE_MAX,
    LISTENERS,
    NAME,
    RESIDENTS,
    WORD,
    WRITERS,
    Load,
)
from tests.proofs.soak.memory import Growth, list_growth
from tests.proofs.soak.neighbours import Bucket, Door, Endpoint, Issuer
from tests.proofs.soak.verdict import Finding, judge, list_expected, list_files
from tests.proofs.soak.workers import SECRETS, SKEW, Workers
from tests.proofs.stage import Stage, open_stage
from tests.serving import serving

QUIET_WITHIN = 600.0
TOLD_WITHIN = 60.0
"""Seconds without news after which what isn't told counts as never told."""

BEGINS_AFTER = 2 * SKEW
"""Seconds: an endpoint is told what happens from its beginning on, by the clock of a worker."""

READ_AT_ONCE = 12
MOST_OPENED = 200
"""Files that are opened by the API in the end; all are compared in the bucket."""

LASTING = MENDED | {Rule.NUMBER_ON_TWO_LINES}
"""What sweeps may find in the end: a guest whose number was taken is turned away, and may stay
connected upstream. That only one of the two lines is live is looked at for P11."""

SETTINGS = {
    "SEND_BURST": "10000",
    "SEND_PER_MINUTE": "60000",
    "AUTH_OPERATOR_CLAIM": "operator",
    "ENDPOINTS_ON_LOOPBACK": "true",
    "EVENTS_TOPIC": name_topic("events"),
    "MEDIA_TOPIC": name_topic("media"),
    "MEDIA_BUCKET": BUCKET,
}


class Result(NamedTuple):
    """What a soak showed."""

    findings: list[Finding]
    evidence: Evidence
    happened: Counter[str]
    memory: list[Growth]

    @property
    def is_good(self) -> bool:
        """Tell whether every promise was kept, and memory stays flat."""
        is_kept = all(not finding.broken for finding in self.findings)
        return is_kept and all(growth.is_flat for growth in self.memory)


class Soak:
    """A run: a deployment, what is around it, its load and its chaos."""

    def __init__(
        self, stage: Stage, database: Emulator, bucket: Bucket, seconds: float, seed: int,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        """`tell` is called with what is done now: the end of a long soak takes minutes."""
        self.stage, self.database, self.bucket = stage, database, bucket
        self.seconds, self.until = seconds, 0.0
        self.tell = tell
        self.load = Load(stage, seed, self._is_over)
        self.door = Door(stage, random.Random(f"{seed} door"))
        self.issuer: Issuer | None = None
        self.workers = Workers(stage, random.Random(f"{seed} workers"))
        self.endpoints = [
            Endpoint(stage, tenant, random.Random(f"{seed} {tenant}")) for tenant in RESIDENTS
        ]
        pace = max(0.2, min(1.0, seconds / 300))
        self.chaos = Chaos(self, random.Random(f"{seed} chaos"), pace)
        self.kinds = self.chaos.list_kinds(everything=False)
        self.posted, self.late = set[Posted](), set[str]()
        self.remembered_at = datetime.now(UTC)

    async def run(self, workers: int, *, everything: bool) -> Result:
        """Run the load and the chaos, end the chaos, and judge."""
        self.kinds = self.chaos.list_kinds(everything=everything)
        async with self._listening(issues=everything):
            before = await self._prepare(workers)
            self.until = time.monotonic() + self.seconds
            async with self._scheduling(), asyncio.TaskGroup() as group:
                self.load.start(group, guests=everything)
                for name, kind in self.kinds.items():
                    group.create_task(self.chaos.repeat(name, kind, self._is_over))
            self.tell("the load is over, and every fault ends: waiting for posts, and sweeping")
            await self._settle()
            self.tell(f"reading the outcomes of {len(self.load.asked)} sends")
            outcomes = await self._find_outcomes()
            stored = self._read_stored()
            self.tell("telling what isn't told, and copying what isn't copied")
            await self._tell_all(stored, outcomes)
            self.tell("comparing")
            evidence = await self._gather(before, outcomes, stored)
        memory = list_growth(self.workers.weights.values())
        overstayed = Counter({"worker overstayed": self.workers.overstayed})
        happened = self.load.happened + self.chaos.happened + overstayed
        return Result(judge(evidence), evidence, happened, memory)

    def _is_over(self) -> bool:
        """Tell whether the time is over and each kind of disturbance happened at least once."""
        is_complete = self.kinds.keys() <= self.chaos.happened.keys()
        is_used = {"written", "sent"} <= self.load.happened.keys()
        return is_complete and is_used and time.monotonic() > self.until

    async def _prepare(self, workers: int) -> list[gathering.Instance]:
        await self.workers.start_all(workers)
        for tenant, number in RESIDENTS.items():
            await self.stage.wait_for_line(tenant)
            await self.stage.scan(name_of(tenant), number)
        for endpoint in self.endpoints:
            await endpoint.create()
        await asyncio.sleep(BEGINS_AFTER)
        await self._wait_until_posted()
        return await gathering.list_upstream(self.stage)

    @contextlib.asynccontextmanager
    async def _listening(self, *, issues: bool) -> AsyncIterator[None]:
        """Receive events and pokes, and serve the bucket, during the `with`.

        `issues`: with an issuer of tokens whose keys come and go.
        """
        async with contextlib.AsyncExitStack() as stack:
            door = await stack.enter_async_context(self.door.receiver)
            for endpoint in self.endpoints:
                await stack.enter_async_context(endpoint.receiver)
            if issues:
                self.issuer = Issuer(self.stage, stack.enter_context(issuer.running()))
            port = find_free_port()
            await stack.enter_async_context(serving(self.bucket, port))
            self.stage.settings |= {
                "PUBSUB_EMULATOR_HOST": door.host,
                "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}",
            }
            try:
                yield
            finally:
                for task in self.door.tasks:
                    task.cancel()
                await asyncio.gather(*self.door.tasks, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _scheduling(self) -> AsyncIterator[None]:
        """Tick as Scheduler does, and weigh the workers, during the `with`."""

        async def tick() -> None:
            while True:
                await asyncio.sleep(3)
                await self.door.tick()

        async def weigh() -> None:
            while True:
                self.workers.weigh()
                await asyncio.sleep(1)

        tasks = [asyncio.create_task(work) for work in (tick(), weigh())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def remember_posts(self) -> None:
        """Note what the server posted, and had acknowledged: when it ends, that is forgotten."""
        self.posted |= await gathering.read_posted(self.stage)

    async def remember_late(self) -> None:
        """Note which messages became visible late: a restarted database doesn't know."""
        since, self.remembered_at = self.remembered_at, datetime.now(UTC)
        since -= timedelta(seconds=10)
        tenants = [*RESIDENTS]
        self.late |= await asyncio.to_thread(gathering.list_late, self.stage, tenants, since)

    # The end ---------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """End every fault, wait until all is posted, and sweep what was lost."""
        await self.stage.set_faults()
        await self._wait_until_posted()
        self.stage.expire_leases(LEASE)
        for path in ("/sweep-capacity", "/sweep-orphans"):
            await self._sweep(path)
        await self._wait_until_posted()

    async def _sweep(self, path: str) -> dict[str, Any]:
        """Sweep; one that was killed holds its place for a while."""
        for _ in range(20):
            if report := await self.door.sweep(path):
                return report
            self.stage.pass_time(60)
            await asyncio.sleep(0.2)
        raise AssertionError(f"{path} never ends well")

    async def _find_outcomes(self) -> dict[str, Outcome]:
        """Return the outcome of every send, once it can't change any more."""
        outcomes = dict[str, Outcome]()
        for _ in range(3):
            open_keys = [
                key
                for key in self.load.asked
                if key not in outcomes or outcomes[key].state not in ("sent", "failed")
            ]
            for start in range(0, len(open_keys), READ_AT_ONCE):
                keys = open_keys[start : start + READ_AT_ONCE]
                found = await asyncio.gather(*map(self._read_outcome, keys))
                outcomes |= zip(keys, found, strict=True)
            self.stage.pass_time(15)
        return outcomes

    async def _read_outcome(self, key: str) -> Outcome:
        tenant = self.load.asked[key].tenant
        answer = await self.load.read(f"/send-message/{key}", tenant)
        if answer.status_code == 404:
            return Outcome("unknown")  # none of the requests with this key arrived
        assert answer.is_success, answer.text
        return Outcome(answer.json()["state"], answer.json().get("why"))

    def _read_stored(self) -> dict[str, list[dict[str, Any]]]:
        return {
            tenant: [*self.stage.documents(f"tenants/{tenant}/messages").values()]
            for tenant in RESIDENTS
        }

    async def _tell_all(
        self, stored: dict[str, list[dict[str, Any]]], outcomes: dict[str, Outcome]
    ) -> None:
        """Tick until every event is told and every file copied, or no more comes for a while."""
        before, changed_at = None, time.monotonic()
        while time.monotonic() < changed_at + TOLD_WITHIN:
            self.stage.pass_time(400)
            await self.door.tick()
            await asyncio.sleep(0.3)
            untold = self._count_untold(stored, outcomes)
            if untold == 0:
                return
            if untold != before:
                before, changed_at = untold, time.monotonic()

    def _count_untold(
        self, stored: dict[str, list[dict[str, Any]]], outcomes: dict[str, Outcome]
    ) -> int:
        """Count the events that no endpoint took, and the files that aren't in the bucket."""
        expected = [
            list_expected(endpoint.tenant, stored[endpoint.tenant], self.load.asked, outcomes)
            - {(event.type, event.about) for event in endpoint.taken}
            for endpoint in self.endpoints
        ]
        files = list_files(stored, self.load.written, self.load.asked)
        missing = {*files.values()} - self.bucket.emulator.objects.keys()
        return sum(map(len, expected)) + len(missing)

    async def _wait_until_posted(self) -> None:
        async with asyncio.timeout(QUIET_WITHIN):
            while any(post["outcome"] == "" for post in await self._read_posts()):
                await asyncio.sleep(0.5)

    async def _read_posts(self) -> list[dict[str, Any]]:
        posts: list[dict[str, Any]] = await self.stage.call_simulator("GET", "/posted")
        return posts

    # Evidence --------------------------------------------------------------------------------

    async def _gather(
        self,
        before: list[gathering.Instance],
        outcomes: dict[str, Outcome],
        stored: dict[str, list[dict[str, Any]]],
    ) -> Evidence:
        report = await self._sweep("/sweep-orphans")
        await self.remember_posts()
        await self.remember_late()
        stage, load = self.stage, self.load
        for tenant in RESIDENTS:
            await self._list_conversations(tenant)
        upstream = await stage.read_simulator_state()
        logs = sorted(stage.place.glob("caller-*.log"))
        log_lines, leaks = gathering.scan_logs(logs, self._list_secrets())
        return Evidence(
            numbers=RESIDENTS,
            written=load.written,
            asked=load.asked,
            outcomes=outcomes,
            kept={tenant: await gathering.read_kept(stage, tenant) for tenant in RESIDENTS},
            posted=frozenset(self.posted),
            delivered=[
                Delivered(sent["instance"], sent["sender"], sent["id"], sent["text"])
                for sent in upstream["sent"]
            ],
            stored=stored,
            conversations={
                tenant: stage.documents(f"tenants/{tenant}/conversations") for tenant in RESIDENTS
            },
            threads=await gathering.read_threads(load),
            told={endpoint.tenant: endpoint.taken for endpoint in self.endpoints},
            late=frozenset(self.late),
            forged=sum(endpoint.counts["forged"] for endpoint in self.endpoints),
            files=self.bucket.read(),
            opened=await self._open_files(stored),
            before=before,
            instances=await gathering.list_upstream(stage),
            records=stage.documents("instances"),
            owners={
                number: owner["instance"] for number, owner in stage.documents("numbers").items()
            },
            creates_at_once=max(upstream["creates_in_flight_peak"].values(), default=0),
            slots=Slots(
                [slot["instance"] for slot in stage.documents("servers/main/slots").values()],
                stage.instance_max,
            ),
            broken_rules={
                rule: count
                for rule, count in report["invariants"]["by_rule"].items()
                if rule not in LASTING
            },
            dead_letters=len(stage.documents("dead_letters")),
            answers=load.statuses,
            odd_answers=load.odd_answers,
            log_lines=log_lines,
            leaks=leaks,
        )

    async def _list_conversations(self, tenant: str) -> None:
        answer = await self.load.read("/conversations?limit=50", tenant)
        homes = [found["id"] for found in answer.json()["conversations"]]
        self.load.conversations[tenant] = homes

    async def _open_files(self, stored: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
        """Open some of the files as a person does; return the hash of each, or the refusal."""
        opened = dict[str, str]()
        for tenant, messages in stored.items():
            files = [message for message in messages if message.get("media_copy")]
            chance = random.Random(len(files))
            for message in chance.sample(files, min(len(files), MOST_OPENED // len(stored))):
                path = f"/conversations/{message['conversation']}/messages/{message['id']}/media"
                answer = await self.load.read(path, tenant)
                is_open = answer.is_success
                content = hashlib.sha256(answer.content).hexdigest()
                opened[message["id"]] = content if is_open else f"{answer.status_code}"
        return opened

    def _list_secrets(self) -> list[str]:
        """List what may stand in no log."""
        numbers = [*RESIDENTS.values(), *GUESTS.values(), *WRITERS, *LISTENERS]
        signing = [secret for endpoint in self.endpoints for secret in endpoint.secrets]
        return [WORD, NAME, *numbers, *SECRETS, *signing]


async def soak(
    place: Path, database: Emulator, seconds: float, seed: int, workers: int = 2, *,
    everything: bool = False, tell: Callable[[str], None] = lambda _: None,
) -> Result:  # fmt: skip
    """Run a soak in a folder; `everything`: with chaos that takes longer than seconds to pass."""
    async with open_stage(place, 0, instance_max=INSTANCE_MAX, **SETTINGS) as stage:
        if database.data:
            stage.project = database.project
        bucket = Bucket(place / "bucket")
        return await Soak(stage, database, bucket, seconds, seed, tell).run(
            workers, everything=everything
        )
