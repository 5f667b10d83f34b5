"""A client that costs little: keep-alive HTTP/1.1 over plain streams."""

import asyncio
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """How it went: answers per second and the latency's quantiles in milliseconds."""

    per_second: float
    p50: float
    p99: float


def request(port: int, method: str, path: str, token: str, body: bytes) -> bytes:
    """The bytes of one request."""
    head = [
        f"{method} {path} HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        f"authorization: Bearer {token}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


async def measure(port: int, message: bytes, in_flight: int, seconds: float) -> Figures:
    """So many requests always in flight, for so long."""
    deadline = time.monotonic() + seconds
    started = time.monotonic()
    took = await asyncio.gather(*(_one(port, message, deadline) for _ in range(in_flight)))
    all_took = sorted(each for connection in took for each in connection)
    centiles = statistics.quantiles(all_took, n=100)
    per_second = len(all_took) / (time.monotonic() - started)
    return Figures(per_second, centiles[49] * 1000, centiles[98] * 1000)


async def once(port: int, message: bytes) -> int:
    """The status of one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(message)
        return await _answer(reader)
    finally:
        writer.close()


async def _one(port: int, message: bytes, deadline: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    while time.monotonic() < deadline:
        started = time.perf_counter()
        writer.write(message)
        status = await _answer(reader)
        assert status == 200, status
        took.append(time.perf_counter() - started)
    writer.close()
    return took


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(line for line in lines if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return int(head.split(b" ", 2)[1])
