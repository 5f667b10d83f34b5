"""Runs one command, and takes its process group down once the parent is gone, however it went.

Started by `infra.local.children` as the leader of a session of its own. Imports nothing of ours.
"""

import os
import signal
import subprocess
import sys
import time

GRACE = 5.0
LOOK_EVERY = 0.1


def keep(parent: int, command: list[str]) -> int:
    """The command's exit code; never returns if the parent goes first."""
    for polite in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(polite, lambda *_: None)  # meant for the command, which is in our group
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while child.poll() is None:
        if os.getppid() != parent:
            _take_down(child)
        time.sleep(LOOK_EVERY)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _take_down(child: subprocess.Popen[bytes]) -> None:
    group = os.getpgrp()
    os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), sys.argv[2:]))
