"""One JSON line per fact; never a person's words."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from shared import log
from tests.cases import in_each
from tests.conventions.conftest import Logged

SAID = "call me on 5511999990001"


def broken() -> Exception:
    """An error with a person's words in it, and in its causes."""
    try:
        try:
            raise ValueError(SAID)
        except ValueError as cause:
            cause.add_note(SAID)
            raise KeyError(SAID) from cause
    except KeyError as error:
        return error


@in_each(
    ("verb", "severity"),
    [(log.info, "INFO"), (log.notice, "NOTICE")],
    ids=["INFO", "NOTICE"],
)
def test_fact_is_one_line_of_json(logged: Logged, verb, severity: str):
    verb("line.opened", instance="instance_acme", ms=3)

    fact = {"severity": severity, "message": "line.opened", "instance": "instance_acme", "ms": 3}
    assert logged() == [fact]


def test_error_shows_type_and_stack(logged: Logged):
    log.error("request.broke", broken(), function="instances")

    (line,) = logged()
    assert (line["severity"], line["error"]) == ("ERROR", "KeyError")
    assert line["function"] == "instances"
    assert "broken" in line["stack"][0]
    assert "caused by ValueError" in line["stack"]


def test_error_text_is_never_logged(logged: Logged, capsys: pytest.CaptureFixture[str]):
    log.error("request.broke", broken())

    assert "5511999990001" not in capsys.readouterr().out


def test_implicit_cause_is_named(logged: Logged):
    try:
        try:
            raise ValueError(SAID)
        except ValueError:
            raise KeyError(SAID)  # noqa: B904 - that is the case
    except KeyError as error:
        log.error("request.broke", error)

    (line,) = logged()
    assert "caused by ValueError" in line["stack"]


def test_error_that_hides_another_stands_alone(logged: Logged):
    try:
        try:
            raise ValueError(SAID)
        except ValueError:
            raise KeyError(SAID) from None
    except KeyError as error:
        log.error("request.broke", error)

    (line,) = logged()
    assert "caused by ValueError" not in line["stack"]


@in_each(
    ("value", "written"),
    [
        pytest.param("two\nlines", "two\nlines", id="two lines"),
        pytest.param("ção 💥", "ção 💥", id="accents and emoji"),
        pytest.param("\u2028", "\u2028", id="an exotic line break"),
        pytest.param("\ud83d", "\ud83d", id="half a character"),
        pytest.param(datetime(2026, 3, 2, tzinfo=UTC), "2026-03-02 00:00:00+00:00", id="a time"),
        pytest.param(ValueError, "<class 'ValueError'>", id="anything else"),
    ],
)
def test_any_value_is_one_line(capsys: pytest.CaptureFixture[str], value, written: str):
    log.info("line.opened", what=value)

    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out)["what"] == written


def test_fact_never_hides_event_or_severity(logged: Logged):
    log.info("message.stored", message="ABCD", severity="low")

    (line,) = logged()
    assert "message.stored" in line.values()
    assert line["severity"] == "INFO"


def test_line_belongs_to_its_trace(logged: Logged):
    log.set_trace(log.Trace("projects/p/traces/t"))

    log.info("line.opened")

    (line,) = logged()
    assert line["logging.googleapis.com/trace"] == "projects/p/traces/t"


async def test_each_request_follows_its_own_trace(logged: Logged):
    async def request(trace: str) -> None:
        log.set_trace(log.Trace(trace))
        await asyncio.sleep(0)
        log.info("line.opened", own=trace)

    await asyncio.gather(*(asyncio.create_task(request(name)) for name in "abc"))

    lines = logged()
    assert len(lines) == 3
    assert all(line["logging.googleapis.com/trace"] == line["own"] for line in lines)
