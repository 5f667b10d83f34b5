"""Measure the intake of webhooks, against a bare function and the client with the same commits.

Every measurement begins with an empty database and the first webhook of one mix, and ends with a
look at what is stored. `FULL=1` measures for longer, and finds rates more exactly.
"""

import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import jwt
from google.cloud import firestore

from infra.local import emulator
from tests.benchmarks import cpu, kept, rates
from tests.benchmarks.arrivals import STATUS
from tests.benchmarks.commit import STAMP, VARIABLE, Documents
from tests.benchmarks.delay import delayed
from tests.benchmarks.judge import judge
from tests.benchmarks.load import Figures
from tests.benchmarks.mix import Webhook, generate_mix
from tests.benchmarks.rates import Trial
from tests.benchmarks.recorders import (
    Pace,
    Recorder,
    Target,
    build_request,
    serve_target,
    start_client,
)
from tests.benchmarks.report import Cell, Table
from tests.benchmarks.rounds import compare_rates, measure_in_turn
from tests.benchmarks.served import BARE, serve_function, wait_until_answered
from tests.proofs.stage import Stage

IS_FULL = bool(os.environ.get("FULL"))
SECONDS, WARM, TRIALS = (10.0, 5.0, 8) if IS_FULL else (2.0, 1.5, 3)
ROUNDS = 5 if IS_FULL else 3
"""How often so many in flight are measured, each recorder in turn: a machine slows for seconds."""
IN_FLIGHT = (1, 16, 64)
PROCESSES = (1, 2)
DELAY = 20
"""Milliseconds that are added to every call of the database."""

SEED, HOURS = 19, 12
MOST_RATE = 2500
"""Webhooks a second for which there are enough."""

OURS, BARE_FUNCTION, CLIENT = "receive_webhook", "same_commit", "client"
TITLES = {OURS: "Perene", BARE_FUNCTION: "bare function", CLIENT: "client alone"}
"""What the tables call those who record webhooks; the last two make the same commits."""

COLUMNS = (
    "webhooks/s",
    "p50 ms",
    "p99 ms",
    "of client alone",
    "of bare function",
    "worker CPU ms",
    "emulator CPU ms",
    "wrong in the store",
)


class Run(NamedTuple):
    """A measurement: CPU in milliseconds for each webhook, and how many of what are wrong."""

    figures: Figures
    worker_ms: float
    emulator_ms: float
    faults: Counter[str]


class Scene(NamedTuple):
    """Recorders that are running, and clients of their databases; `host` is the emulator's."""

    host: str
    recorders: Mapping[str, Recorder]
    clients: Mapping[str, firestore.AsyncClient]

    async def measure(self, name: str, pace: Pace) -> Run:
        """Let webhooks come to one of them, into an empty database, and judge what it stored."""
        recorder, client = self.recorders[name], self.clients[name]
        emulator.reset(self.host, client.project)
        databases = cpu.list_commands("firestore", self.host.rpartition(":")[2])
        before = cpu.read_cpu(recorder.pids), cpu.read_cpu(databases)
        figures, posted = await recorder.run(pace)
        after = cpu.read_cpu(recorder.pids), cpu.read_cpu(databases)
        worker, database = (
            (end - begin) * 1000 / len(posted) for begin, end in zip(before, after, strict=True)
        )
        return Run(figures, worker, database, judge(posted, await kept.read_ours(client)))


def list_targets(secret: str) -> dict[str, Target]:
    """List the functions to compare; `secret` signs the tokens of ours."""

    @cache
    def sign(instance: str) -> str:
        return jwt.encode({"sub": instance, "born": 0}, secret, "HS256")

    return {
        OURS: Target("functions/receive_webhook.py", sign),
        BARE_FUNCTION: Target(BARE, sign),
    }


async def measure_intake(place: Path, processes: int) -> Sequence[Table]:
    """Measure with so many worker processes of each kind."""
    stage = Stage(place, "2.3.6")
    stage.public_port = stage.evolution_port  # neither is called
    webhooks = list(islice(generate_mix(SEED, _begin()), int(MOST_RATE * max(SECONDS, WARM))))
    host = stage.environment()[emulator.HOST_VARIABLE]
    open_scene = partial(_open_scene, stage, webhooks, processes)
    try:
        documents = await _record_documents(stage, webhooks)
        async with open_scene(documents, host) as scene:
            loaded = {
                count: await measure_in_turn(
                    {name: partial(scene.measure, name, pace) for name in scene.recorders}, ROUNDS
                )
                for count, pace in ((count, Pace(SECONDS, count)) for count in IN_FLIGHT)
            }
            most = loaded[IN_FLIGHT[-1]][-1]
            hints = {name: run.figures.per_second for name, run in most.items()}
            highest = {0: [await _find_rates(scene, hints)]}
        with delayed(host, DELAY) as later:
            async with open_scene(documents, later) as scene:
                highest[DELAY] = [await _find_rates(scene, hints)]
    finally:
        await stage.http.aclose()
    return _tabulate("so many in flight at once", "in flight", loaded, processes), _tabulate(
        "the highest rate that is answered in time", "added ms", highest, processes
    )


