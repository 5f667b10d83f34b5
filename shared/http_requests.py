"""HTTP requests that a caller may give up at any time, and that keep their connection.

httpcore keeps the place of a request for good that is cancelled while it waits for a connection, or
gives it back (httpcore 1.0.9, its issue 1093): after so many of them no call of the process gets
one. So a request is cancelled only while it waits for the server. Else it goes on to its next step
and ends there; one that had no connection yet sends nothing. The body of a stream is closed to the
end.

httpcore also closes connections under requests that just began to use them (its issue 1110).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeVar

import httpcore
import httpx

WAITING: Final = ("receive_response_headers.started", "receive_response_body.started")
STEPS: Final = ("connect_tcp.started", "send_request_headers.started", *WAITING)

T = TypeVar("T")

_ending = set[asyncio.Task[None]]()


class _GivenUp(Exception):
    """Its caller stopped waiting for this request."""


class Progress:
    """Follows a request: give it to httpx or httpcore as the extension `trace`."""

    def __init__(self) -> None:
        self.is_given_up = False
        self.is_waiting = False

    async def __call__(self, event: str, _: Any) -> None:
        """Note the next step. Raises to stop a request that was given up."""
        if self.is_given_up and event.endswith(STEPS):
            raise _GivenUp
        self.is_waiting = event.endswith(WAITING)


async def run(request: Callable[[Progress], Awaitable[T]]) -> T:
    """Make a request that has time-outs of its own; its caller may be cancelled at any time.

    A response that comes nevertheless is closed.
    """
    progress = Progress()
    task = asyncio.ensure_future(request(progress))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        progress.is_given_up = True
        if progress.is_waiting:
            task.cancel()
        ending = asyncio.create_task(_end(task))
        _ending.add(ending)
        ending.add_done_callback(_ending.discard)
        raise
    finally:
        del task  # its failure refers to this frame, and would keep the body until it is collected


async def _end(task: asyncio.Future[Any]) -> None:
    await asyncio.wait([task])
    if task.cancelled() or task.exception():
        return
    if isinstance(answer := task.result(), httpx.Response):
        await answer.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of a response whose reader may be cancelled while it is closed."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        await run(lambda _: self._stream.aclose())


class Pool(httpcore.AsyncConnectionPool):
    """A pool that closes no connection which a request uses by now, until it is closed itself.

    httpcore chooses which to close, and closes one after the other: meanwhile a request may begin
    on one that it was given before. So for a while there may be more than the pool's limit.
    """

    _is_closed = False

    async def aclose(self) -> None:
        """Close every connection."""
        self._is_closed = True
        await super().aclose()

    async def _close_connections(self, closing: list[httpcore.AsyncConnectionInterface]) -> None:
        for connection in closing:
            if self._is_closed or connection.is_idle():
                await super()._close_connections([connection])
            elif not connection.is_closed():
                self._connections.append(connection)


def _is_plain(pool: object) -> bool:
    return type(pool) is httpcore.AsyncConnectionPool


class Client(httpx.AsyncClient):
    """An HTTP client whose requests may be given up at any time, and keep their connection."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for transport in (self._transport, *self._mounts.values()):
            if isinstance(transport, httpx.AsyncHTTPTransport) and _is_plain(transport._pool):
                transport._pool.__class__ = Pool

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request, as httpx does."""

        def send(progress: Progress) -> Awaitable[httpx.Response]:
            request.extensions = {**request.extensions, "trace": progress}
            return super(Client, self).send(request, **options)

        response = await run(send)
        if not response.is_closed and isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Body(response.stream)
        return response
