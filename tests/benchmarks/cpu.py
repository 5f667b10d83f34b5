"""Read how much time processes have had on a processor, and the memory that they hold."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def read_cpu(pids: Iterable[int]) -> float:
    """Return the seconds that the processes have computed, in user and system mode."""
    return sum(map(_read_seconds, pids))


def list_commands(*words: str) -> list[int]:
    """List the processes in whose command line all of these stand."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if all(word.encode() in _read(pid, "cmdline") for word in words)]


def list_children(pid: int) -> list[int]:
    """List the processes that a process started."""
    return [int(child) for child in _read(pid, f"task/{pid}/children").split()]


def read_resident_mib(pid: int) -> int:
    """Return the memory that a process holds, in MiB."""
    fields = dict(line.split(b":", 1) for line in _read(pid, "status").splitlines())
    return int(fields.get(b"VmRSS", b"0").split()[0]) // 1024


def _read_seconds(pid: int) -> float:
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return sum(map(int, fields[11:13])) / _TICKS


def _read(pid: int, file: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:
        return b""
