"""A client that costs little: keep-alive HTTP/1.1 over plain streams."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Asked = Callable[[], bytes]
"""The bytes of the next request."""


@dataclass(frozen=True)
class Figures:
    """How it went: answers per second and the latency's quantiles in milliseconds."""

    per_second: float
    p50: float
    p99: float


def request(port: int, method: str, path: str, body: bytes, **headers: str) -> bytes:
    """The bytes of one request; `content_type` is `content-type`."""
    head = [
        f"{method} {path} HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


async def measure(ports: Sequence[int], ask: Asked, in_flight: int, seconds: float) -> Figures:
    """So many requests always in flight, for so long, spread over the ports."""
    started = time.monotonic()
    deadline = started + seconds
    turns = itertools.islice(itertools.cycle(ports), in_flight)
    took = await asyncio.gather(*(_one(port, ask, deadline) for port in turns))
    all_took = [each for connection in took for each in connection]
    return figures(all_took, time.monotonic() - started)


async def paced(ports: Sequence[int], ask: Asked, rate: int, seconds: float) -> Figures:
    """So many requests every second, whether the earlier ones were answered or not.

    A request's latency begins when it was due, so that waiting for a free connection counts.
    """
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    for port in itertools.islice(itertools.cycle(ports), 64):
        idle.put_nowait(await _connected(port))
    started = time.perf_counter()
    due = [started + index / rate for index in range(int(rate * seconds))]
    took = await asyncio.gather(*(_due(idle, ask, at) for at in due))
    return figures(took, time.perf_counter() - started)


async def once(port: int, message: bytes) -> int:
    """The status of one request."""
    reader, writer = await _connected(port)
    try:
        writer.write(message)
        return await _answer(reader)
    finally:
        writer.close()


def figures(took: Sequence[float], seconds: float) -> Figures:
    """What latencies (in seconds) add up to."""
    centiles = statistics.quantiles(took, n=100)
    return Figures(len(took) / seconds, centiles[49] * 1000, centiles[98] * 1000)


_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connected(port: int) -> _Connection:
    return await asyncio.open_connection("127.0.0.1", port)


async def _one(port: int, ask: Asked, deadline: float) -> list[float]:
    connection = await _connected(port)
    took = []
    while time.monotonic() < deadline:
        started = time.perf_counter()
        await _asked(connection, ask)
        took.append(time.perf_counter() - started)
    connection[1].close()
    return took


async def _due(idle: asyncio.Queue[_Connection], ask: Asked, at: float) -> float:
    await asyncio.sleep(at - time.perf_counter())
    connection = await idle.get()
    await _asked(connection, ask)
    idle.put_nowait(connection)
    return time.perf_counter() - at


async def _asked(connection: _Connection, ask: Asked) -> None:
    reader, writer = connection
    writer.write(ask())
    status = await _answer(reader)
    assert status < 300, status


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = [line.split(b":")[1] for line in lines if line.startswith(b"content-length:")]
    await reader.readexactly(int(length[0]) if length else 0)
    return int(head.split(b" ", 2)[1])
