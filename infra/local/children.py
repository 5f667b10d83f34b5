"""Start and stop the processes of the local stack, each in a session of its own."""

import contextlib
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEEPER = Path(__file__).with_name("keeper.py")
LOOPBACK = "127.0.0.1"
SERVED_PORTS = range(20_000, 30_000)
"""Ports that systems give to no outgoing connection (Linux: from 32,768 on). One of those
may be taken between the moment in which it was free and that in which a server listens."""
POLL_SECONDS = 0.05
IDLE_SECONDS = 75
"""Seconds for which our servers keep an idle connection: longer than their callers do (Evolution
and httpx: 5 s), so that no connection is closed just as a request goes out on it."""
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StackError(Exception):
    """A failure that stops the local stack; its message is one sentence for the terminal."""


@dataclass(frozen=True)
class Child:
    """A process of the local stack, the leader of its own session."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None = None

    @property
    def has_ended(self) -> bool:
        """Tell whether the process has ended, for whatever reason."""
        return self.process.poll() is not None

    def tail(self, lines: int = 12) -> str:
        """Return the last lines of the log, or "" if the process writes to the terminal."""
        if self.log is None or not self.log.exists():
            return ""
        text = self.log.read_text(errors="replace")
        return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])

    def stop(self, grace: float = 5.0) -> None:
        """End the process and its group, by force after `grace` seconds, and wait for the end."""
        _signal_group(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        _signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start(
    name: str,
    command: Sequence[str],
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Child:
    """Start a child that ends when we do, even if we are killed.

    It writes to `log`, or without one to our own output.
    """
    keeper = [sys.executable, "-I", "-S", str(KEEPER), str(os.getpid())]
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else None
        process = subprocess.Popen(
            [*keeper, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            env=env,
            start_new_session=True,
        )
    return Child(name, process, log)


def wait_until(is_ready: Callable[[], bool], child: Child, seconds: float) -> bool:
    """Wait for `is_ready`; return False if the child ends first or the seconds run out."""
    deadline = time.monotonic() + seconds
    while not child.has_ended and time.monotonic() < deadline:
        if is_ready():
            return not child.has_ended
        time.sleep(POLL_SECONDS)
    return False


def is_answering(url: str) -> bool:
    """Tell whether the URL answers over HTTP, with any status."""
    try:
        with DIRECT.open(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, http.client.HTTPException):
        return False


def find_free_port() -> int:
    """Return a loopback port on which no process listens right now."""
    ports = random.SystemRandom().sample(SERVED_PORTS, 200)
    return next(port for port in ports if is_free(port))


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
