"""P13: the log tells every fact, in the order of each conversation, while others write."""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from google.cloud import firestore

from shared.outbound import event_log
from tests.perene import Perene
from tests.proofs.log_writer import ACME, THROUGH, list_contacts
from tests.proofs.stage import times

WRITERS = 2
PAGES = (7, 40)
"""Events on a page, by turns: whoever falls behind tells what is old enough anyway."""
LATENESS = event_log.LATENESS
HELD = (0.02, LATENESS / 2)
"""Seconds, at least and at most, for which commits of one conversation wait for a lock."""

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

    async with delaying_commits(perene):
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
    assert len(late) < len(stored) / 2
    in_time = [event for event in received if event.data["id"] not in late]
    assert first_out_of_order(in_time, stored) is None


@contextlib.asynccontextmanager
async def delaying_commits(perene: Perene) -> AsyncIterator[None]:
    """Let commits wait for a lock, so that they become visible later than others that are younger.

    The time that they have in the log is that of their request.
    """
    chance, client = random.Random(13), perene.store.db.client
    homes = [
        client.document(f"tenants/acme/conversations/{THROUGH.conversation_id(contact)}")
        for writer in range(WRITERS)
        for contact in list_contacts(writer)
    ]

    async def hold() -> None:
        while True:
            transaction = client.transaction()
            await transaction._begin()
            await chance.choice(homes).get(transaction=transaction)
            await asyncio.sleep(chance.uniform(*HELD))
            await transaction._rollback()

    holding = asyncio.create_task(hold())
    yield
    holding.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await holding  # raises what it failed with: then nothing was delayed


async def read_until_quiet(writers: list[Any]) -> list[Any]:
    """Read page by page while the writers are at it, and until nothing comes any more."""
    told, position, quiet = list[Any](), "", 0
    for turn in range(20_000):
        page = await event_log.read_log(ACME, position, PAGES[turn % 2])
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
