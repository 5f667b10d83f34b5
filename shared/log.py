"""One JSON line per fact, in Cloud Logging's shape; ids only, never a person's words."""

import json
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NewType

Trace = NewType("Trace", str)

_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


def happened(event: str, **facts: Any) -> None:
    """Something went as it should. `event` is dotted and in the past tense."""
    _write("INFO", event, facts)


def refused(event: str, **facts: Any) -> None:
    """A caller asked for what it can't have: its business, not ours."""
    _write("NOTICE", event, facts)


def broke(event: str, error: BaseException, **facts: Any) -> None:
    """Something failed on our side; the line carries the stack, and the types of the errors.

    The errors' own texts stay out: they may quote what a person wrote.
    """
    _write("ERROR", event, {**facts, "error": type(error).__name__, "stack": _stack(error)})


def alerted(event: str, *, critical: bool, **facts: Any) -> None:
    """Somebody has to look, at once if it is critical; log-based alerts filter by `alert`."""
    _write("CRITICAL" if critical else "WARNING", event, {**facts, "alert": True})


def follow(trace: Trace | None) -> None:
    """Lines of this request carry its trace (`projects/P/traces/T`) from here on."""
    _trace.set(trace)


def trace_in(headers: Mapping[str, str], project: str | None) -> Trace | None:
    """The trace that a request belongs to, if its headers tell one that can be linked."""
    header = headers.get("x-cloud-trace-context", "")
    trace = header.partition("/")[0] or _traceparent(headers.get("traceparent", ""))
    return Trace(f"projects/{project}/traces/{trace}") if project and trace.isalnum() else None


def _traceparent(header: str) -> str:
    parts = header.split("-")
    return parts[1] if len(parts) == 4 else ""


def _write(severity: str, event: str, facts: dict[str, Any]) -> None:
    line = {**facts, "severity": severity, "message": event}
    if trace := _trace.get():
        line["logging.googleapis.com/trace"] = trace
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()


def _stack(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    here = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [*here, *([f"caused by {type(cause).__name__}", *_stack(cause)] if cause else [])]
