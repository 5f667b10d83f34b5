"""Answers that never come: cut connections and silence, in-process and over real sockets."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
from starlette.types import Receive, Scope, Send

from infra.local.simulator.background import Background

T = TypeVar("T")
PATIENCE = 600


class ConnectionCut(httpx.ReadError):
    """What an in-process client sees when the connection is cut."""


class NoAnswer(httpx.ReadTimeout):
    """What an in-process client sees when no answer came in time."""


class Cut(Exception):
    """The connection is to be cut."""


class Silence(Exception):
    """No answer is to be given, for that many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def cut(scope: Scope, send: Send) -> None:
    """The client sees its connection end without an answer."""
    if in_process(scope):
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
    """The client waits until it loses patience; in-process that is after the given seconds."""
    if in_process(scope):
        await asyncio.sleep(seconds)
        raise NoAnswer("the simulated server did not answer")
    try:
        async with asyncio.timeout(seconds or PATIENCE):
            await _gone(receive)
    except TimeoutError:
        await cut(scope, send)


def in_process(scope: Scope) -> bool:
    """No server in between: the client awaits the app itself."""
    return "spec_version" not in scope["asgi"]


async def whatever_happens(background: Background, work: Coroutine[Any, Any, T]) -> T:
    """The work is done to its end, even if whoever waits for it leaves."""
    task, waiting = background.spawn(work), asyncio.current_task()
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if waiting and waiting.cancelling():
            raise
        raise Cut from None


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
