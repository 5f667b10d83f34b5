"""Measure what each operation costs as the fleet and the history grow, and judge it by counts.

In one process: functions, simulated servers, and clock. `FULL=1` goes up to a million messages.
"""

import base64
import contextlib
import itertools
import json
import os
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import httpx

from infra.local import emulator
from shared.store import base
from tests.adapters import posted
from tests.adapters.counting import counting
from tests.benchmarks import cpu
from tests.benchmarks.copies import NOTHING, Pattern, Patterns, store_copies
from tests.benchmarks.report import Cell, Table, render_table
from tests.perene import Perene, name_of, token
from tests.receiver import Receiver

FULL = bool(os.environ.get("FULL"))
FLEETS = (10, 100, 1_000, 5_000)
HISTORIES = (1_000, 10_000, 100_000, *([1_000_000] if FULL else []))
LINES_A_SERVER = 500
ROUNDS, WARM, LONG = 5, 1, 100_000
"""Calls that are measured and made before; of a tenant with a `LONG` history one is measured."""

HEAP = "12g" if FULL else "4g"
"""Memory of the emulator, which holds about 8 KB for each document."""

PATIENCE = 60.0
"""Seconds that a call of Firestore may take here: the emulator goes through all documents of a
collection where Firestore has an index."""

PAGE = 10
"""Rows of a page: as many as the smallest fleet has."""

TENANT, TOLD = "acme", "padaria"
"""The tenant that is measured, and the one whose events an endpoint is told."""

UNPACED = {"SEND_BURST": "10000", "SEND_PER_MINUTE": "60000", "ENDPOINTS_ON_LOOPBACK": "true"}


