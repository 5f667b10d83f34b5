"""Serve the functions, or a simulated server, in one process of a deployment of several.

The proofs fork them from a server that has loaded everything, so that a start costs no import. A
caller's clock is the real one plus the seconds in a file. Options shorten its time-outs, and let it
kill itself at the n-th step of its work.
"""

import argparse
import importlib
import itertools
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn

from infra.local import gateway
from infra.local.children import IDLE_SECONDS
from infra.local.simulator import __main__ as simulator
from shared import services
from shared.evolution import limits
from shared.store import base
from shared.store.base import Database

for module in ("anyio._backends._asyncio", "httpcore", "uvicorn.protocols.http.h11_impl"):
    importlib.import_module(module)  # they are loaded late otherwise: after the fork, in each
APP = gateway.build(Path(__file__).parent.parent.parent / "functions")
"""The app, loaded before the fork; clients of the database and of servers are made after it."""


def serve(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Serve until stopped, or until the process kills itself at its step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--patience", type=float, default=limits.CREATE)
    parser.add_argument("--send-patience", type=float, default=limits.SEND)
    parser.add_argument("--unhurried", action="store_true", help="no single call is given up early")
    parser.add_argument("--die-at", type=int, default=0)
    options = parser.parse_args(arguments)
    _redirect_output(log)
    os.environ.clear()
    os.environ.update(environment)
    limits.CREATE = limits.CONNECT = limits.DELETE = options.patience
    limits.SEND = options.send_patience
    if options.unhurried:
        limits.SOCKET = limits.CONNECTION = limits.CONFIGURE = limits.CONNECT = limits.LONGEST_CALL
        retry = base._AGAIN.with_timeout(limits.LONGEST_CALL)
        base.LIMITS.update(timeout=limits.LONGEST_CALL, retry=retry)
    steps = Steps(options.die_at)
    Database.commit = steps.around(Database.commit)  # type: ignore[method-assign]
    transport = CountingTransport(steps)
    with services.using(clock=Clock(options.clock), transport=transport):
        uvicorn.run(
            APP,
            port=options.port,
            log_level="error",
            access_log=False,
            timeout_keep_alive=IDLE_SECONDS,
        )


def simulate(arguments: Sequence[str], log: Path) -> None:
    """Run a simulated server with these command-line arguments until stopped."""
    _redirect_output(log)
    sys.argv[1:] = arguments
    simulator.main()


def _redirect_output(log: Path) -> None:
    with log.open("ab", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)


class Clock:
    """A clock that adds the seconds in a file to the real time."""

    def __init__(self, ahead: Path) -> None:
        self.ahead = ahead

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.ahead.read_text() or 0))


class Steps:
    """A counter of steps, before and after each change; it kills the process at step `die_at`."""

    def __init__(self, die_at: int) -> None:
        self.die_at = die_at
        self.count = itertools.count(1)

    def step(self) -> None:
        if next(self.count) == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call):
        async def counted_call(*arguments):
            self.step()
            result = await call(*arguments)
            self.step()
            return result

        return counted_call


class CountingTransport(httpx.AsyncHTTPTransport):
    """A transport that counts a step before each request and a step after its answer."""

    def __init__(self, steps: Steps) -> None:
        # The simulated server has no certificate to verify: loading the authorities takes longer
        # than all else at a start.
        super().__init__(limits=httpx.Limits(max_connections=100), verify=False)
        self.steps = steps

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.steps.step()
        answer = await super().handle_async_request(request)
        await answer.aread()
        self.steps.step()
        return answer
