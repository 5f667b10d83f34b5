"""Run one command, and end its process group once the parent is gone, for whatever reason.

`infra.local.children` starts this file as the leader of a session of its own. It imports nothing of
Perene, because it runs without site-packages and without the repository on its path.
"""

import os
import signal
import subprocess
import sys
import time

GRACE = 5.0
POLL_SECONDS = 0.1


def keep(parent: int, command: list[str]) -> int:
    """Run the command and return its exit code; never return if the parent ends first."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # meant for the command, which is in our group
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while child.poll() is None:
        if os.getppid() != parent:
            _end_group(child)
        time.sleep(POLL_SECONDS)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _end_group(child: subprocess.Popen[bytes]) -> None:
    group = os.getpgrp()
    os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), sys.argv[2:]))
