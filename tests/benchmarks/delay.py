"""Stand before a server, and let every call reach it some milliseconds later.

`python -m tests.benchmarks.delay PORT MS`, with the server as `host:port` in DELAYED. What callers
send waits; calls don't wait for each other, also on one connection. Answers pass at once.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from infra.local.children import find_free_port
from tests.benchmarks.served import ROOT

VARIABLE = "DELAYED"


class _Answers(asyncio.Protocol):
    """The connection to the server; what it says is passed on."""

    def __init__(self, caller: asyncio.Transport) -> None:
        self.caller = caller

    def data_received(self, data: bytes) -> None:
        self.caller.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.caller.close()


class _Calls(asyncio.Protocol):
    """The connection of a caller; what it says is passed on later, in its order."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self.server, self.seconds = (host, port), seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        loop = asyncio.get_running_loop()
        opening = loop.create_connection(lambda: _Answers(transport), *self.server)
        self.opened = asyncio.ensure_future(opening)
        self.passing = asyncio.Queue[tuple[float, bytes]]()
        self.passed = asyncio.ensure_future(self._pass_on())

    def data_received(self, data: bytes) -> None:
        self.passing.put_nowait((asyncio.get_running_loop().time() + self.seconds, data))

    def connection_lost(self, error: Exception | None) -> None:
        self.passed.cancel()

    async def _pass_on(self) -> None:
        server, _ = await self.opened
        loop = asyncio.get_running_loop()
        try:
            while True:
                due, data = await self.passing.get()
                await asyncio.sleep(due - loop.time())
                server.write(data)
        finally:
            server.close()


async def serve(port: int, host: str, seconds: float) -> asyncio.Server:
    """Listen on the port for calls to `host:port`, which arrive so many seconds later."""
    name, _, number = host.partition(":")
    loop = asyncio.get_running_loop()
    make = lambda: _Calls(name, int(number), seconds)  # noqa: E731 - a protocol factory
    return await loop.create_server(make, "127.0.0.1", port)


@contextlib.contextmanager
def delayed(host: str, milliseconds: int) -> Iterator[str]:
    """Delay calls to the host in a process of its own during the `with`; yield whom to call."""
    port = find_free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.delay", str(port), str(milliseconds)],
        cwd=ROOT, env={**os.environ, VARIABLE: host},
    )  # fmt: skip
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


async def main(port: int, milliseconds: float) -> None:
    """Serve until killed."""
    async with await serve(port, os.environ[VARIABLE], milliseconds / 1000) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