class Size(NamedTuple):
    """How many lines the fleet has, and how many messages the tenant that is measured."""

    lines: int
    messages: int

    @property
    def servers(self) -> int:
        return max(1, self.lines // LINES_A_SERVER)

    @property
    def title(self) -> str:
        return f"{self.lines:,} lines, {self.messages:,} messages"

    @property
    def rounds(self) -> int:
        return ROUNDS if self.messages < LONG else 1

    @property
    def warm(self) -> int:
        return WARM if self.messages < LONG else 0


SIZES = [
    *(Size(lines, HISTORIES[0]) for lines in FLEETS),
    *(Size(FLEETS[-1], messages) for messages in HISTORIES[1:]),
]


class Cost(NamedTuple):
    """What one call costs: billed operations, calls to servers, bytes, and time in ms."""

    reads: float
    writes: float
    calls: float
    bytes: float
    p50: float
    cpu: float


Call = dict[str, Any]
"""The arguments of a request: method, url, headers, json."""


class Operation(NamedTuple):
    """Something that callers do. `grows_with`: what its costs may grow with; None: nothing."""

    title: str
    prepare: Callable[["World"], Awaitable[Call]]
    grows_with: str | None = None


async def run(_: Path) -> Sequence[Table]:
    """Measure all operations at all sizes. Raises AssertionError if one grows that mustn't."""
    costs: dict[str, list[Cost]] = {operation.title: [] for operation in OPERATIONS}
    with (
        _start_roomy_emulator(),
        mock.patch.dict(base.LIMITS, timeout=PATIENCE),
        contextlib.redirect_stdout(StringIO()),  # the functions' log
    ):
        async with _open_world() as world:
            for size in SIZES:
                await world.grow(size)
                for operation in OPERATIONS:
                    costs[operation.title].append(await _measure(world, operation))
    tables = _build_tables(costs, world.filled)
    growing = [
        operation.title
        for operation in OPERATIONS
        if operation.grows_with is None and not is_flat(costs[operation.title])
    ]
    assert not growing, f"{growing} grow:\n{render_table(tables[0])}"
    return tables


def is_flat(costs: Sequence[Cost]) -> bool:
    """Tell whether an operation costs the same at all sizes; an answer may be longer by a half.

    (Its rows aren't the same: what was said last, and the names of lines.)
    """
    counts = {cost[:3] for cost in costs}
    sizes = [cost.bytes for cost in costs]
    return len(counts) == 1 and max(sizes) <= 1.5 * min(sizes) + 10


def _build_tables(costs: dict[str, list[Cost]], filled: Sequence[Sequence[Cell]]) -> list[Table]:
    allowed = {operation.title: operation.grows_with for operation in OPERATIONS}
    titles = [size.title for size in SIZES]
    return [
        Table(
            f"What an operation costs from {titles[0]} to {titles[-1]}, in billed operations",
            ["operation", "reads", "writes", "calls to servers", "bytes of the answer", "verdict"],
            [
                [title, *(_show_range([cost[at] for cost in several]) for at in range(4)),
                 "flat" if is_flat(several) else f"grows with {allowed[title]}"]
                for title, several in costs.items()
            ],
        ),
        Table(
            f"The time of one call, p50 of {ROUNDS} in ms (the emulator has no index: it goes"
            " through all documents of a collection, Firestore doesn't)",
            ["operation", *titles],
            [[title, *(cost.p50 for cost in several)] for title, several in costs.items()],
        ),
        Table(
            f"The CPU of one call without the emulator's, p50 of {ROUNDS} in ms (functions and"
            " simulated servers)",
            ["operation", *titles],
            [[title, *(cost.cpu for cost in several)] for title, several in costs.items()],
        ),
        Table("Filling the emulator", ["lines", "messages", "s", "emulator's memory, MiB"], filled),
    ]  # fmt: skip


def _show_range(values: Sequence[float]) -> str:
    first, last = f"{min(values):,.0f}", f"{max(values):,.0f}"
    return first if first == last else f"{first} to {last}"


async def _measure(world: "World", operation: Operation) -> Cost:
    rounds, warm = world.size.rounds, world.size.warm
    costs = [await _measure_once(world, operation) for _ in range(warm + rounds)][warm:]
    return Cost(*(statistics.median(values) for values in zip(*costs, strict=True)))


async def _measure_once(world: "World", operation: Operation) -> Cost:
    call = await operation.prepare(world)
    before = world.count_calls()
    with counting(world.perene.store.db.client) as counted:
        started, busy = time.perf_counter(), time.process_time()
        answer = await world.perene.http.request(**call)
        took, computed = time.perf_counter() - started, time.process_time() - busy
    assert answer.status_code < 400, (operation.title, answer.text)
    calls = world.count_calls() - before
    size = len(answer.content)
    return Cost(counted.reads, counted.writes, calls, size, took * 1000, computed * 1000)


# The world -----------------------------------------------------------------------------------


@dataclass
class World:
    """A deployment with two open lines, and copies of the first one's records around it."""

    perene: Perene
    receiver: Receiver
    patterns: Patterns
    tokens: dict[str, dict[str, str]]
    size: Size = field(default=Size(0, 0))
    serial: Iterator[int] = field(default_factory=itertools.count)
    filled: list[list[Cell]] = field(default_factory=list)

    @property
    def thread(self) -> str:
        """Return the path of the conversation that has a tenth of all messages."""
        return f"/conversations/{self.patterns.message.fields['conversation']}"

    async def grow(self, size: Size) -> None:
        """Store lines and messages up to a size, and configure the servers that they take."""
        started, client = time.perf_counter(), self.perene.store.db.client
        lines = range(self.size.lines, size.lines)
        await store_copies(client, self.patterns.copy_lines(lines, LINES_A_SERVER))
        messages = range(self.size.messages, size.messages)
        await store_copies(client, self.patterns.copy_messages(messages))
        took = time.perf_counter() - started
        self.perene.set(EVOLUTION_SERVERS=_write_fleet(size.servers))
        self.size = size
        self.filled.append([size.lines, size.messages, round(took, 1), _read_emulator_mib()])

    def count_calls(self) -> int:
        """Count the calls that all servers got."""
        servers = self.perene.servers.values()
        return sum(sum(server.world.calls_per_route.values()) for server in servers)

    async def call(self, call: Call) -> httpx.Response:
        """Make a call. Raises AssertionError if it fails."""
        answer = await self.perene.http.request(**call)
        assert answer.status_code < 400, answer.text
        return answer


@contextlib.contextmanager
def _start_roomy_emulator() -> Iterator[None]:
    """Use an emulator with more memory than usual."""
    with mock.patch.dict(os.environ, {"_JAVA_OPTIONS": f"-Xmx{HEAP}"}):
        del os.environ[emulator.HOST_VARIABLE]
        with emulator.running() as host:
            os.environ[emulator.HOST_VARIABLE] = host
            yield


@contextlib.asynccontextmanager
async def _open_world() -> AsyncIterator[World]:
    names = {f"s{at}": "2.3.6" for at in range(SIZES[-1].servers)}
    async with Perene(**names) as perene, Receiver() as receiver:
        perene.set(EVOLUTION_SERVERS=_write_fleet(1), **UNPACED)
        await perene.pair(TENANT, posted.OWN.partition("@")[0])
        await perene.pair(TOLD, "5511999990002")
        for server in perene.servers.values():
            server.faults.turn_on("webhook_lost")
        tokens = {tenant: perene.webhook_headers(name_of(tenant)) for tenant in (TENANT, TOLD)}
        world = World(perene, receiver, Patterns(*[NOTHING] * 4), tokens)
        await world.call(_build_message(world))
        world.patterns = _read_patterns(perene)
        endpoint = {"url": receiver.url, "types": ["message.received"]}
        await world.call(_build_call(TOLD, "POST", "/endpoints", json=endpoint))
        yield world


def _read_patterns(perene: Perene) -> Patterns:
    (message,) = perene.documents(f"tenants/{TENANT}/messages").values()
    (conversation,) = perene.documents(f"tenants/{TENANT}/conversations").values()
    instance = perene.documents("instances")[name_of(TENANT)]
    tenant = perene.documents("tenants")[TENANT]
    return Patterns(*map(Pattern, (tenant, instance, conversation, message)))


def _write_fleet(servers: int) -> str:
    fleet = [
        {
            "id": f"s{at}",
            "url": f"http://s{at}.test",
            "api_key": f"key-of-s{at}",
            "instance_max": 2 * LINES_A_SERVER,
            "version": "2.3.6",
        }
        for at in range(servers)
    ]
    return json.dumps(fleet)


def _read_emulator_mib() -> int:
    """Return the memory that the emulator of this process holds, in MiB."""
    port = os.environ[emulator.HOST_VARIABLE].rpartition(":")[2]
    return max(map(cpu.read_resident_mib, cpu.list_commands("firestore", port)), default=0)


# The operations ------------------------------------------------------------------------------


def _build_call(tenant: str, method: str, path: str, **more: Any) -> Call:
    headers = {"authorization": f"Bearer {token(tenant)}", **more.pop("headers", {})}
    return {"method": method, "url": path, "headers": headers, **more}


def _build_operators_call(path: str) -> Call:
    headers = {"authorization": f"Bearer {token('olga', operator=True)}"}
    return {"method": "GET", "url": path, "headers": headers}


def _build_webhook(world: World, event: str, reported: object, tenant: str = TENANT) -> Call:
    own = {"instance": name_of(tenant), "date_time": world.perene.clock().isoformat()}
    body = posted.an_event(event, reported, **own)
    return {"method": "POST", "url": "/webhook", "json": body, "headers": world.tokens[tenant]}


def _build_message(world: World, tenant: str = TENANT) -> Call:
    """Build the webhook of a new message, by the clock of the simulated servers."""
    at = int(time.time())
    key = posted.a_key(id=f"3A{next(world.serial)}")
    return _build_webhook(
        world, "messages.upsert", posted.a_message(key=key, messageTimestamp=at), tenant
    )


async def _receive_message(world: World) -> Call:
    return _build_message(world)


async def _repeat_message(world: World) -> Call:
    await world.call(call := _build_message(world))
    return call


async def _advance_delivery(world: World) -> Call:
    read = posted.body("messages.update.sendText-READ.json")["data"]
    return _build_webhook(world, "messages.update", read)


async def _repeat_connection(world: World) -> Call:
    return _build_webhook(world, "connection.update", {"state": "open", "wuid": posted.OWN})


async def _ensure_open(world: World) -> Call:
    return _build_call(TENANT, "POST", "/ensure-instance", json={})


async def _send_text(world: World) -> Call:
    key = {"idempotency-key": f"k{next(world.serial)}"}
    text = {"text": "tudo bem?"}
    return _build_call(TENANT, "POST", f"{world.thread}/messages", json=text, headers=key)


async def _list_conversations(world: World) -> Call:
    return _build_call(TENANT, "GET", f"/conversations?limit={PAGE}")


async def _search_conversations(world: World) -> Call:
    return _build_call(TENANT, "GET", f"/conversations?limit={PAGE}&search=maria")


async def _list_messages(world: World) -> Call:
    return _build_call(TENANT, "GET", f"{world.thread}/messages?limit={PAGE}")


async def _ask_news(world: World) -> Call:
    """Build the call of an inbox that has seen all that there is, a minute after the last event."""
    world.perene.clock.advance(timedelta(minutes=1))
    page = (await world.call(await _list_messages(world))).json()
    rows = (await world.call(await _list_conversations(world))).json()["conversations"]
    thread = world.thread.rpartition("/")[2]
    query = {"since": rows[0]["last_at"], "thread": thread, "thread_since": page["since"]}
    call = _build_call(TENANT, "GET", "/conversations/news", params=query)
    seen = (await world.call(call)).headers["etag"]
    return call | {"headers": call["headers"] | {"if-none-match": seen}}


async def _tell_event(world: World) -> Call:
    await world.call(_build_message(world, TOLD))
    poke = base64.b64encode(json.dumps({"tenant": TOLD, "news": "message"}).encode()).decode()
    push = {"message": {"data": poke, "messageId": "1"}, "subscription": "s"}
    return _build_operators_call("/deliver-events/push") | {"method": "POST", "json": push}


async def _place_line(world: World) -> Call:
    return _build_call(f"new{next(world.serial)}", "POST", "/ensure-instance", json={})


async def _show_fleet(world: World) -> Call:
    return _build_operators_call("/fleet")


async def _list_lines(world: World) -> Call:
    return _build_operators_call(f"/fleet/instances?limit={PAGE}")


async def _search_lines(world: World) -> Call:
    return _build_operators_call(f"/fleet/instances?limit={PAGE}&search=default")


OPERATIONS = [
    Operation("webhook: new message", _receive_message),
    Operation("webhook: repeated message", _repeat_message),
    Operation("webhook: delivery update", _advance_delivery),
    Operation("webhook: connection update that changes nothing", _repeat_connection),
    Operation("ensure, line open", _ensure_open),
    Operation("send into a conversation", _send_text),
    Operation(f"page of {PAGE} conversations", _list_conversations),
    Operation(f"page of {PAGE} conversations, searched by name", _search_conversations),
    Operation(f"page of {PAGE} messages", _list_messages),
    Operation("news of the inbox, nothing new", _ask_news),
    Operation("event told to one endpoint", _tell_event),
    Operation("fleet at a glance", _show_fleet, "servers"),
    Operation(f"page of {PAGE} lines of the fleet, the first", _list_lines, "lines (1 per 1,000)"),
    Operation(f"page of {PAGE} lines of the fleet, searched by name", _search_lines),
    Operation("placement of a new line", _place_line, "servers, and the slots of one"),
]
