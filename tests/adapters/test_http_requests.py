"""A request that is given up leaves its place to others, and is sent no more."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator

import httpcore
import httpx
import pytest

from shared import http_requests

pytestmark = pytest.mark.anyio


class Server:
    """Answers each request once it may, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.asked.append(head.split()[1].decode())
                await self.may_answer.wait()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server


async def give_up(request: asyncio.Future[httpx.Response], turns: int) -> None:
    """Cancel a request after so many turns of the loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait([request])


def open_client(connections: int) -> http_requests.Client:
    limits = httpx.Limits(max_connections=connections)
    return http_requests.Client(limits=limits, timeout=httpx.Timeout(10, pool=2), trust_env=False)


async def test_request_given_up_at_any_turn_leaves_its_place(server: Server):
    server.may_answer.set()
    async with open_client(1) as http:
        for turns in range(60):
            await give_up(asyncio.create_task(http.get(f"{server.url}/{turns}")), turns)

            assert (await http.get(server.url)).status_code == 200


async def test_connection_in_use_is_not_closed(server: Server):
    server.may_answer.set()
    async with open_client(4) as http:
        await asyncio.gather(*(http.get(server.url) for _ in range(2)))
        pool = http._transport._pool  # type: ignore[attr-defined]
        first, second = pool.connections
        server.may_answer.clear()

        request = httpcore.Request("GET", f"{server.url}/kept", headers={"host": "localhost"})
        began = asyncio.create_task(second.handle_async_request(request))
        while "/kept" not in server.asked:
            await asyncio.sleep(0)
        pool._connections.clear()
        await pool._close_connections([first, second])
        server.may_answer.set()

        assert (await began).status == 200
        assert first.is_closed()
        assert pool.connections == [second]
    assert second.is_closed()


async def test_stream_given_up_at_any_turn_leaves_its_place(server: Server):
    async def read() -> None:
        async with http.stream("GET", server.url) as answer:
            await answer.aread()

    server.may_answer.set()
    async with open_client(1) as http:
        for turns in range(40):
            await give_up(asyncio.create_task(read()), turns)

            assert (await http.get(server.url)).status_code == 200


async def test_request_given_up_in_the_queue_is_never_sent(server: Server):
    async with open_client(2) as http:
        first = [asyncio.create_task(http.get(f"{server.url}/first")) for _ in range(2)]
        queued = [asyncio.create_task(http.get(f"{server.url}/queued")) for _ in range(6)]
        while len(server.asked) < 2:
            await asyncio.sleep(0.01)
        for request in queued:
            await give_up(request, 0)
        server.may_answer.set()
        await asyncio.gather(*first)

        answers = await asyncio.gather(*(http.get(f"{server.url}/later") for _ in range(6)))

    assert [answer.status_code for answer in answers] == [200] * 6
    assert sorted(server.asked) == ["/first"] * 2 + ["/later"] * 6


async def test_failed_request_leaves_no_garbage():
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("")

    async with http_requests.Client(transport=httpx.MockTransport(fail)) as http:
        request = http.build_request("POST", "http://a.example.com", content=b"much")
        sent = weakref.ref(request)
        gc.disable()
        with contextlib.suppress(httpx.ConnectError):
            await http.send(request)
        del request
        await asyncio.sleep(0)
        remains = sent() is not None
        gc.enable()

    assert not remains


async def test_given_up_answer_is_closed(server: Server):
    closed = asyncio.Event()

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b""

        async def aclose(self) -> None:
            closed.set()

    async def answer(_: httpx.Request) -> httpx.Response:
        await server.may_answer.wait()
        return httpx.Response(200, stream=Body())

    async with http_requests.Client(transport=httpx.MockTransport(answer)) as http:
        request = http.build_request("GET", server.url)
        await give_up(asyncio.create_task(http.send(request, stream=True)), 5)
        server.may_answer.set()

        await asyncio.wait_for(closed.wait(), 10)
