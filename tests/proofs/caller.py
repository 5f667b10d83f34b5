"""Serve the functions, or a simulated server, in one process of a deployment of several.

The proofs fork them from a server that has loaded everything, so that a start costs no import. A
caller's clock is the real one plus the seconds in a file. Options shorten its time-outs, let its
clock be a little wrong, and let it kill itself at the n-th step of its work.
"""

import argparse
import importlib
import itertools
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn

from infra.local import gateway
from infra.local.children import IDLE_SECONDS, LOOPBACK
from infra.local.simulator import __main__ as simulator
from shared import services
from shared.evolution import limits
from shared.store import base
from shared.store.base import Database

for module in ("anyio._backends._asyncio", "httpcore", "uvicorn.protocols.http.httptools_impl"):
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
    parser.add_argument("--skew", type=float, default=0, help="seconds that its clock is wrong by")
    parser.add_argument("--shared-port", type=int, help="one on which other callers listen as well")
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
    config = uvicorn.Config(
        APP, log_level="error", access_log=False, timeout_keep_alive=IDLE_SECONDS
    )
    ports = [options.port, *filter(None, [options.shared_port])]
    with services.using(clock=Clock(options.clock, options.skew), transport=transport):
        uvicorn.Server(config).run([_listen(port) for port in ports])


def simulate(arguments: Sequence[str], log: Path) -> None:
    """Run a simulated server with these command-line arguments until stopped."""
    _redirect_output(log)
    sys.argv[1:] = arguments
    simulator.main()


def _listen(port: int) -> socket.socket:
    """Listen on a port of this machine, beside other processes if they listen there too."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((LOOPBACK, port))
    return listener


def _redirect_output(log: Path) -> None:
    with log.open("ab", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)


class Clock:
    """A clock that adds the seconds in a file, and its own error, to the real time."""

    def __init__(self, ahead: Path, skew: float = 0) -> None:
        self.ahead, self.skew = ahead, skew

    def __call__(self) -> datetime:
        ahead = float(self.ahead.read_text() or 0) + self.skew
        return datetime.now(UTC) + timedelta(seconds=ahead)


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
    """A transport that counts a step before each request and a step when its answer begins."""

    def __init__(self, steps: Steps) -> None:
        # The simulated server has no certificate to verify: loading the authorities takes longer
        # than all else at a start.
        super().__init__(limits=httpx.Limits(max_connections=100), verify=False)
        self.steps = steps

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.steps.step()
        answer = await super().handle_async_request(request)
        self.steps.step()
        return answer
