"""Cut connections or keep silent instead of answering, in-process and over real sockets."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
from starlette.types import Receive, Scope, Send

from infra.local.simulator.background import Background

T = TypeVar("T")
LONGEST_SILENCE = 600


class ConnectionCut(httpx.ReadError):
    """The error of an in-process client when the connection is cut."""


class NoAnswer(httpx.ReadTimeout):
    """The error of an in-process client when no answer came in time."""


class Cut(Exception):
    """An order to cut the connection."""


class Silence(Exception):
    """An order to keep silent for that many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def cut(scope: Scope, send: Send) -> None:
    """End the client's connection without an answer."""
    if is_in_process(scope):
        raise ConnectionCut("the simulated server cut the connection")
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if isinstance(transport, asyncio.Transport):
        transport.abort()
        await asyncio.sleep(0.02)
        return
    await send({"type": "http.response.start", "status": 500, "headers": [
        (b"content-length", b"1"),
    ]})  # fmt: skip


async def keep_silent(scope: Scope, receive: Receive, send: Send, seconds: float) -> None:
    """Let the client wait until its time-out; an in-process client waits `seconds`."""
    if is_in_process(scope):
        await asyncio.sleep(seconds)
        raise NoAnswer("the simulated server did not answer")
    try:
        async with asyncio.timeout(seconds or LONGEST_SILENCE):
            await _wait_for_disconnect(receive)
    except TimeoutError:
        await cut(scope, send)


def is_in_process(scope: Scope) -> bool:
    """Tell whether the client awaits the app itself, without a server in between."""
    return "spec_version" not in scope["asgi"]


async def run_to_end(background: Background, work: Coroutine[Any, Any, T]) -> T:
    """Run the work to its end, even if the client disconnects meanwhile."""
    task, waiting = background.spawn(work), asyncio.current_task()
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if waiting and waiting.cancelling():
            raise
        raise Cut from None


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
