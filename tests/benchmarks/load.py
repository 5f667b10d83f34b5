"""Measure servers with a client that costs little: keep-alive HTTP/1.1 over plain streams."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

MOST_IN_FLIGHT = 64
"""Requests that are under way at once where they come at a fixed rate; others wait."""

BuildRequest = Callable[[], bytes]
"""Return the bytes of the next request."""

Lane = Callable[[], Awaitable[None]]
"""Send what is next and wait for the answer. A lane does so once at a time."""


@dataclass(frozen=True)
class Figures:
    """The result of a measurement: answers per second, and latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float


def build_request(port: int, method: str, path: str, body: bytes, **headers: str) -> bytes:
    """Build the bytes of one request. A header `content_type` is sent as `content-type`."""
    head = [
        f"{method} {path} HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


async def measure(
    ports: Sequence[int], build: BuildRequest, in_flight: int, seconds: float
) -> Figures:
    """Keep `in_flight` requests in flight for so many seconds, spread over the ports."""
    lanes, started = await _open_lanes(ports, build, in_flight), time.monotonic()
    took = await keep_busy(lanes, started + seconds)
    return summarize(took, time.monotonic() - started)


async def measure_paced(
    ports: Sequence[int], build: BuildRequest, rate: float, seconds: float
) -> Figures:
    """Send `rate` requests every second, whether the earlier ones were answered or not."""
    lanes, started = await _open_lanes(ports, build, MOST_IN_FLIGHT), time.monotonic()
    took = await send_when_due(lanes, list_due(started, rate, seconds))
    return summarize(took, time.monotonic() - started)


async def keep_busy(lanes: Sequence[Lane], deadline: float) -> list[float]:
    """Let every lane send one request after the other until the deadline; return the latencies."""

    async def repeat(lane: Lane) -> list[float]:
        took = []
        while time.monotonic() < deadline:
            started = time.monotonic()
            await lane()
            took.append(time.monotonic() - started)
        return took

    return [latency for took in await asyncio.gather(*map(repeat, lanes)) for latency in took]


async def send_when_due(lanes: Sequence[Lane], due: Sequence[float]) -> list[float]:
    """Send one request at each of these times, as soon as a lane is free; return the latencies.

    A request's latency begins when it was due, so that waiting for a free lane counts.
    """
    idle = asyncio.Queue[Lane]()
    for lane in lanes:
        idle.put_nowait(lane)

    async def send(lane: Lane, at: float) -> float:
        try:
            await lane()
        finally:
            idle.put_nowait(lane)
        return time.monotonic() - at

    sent = []
    for at in due:
        await asyncio.sleep(at - time.monotonic())
        sent.append(asyncio.create_task(send(await idle.get(), at)))
    return list(await asyncio.gather(*sent))


def list_due(started: float, rate: float, seconds: float) -> list[float]:
    """List when each of `rate` requests every second is due."""
    return [started + index / rate for index in range(int(rate * seconds))]


async def send_once(port: int, message: bytes) -> int:
    """Send one request and return its status."""
    reader, writer = await _connect(port)
    try:
        writer.write(message)
        return await _read_status(reader)
    finally:
        writer.close()


def summarize(took: Sequence[float], seconds: float) -> Figures:
    """Compute the figures of latencies, which are in seconds."""
    centiles = statistics.quantiles(took, n=100)
    return Figures(len(took) / seconds, centiles[49] * 1000, centiles[98] * 1000)


async def _open_lanes(ports: Sequence[int], build: BuildRequest, count: int) -> list[Lane]:
    turns = itertools.islice(itertools.cycle(ports), count)
    connections = [await _connect(port) for port in turns]
    return [partial(_send, connection, build) for connection in connections]


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(port: int) -> _Connection:
    return await asyncio.open_connection("127.0.0.1", port)


async def _send(connection: _Connection, build: BuildRequest) -> None:
    reader, writer = connection
    writer.write(build())
    status = await _read_status(reader)
    assert status < 300, status


async def _read_status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = [line.split(b":")[1] for line in lines if line.startswith(b"content-length:")]
    await reader.readexactly(int(length[0]) if length else 0)
    return int(head.split(b" ", 2)[1])
