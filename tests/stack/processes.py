"""What the tests see of processes: who carries a mark, who belongs to a session."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

MARK = "STACK_TEST_MARK"


def eventually(true: Callable[[], object], seconds: float = 15) -> bool:
    """It becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def marked(mark: str, command: str = "") -> list[int]:
    """The processes that inherited the mark, whoever their parent is now."""
    wanted = f"{MARK}={mark}".encode()
    ours = (pid for pid in _pids() if wanted in _read(pid, "environ").split(b"\0"))
    return [pid for pid in ours if command.encode() in _read(pid, "cmdline")]


def in_session(leader: int) -> list[int]:
    """The living processes of a session."""
    return [pid for pid in _pids() if _session(pid) == leader]


def _session(pid: int) -> int | None:
    after_name = _read(pid, "stat").rpartition(b")")[2].split()
    return int(after_name[3]) if after_name and after_name[0] != b"Z" else None


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""
