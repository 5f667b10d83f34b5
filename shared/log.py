"""Write one JSON line per event, in Cloud Logging's shape; ids only, never a person's words."""

import json
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NewType

Trace = NewType("Trace", str)

_ENCODER = json.JSONEncoder(default=str)
_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


def info(event: str, **fields: Any) -> None:
    """Log that something went as it should. `event` is dotted and in the past tense."""
    _write("INFO", event, fields)


def notice(event: str, **fields: Any) -> None:
    """Log what a caller or a neighbour did wrong, or what calls for no action of ours."""
    _write("NOTICE", event, fields)


def error(event: str, error: BaseException, **fields: Any) -> None:
    """Log a failure on our side, with its stack and the types of the errors.

    The errors' own texts stay out: they may quote what a person wrote.
    """
    _write("ERROR", event, {**fields, "error": type(error).__name__, "stack": _stack(error)})


def alert(event: str, *, critical: bool, **fields: Any) -> None:
    """Log what an operator has to look at, at once if critical; log-based alerts use `alert`."""
    _write("CRITICAL" if critical else "WARNING", event, {**fields, "alert": True})


def set_trace(trace: Trace | None) -> None:
    """Put this request's trace (`projects/P/traces/T`) on every line from here on."""
    _trace.set(trace)


def find_trace(headers: Mapping[str, str], project: str | None) -> Trace | None:
    """Return the trace that a request belongs to, if its headers have one that can be linked."""
    header = headers.get("x-cloud-trace-context", "")
    trace = header.partition("/")[0] or _traceparent(headers.get("traceparent", ""))
    return Trace(f"projects/{project}/traces/{trace}") if project and trace.isalnum() else None


def _traceparent(header: str) -> str:
    parts = header.split("-")
    return parts[1] if len(parts) == 4 else ""


def _write(severity: str, event: str, fields: dict[str, Any]) -> None:
    line = {**fields, "severity": severity, "message": event}
    if trace := _trace.get():
        line["logging.googleapis.com/trace"] = trace
    sys.stdout.write(_ENCODER.encode(line) + "\n")
    sys.stdout.flush()


def _stack(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [*lines, *([f"caused by {type(cause).__name__}", *_stack(cause)] if cause else [])]
