"""The processes of the local stack, each in a session of its own, ended with all it started."""

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
LOOK_EVERY = 0.05
IDLE_SECONDS = 75
"""How long our servers keep a connection that nobody uses: longer than their callers (Evolution
and httpx: 5 s), so that none is closed just as a request goes out on it."""
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StackError(Exception):
    """What stops the local stack, in one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Child:
    """One process of ours, the leader of its own session."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None = None

    @property
    def ended(self) -> bool:
        """The process is gone, whoever ended it."""
        return self.process.poll() is not None

    def tail(self, lines: int = 12) -> str:
        """The last lines it wrote; empty if it writes to the terminal."""
        if self.log is None or not self.log.exists():
            return ""
        written = self.log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in written if line.strip()][-lines:])

    def stop(self, grace: float = 5.0) -> None:
        """The process and everything in its group are gone when this returns."""
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
    """A child that dies with us, even if we are killed; writes to `log`, or to our own output."""
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


def wait_until(ready: Callable[[], bool], child: Child, seconds: float) -> bool:
    """True as soon as it is ready; False if the child ends first, or time runs out."""
    deadline = time.monotonic() + seconds
    while not child.ended and time.monotonic() < deadline:
        if ready():
            return not child.ended
        time.sleep(LOOK_EVERY)
    return False


def answers(url: str) -> bool:
    """Something there speaks HTTP, whatever it says."""
    try:
        with DIRECT.open(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, http.client.HTTPException):
        return False


def free_port() -> int:
    """Return a loopback port on which no process listens right now."""
    ports = random.SystemRandom().sample(SERVED_PORTS, 200)
    return next(port for port in ports if is_free(port))


def is_free(port: int) -> bool:
    """A server could listen on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _signal_group(leader: int, what: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, what)