def _begin() -> int:
    """Return when the first message was said (epoch seconds)."""
    return int(time.time()) - HOURS * 3600


async def _record_documents(stage: Stage, webhooks: Sequence[Webhook]) -> dict[str, Documents]:
    """Return what our function stores of the first message of each shape."""
    target, documents = list_targets(stage.environment()["WEBHOOK_SECRET"])[OURS], {}
    firsts = {webhook.arrival.shape: webhook for webhook in reversed(webhooks)}
    with serve_function(stage, OURS, target.source) as process:
        for shape, webhook in firsts.items():
            emulator.reset(stage.environment()[emulator.HOST_VARIABLE], stage.project)
            await wait_until_answered(process.port, build_request(target, webhook))
            if shape != STATUS:
                documents[shape] = _read_documents(stage, webhook.arrival.tenant)
    return documents


def _read_documents(stage: Stage, tenant: str) -> Documents:
    (message,) = stage.documents(f"tenants/{tenant}/messages").values()
    (conversation,) = stage.documents(f"tenants/{tenant}/conversations").values()
    return Documents(_stamp(message), _stamp(conversation))


def _stamp(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field: STAMP if isinstance(value, datetime) else value for field, value in document.items()
    }


@contextlib.asynccontextmanager
async def _open_scene(
    stage: Stage,
    webhooks: Sequence[Webhook],
    processes: int,
    documents: Mapping[str, Documents],
    called: str,
) -> AsyncIterator[Scene]:
    """Start what records, each with a database of its own that it calls at a host; warm it up."""
    host = stage.environment()[emulator.HOST_VARIABLE]
    targets = list_targets(stage.environment()["WEBHOOK_SECRET"])
    shared = {VARIABLE: json.dumps(documents), emulator.HOST_VARIABLE: called}
    projects = {
        name: f"bench-{name.replace('_', '-').replace(' ', '-')}" for name in (*targets, CLIENT)
    }
    recorders = dict[str, Recorder]()
    async with contextlib.AsyncExitStack() as running:
        for name, target in targets.items():
            settings = {**shared, "GOOGLE_CLOUD_PROJECT": projects[name], **target.settings}
            serving = serve_target(
                stage, name, replace(target, settings=settings), webhooks, processes
            )
            recorders[name] = await running.enter_async_context(serving)
        environment = {**stage.environment(), **shared, "GOOGLE_CLOUD_PROJECT": projects[CLIENT]}
        arrivals = [webhook.arrival for webhook in webhooks]
        recorders[CLIENT] = await running.enter_async_context(
            start_client(environment, arrivals, processes)
        )
        clients = {
            name: firestore.AsyncClient(project=project) for name, project in projects.items()
        }
        scene = Scene(host, recorders, clients)
        for name in recorders:
            await scene.measure(name, Pace(WARM, 8))
        yield scene


async def _find_rates(scene: Scene, hints: Mapping[str, float]) -> dict[str, Run]:
    """Find the highest rate of each that is answered in time; the hints are near them."""
    return {name: await _find_rate(scene, name, hint) for name, hint in hints.items()}


async def _find_rate(scene: Scene, name: str, hint: float) -> Run:
    """Return the run with the highest rate that was answered in time."""
    trials, runs = list[Trial](), dict[float, Run]()
    while rate := rates.choose_rate(trials, hint):
        if len(trials) >= TRIALS and rates.find_best(trials):
            break
        run = runs[rate] = await scene.measure(name, Pace(SECONDS, rate=rate))
        trials.append(Trial(rate, rates.is_in_time(run.figures.p50, run.figures.p99)))
    best = rates.find_best(trials)
    assert best
    return runs[best]


def _tabulate(
    what: str, column: str, rounds: Mapping[int, Sequence[Mapping[str, Run]]], processes: int
) -> Table:
    workers = "one worker process" if processes == 1 else f"{processes} worker processes"
    rows = [
        [TITLES.get(name, name), value, *_list_cells(name, several)]
        for value, several in rounds.items()
        for name in several[0]
    ]
    title = f"Webhooks of six lines, {what}, {workers}"
    return Table(title, ("recorded by", column, *COLUMNS), rows)


def _list_cells(name: str, rounds: Sequence[Mapping[str, Run]]) -> list[Cell]:
    """List the figures of the middle round, and the middle ratios to the others of a round.

    A rate counts only if the store is right afterwards, in every round.
    """
    runs = sorted((runs[name] for runs in rounds), key=lambda run: run.figures.per_second)
    middle, faults = runs[len(runs) // 2], sum((run.faults for run in runs), Counter[str]())
    measured = [{each: run.figures for each, run in runs.items()} for runs in rounds]

    def compare(other: str) -> Cell:
        return None if faults.total() else compare_rates(measured, name, other)

    return [
        middle.figures.per_second,
        middle.figures.p50,
        middle.figures.p99,
        compare(CLIENT),
        compare(BARE_FUNCTION),
        middle.worker_ms,
        middle.emulator_ms or None,
        ", ".join(f"{count} {kind}" for kind, count in faults.items()) or "nothing",
    ]


PARTS = tuple(partial(measure_intake, processes=processes) for processes in PROCESSES)
"""Parts of the benchmark; each returns its tables."""
