"""Find processes by a mark in their environment, or by their session."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

MARK = "STACK_TEST_MARK"


def wait_until(is_true: Callable[[], object], seconds: float = 60) -> bool:
    """Wait until the condition is true; return False if the seconds run out first."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_true():
            return True
        time.sleep(0.02)
    return False


def list_marked(mark: str, command: str = "") -> list[int]:
    """List the processes that inherited the mark, whatever their parent is now."""
    variable = f"{MARK}={mark}".encode()
    pids = (pid for pid in _list_pids() if variable in _read(pid, "environ").split(b"\0"))
    return [pid for pid in pids if command.encode() in _read(pid, "cmdline")]


def list_session(leader: int) -> list[int]:
    """List the living processes of a session."""
    return [pid for pid in _list_pids() if _session_of(pid) == leader]


def _session_of(pid: int) -> int | None:
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[3]) if fields and fields[0] != b"Z" else None


def _list_pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _read(pid: int, file: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:
        return b""
