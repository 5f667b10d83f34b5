"""P13: the log tells every fact, in the order of each conversation, while others write."""

import asyncio
import sys
from datetime import timedelta
from typing import Any

from google.cloud import firestore

from shared.outbound import event_log
from tests.perene import Perene
from tests.proofs.log_writer import ACME
from tests.proofs.stage import times

WRITERS, PAGE = 2, 7
LATENESS = event_log.LATENESS
QUIET = 3
"""Readings in a row without an event after the writers have ended, after which all was told."""


async def test_log_is_whole_while_processes_write(perene: Perene, mocker: Any):
    mocker.patch.object(event_log, "LATENESS", LATENESS)
    count = times(60, 600)
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.proofs.log_writer", perene.project, str(n), str(count)
        )
        for n in range(WRITERS)
    ]

    told = await read_until_quiet(writers)

    assert [writer.returncode for writer in writers] == [0] * WRITERS
    messages = firestore.Client(project=perene.project).collection("tenants/acme/messages")
    stored = {message.id[8:]: message for message in messages.stream()}
    assert len(stored) == WRITERS * count
    received = [event for event in told if event.type == "message.received"]
    assert {event.data["id"] for event in received} == stored.keys()
    assert len({event.id for event in told}) == len(told)
    assert state_told(told) == {
        name: "progress" in message.to_dict() for name, message in stored.items()
    }
    late = {name for name, message in stored.items() if is_late(message)}
    assert len(late) < len(stored) / 10
    in_time = [event for event in received if event.data["id"] not in late]
    assert first_out_of_order(in_time, stored) is None


async def read_until_quiet(writers: list[Any]) -> list[Any]:
    """Read page by page while the writers are at it, and until nothing comes any more."""
    told, position, quiet = list[Any](), "", 0
    for _ in range(20_000):
        page = await event_log.read_log(ACME, position, PAGE)
        told, position = told + page.events, page.position
        ended = all(writer.returncode is not None for writer in writers)
        is_over = page.is_last and not page.is_waiting and not page.has_young
        quiet = quiet + 1 if ended and is_over and not page.events else 0
        if quiet == QUIET:
            return told
        if page.is_last:
            await asyncio.sleep(0.02)
    raise AssertionError("reading never ends")


def state_told(told: list[Any]) -> dict[str, bool]:
    """Return for each message whether the last that was told of it says that it was changed."""
    changed = {event.data["id"]: False for event in told}
    return changed | {event.data["id"]: True for event in told if event.type == "message.updated"}


def is_late(message: Any) -> bool:
    """Tell whether a message became visible later than the log waits for it (decision 0029)."""
    lateness: timedelta = message.create_time - message.get("stored_at")
    return lateness > timedelta(seconds=LATENESS)


def first_out_of_order(received: list[Any], stored: dict[str, Any]) -> str | None:
    """Return the first message that was told after a later one of its conversation."""
    last: dict[str, Any] = {}
    for event in received:
        at = stored[event.data["id"]].get("stored_at")
        if at < last.get(event.conversation, at):
            return str(event.data["id"])
        last[event.conversation] = at
    return None
