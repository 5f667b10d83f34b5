"""One process that serves the functions, as a deployment would run several of.

Forked by the proofs from a server that has loaded all of it, so that a start costs no import. Its
clock is the real one plus the seconds in a file, it may lose patience sooner, and it may be killed
by itself at the n-th step of what it does to the world.
"""

import argparse
import itertools
import os
import signal
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn

from infra.local import gateway
from infra.local.children import IDLE_SECONDS
from shared import services
from shared.evolution import limits
from shared.store.base import Base

APP = gateway.build(Path(__file__).parent.parent.parent / "functions")
"""Loaded before the fork; what speaks to the database or a server is made after it."""


def serve(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Serve until told to stop, or until its step has come."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--clock", type=Path, required=True)
    options.add_argument("--patience", type=float, default=limits.CREATE)
    options.add_argument("--send-patience", type=float, default=limits.SEND)
    options.add_argument("--unhurried", action="store_true", help="a server may be as slow as we")
    options.add_argument("--die-at", type=int, default=0)
    given = options.parse_args(arguments)
    with log.open("ab", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    limits.CREATE = limits.CONNECT = limits.DELETE = given.patience
    limits.SEND = given.send_patience
    if given.unhurried:
        limits.SOCKET = limits.CONNECTION = limits.CONFIGURE = limits.CONNECT = limits.LONGEST_CALL
    steps = Steps(given.die_at)
    Base._written = steps.around(Base._written)  # type: ignore[method-assign]
    transport = Watched(steps)
    with services.using(clock=Clock(given.clock), transport=transport):
        uvicorn.run(
            APP,
            port=given.port,
            log_level="error",
            access_log=False,
            timeout_keep_alive=IDLE_SECONDS,
        )


class Clock:
    """The real time and as many seconds as the file says."""

    def __init__(self, ahead: Path) -> None:
        self.ahead = ahead

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.ahead.read_text() or 0))


class Steps:
    """Counts what is about to be done to the world, and what was just done."""

    def __init__(self, die_at: int) -> None:
        self.die_at = die_at
        self.count = itertools.count(1)

    def step(self) -> None:
        if next(self.count) == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call):
        async def watched(*arguments):
            self.step()
            done = await call(*arguments)
            self.step()
            return done

        return watched


class Watched(httpx.AsyncHTTPTransport):
    """Every call to a server is a step before it leaves and a step after its answer."""

    def __init__(self, steps: Steps) -> None:
        super().__init__(limits=httpx.Limits(max_connections=100))
        self.steps = steps

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.steps.step()
        answer = await super().handle_async_request(request)
        await answer.aread()
        self.steps.step()
        return answer
