"""Measure servers with a client that costs little: keep-alive HTTP/1.1 over plain streams."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

BuildRequest = Callable[[], bytes]
"""Return the bytes of the next request."""


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
    started = time.monotonic()
    deadline = started + seconds
    turns = itertools.islice(itertools.cycle(ports), in_flight)
    took = await asyncio.gather(*(_repeat(port, build, deadline) for port in turns))
    latencies = [latency for connection in took for latency in connection]
    return summarize(latencies, time.monotonic() - started)


async def measure_paced(
    ports: Sequence[int], build: BuildRequest, rate: int, seconds: float
) -> Figures:
    """Send `rate` requests every second, whether the earlier ones were answered or not.

    A request's latency begins when it was due, so that waiting for a free connection counts.
    """
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    for port in itertools.islice(itertools.cycle(ports), 64):
        idle.put_nowait(await _connect(port))
    started = time.perf_counter()
    due = [started + index / rate for index in range(int(rate * seconds))]
    took = await asyncio.gather(*(_send_when_due(idle, build, at) for at in due))
    return summarize(took, time.perf_counter() - started)


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


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(port: int) -> _Connection:
    return await asyncio.open_connection("127.0.0.1", port)


async def _repeat(port: int, build: BuildRequest, deadline: float) -> list[float]:
    connection = await _connect(port)
    took = []
    while time.monotonic() < deadline:
        started = time.perf_counter()
        await _send(connection, build)
        took.append(time.perf_counter() - started)
    connection[1].close()
    return took


async def _send_when_due(idle: asyncio.Queue[_Connection], build: BuildRequest, at: float) -> float:
    await asyncio.sleep(at - time.perf_counter())
    connection = await idle.get()
    await _send(connection, build)
    idle.put_nowait(connection)
    return time.perf_counter() - at


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
