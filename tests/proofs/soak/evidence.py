"""Gather what the simulated server, the endpoints, the bucket and the database know in the end."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from google.cloud.firestore_v1.base_query import FieldFilter

from shared.outbound.event_log import LATENESS
from tests.perene import name_of
from tests.proofs.soak.load import Asked, Load, Written
from tests.proofs.soak.neighbours import Told
from tests.proofs.stage import KEY, Stage

STATUSES = {"PENDING": 1, "SERVER_ACK": 2, "DELIVERY_ACK": 3, "READ": 4, "PLAYED": 5}
"""Ranks of what a server says of a message, as they are stored."""


class Posted(NamedTuple):
    """What a server posted of a message and had acknowledged: itself, or how far it got."""

    message: str
    status: int


class Outcome(NamedTuple):
    """What a caller was told in the end of what it asked, and why."""

    state: str
    why: str | None = None


class Delivered(NamedTuple):
    """A message that a contact received, by which instance and from which number."""

    instance: str
    number: str
    id: str
    text: str


class Instance(NamedTuple):
    """An instance on its server, or as its record tells."""

    name: str
    id: str
    state: str
    number: str | None


class Slots(NamedTuple):
    """The instances that hold a server's slots, and how many there may be."""

    holders: Sequence[str]
    limit: int


@dataclass(frozen=True)
class Evidence:
    """All that is compared in the end. Messages are named by their WhatsApp ids, sends by keys."""

    numbers: Mapping[str, str]
    """The number of each tenant whose line stayed."""
    written: Mapping[str, Written]
    asked: Mapping[str, Asked]
    outcomes: Mapping[str, Outcome]
    kept: Mapping[str, Mapping[str, int]]
    """By tenant the messages that its server keeps, in their order, and how far each got."""
    posted: frozenset[Posted]
    delivered: Sequence[Delivered]
    stored: Mapping[str, Sequence[Mapping[str, Any]]]
    """The documents of each tenant's messages."""
    conversations: Mapping[str, Mapping[str, Mapping[str, Any]]]
    threads: Mapping[str, Sequence[str]]
    """By conversation the newest messages as the API shows them, the newest first."""
    told: Mapping[str, Sequence[Told]]
    late: frozenset[str]
    """Messages that became visible long after the time that they have in the log."""
    forged: int
    files: Mapping[str, bytes]
    """The objects in the bucket."""
    opened: Mapping[str, str]
    """By message the SHA-256 of the file that the API answered, or the status of its refusal."""
    before: Sequence[Instance]
    """The instances of the lines that stayed, as they were in the beginning."""
    instances: Sequence[Instance]
    records: Mapping[str, Mapping[str, Any]]
    owners: Mapping[str, str]
    """The instance that owns each number."""
    creates_at_once: int
    slots: Slots
    broken_rules: Mapping[str, int]
    """What the last sweep found broken that sweeps don't mend, as often as that was."""
    dead_letters: int
    answers: Mapping[int, int]
    odd_answers: Sequence[str]
    log_lines: int
    leaks: Sequence[str]


async def list_upstream(stage: Stage) -> list[Instance]:
    """List the instances on the simulated server."""
    url = f"http://127.0.0.1:{stage.evolution_port}/instance/fetchInstances"
    found = (await stage.http.get(url, headers={"apikey": KEY})).json()
    return [
        Instance(
            instance["name"],
            instance["id"],
            instance["connectionStatus"],
            (instance["ownerJid"] or "").partition("@")[0] or None,
        )
        for instance in found
    ]


async def read_kept(stage: Stage, tenant: str) -> dict[str, int]:
    """Read which messages a line's server keeps, the oldest first, and how far each got."""
    url = f"http://127.0.0.1:{stage.evolution_port}/chat/findMessages/{name_of(tenant)}"
    answer = await stage.http.post(url, json={"offset": 1_000_000}, headers={"apikey": KEY})
    records = answer.json()["messages"]["records"]
    return {
        record["key"]["id"]: max(
            (STATUSES.get(update["status"], 0) for update in record["MessageUpdate"]), default=0
        )
        for record in reversed(records)
    }


async def read_posted(stage: Stage) -> set[Posted]:
    """Read what the simulated server posted since its start, and had acknowledged."""
    posts = await stage.call_simulator("GET", "/posted")
    return {
        Posted(post["id"], STATUSES.get(post["status"], 0) if is_update else 0)
        for post in posts
        if post["outcome"] == "delivered"
        and ((is_update := post["event"] == "messages.update") or post["event"] in _WHOLE)
    }


_WHOLE = ("messages.upsert", "send.message")


async def read_threads(load: Load) -> dict[str, list[str]]:
    """Read the newest page of every conversation by the API."""
    threads = dict[str, list[str]]()
    for tenant, homes in load.conversations.items():
        for home in homes:
            answer = await load.read(f"/conversations/{home}/messages?limit=50", tenant)
            threads[home] = [message["id"] for message in answer.json()["messages"]]
    return threads


def list_late(stage: Stage, tenants: Sequence[str], since: Any) -> set[str]:
    """List the messages stored since that became visible later than the log waits for them.

    Only these may be told after later ones of their conversation (decision 0029). A restarted
    database doesn't know when they became visible. The emulator dates a commit when it comes, not
    when it is made: a message that changed before it was stored, by that, is told too early.
    """
    late = set[str]()
    for tenant in tenants:
        messages = stage.database.collection(f"tenants/{tenant}/messages")
        recent = FieldFilter("stored_at", ">=", since)
        for message in messages.where(filter=recent).stream():
            seconds = (message.create_time - message.get("stored_at")).total_seconds()
            is_dated_back = message.get("logged_at") < message.get("stored_at")
            if seconds > LATENESS or is_dated_back:
                late.add(message.get("id"))
    return late


def scan_logs(logs: Sequence[Path], secrets: Sequence[str]) -> tuple[int, list[str]]:
    """Count the lines of logs; name those that say a secret, or aren't JSON, by file and number."""
    count, leaks = 0, list[str]()
    for path in logs:
        lines = path.read_text(errors="replace").splitlines()
        count += len(lines)
        for number, line in enumerate(lines, 1):
            is_cut = number == len(lines)  # its writer may have been killed
            if any(secret in line for secret in secrets):
                leaks.append(f"{path.name}:{number} says what is secret")
            elif not (_is_json(line) or is_cut):
                leaks.append(f"{path.name}:{number} is no JSON")
    return count, leaks


def _is_json(line: str) -> bool:
    try:
        return "severity" in json.loads(line)
    except ValueError:
        return False


def count_states(outcomes: Mapping[str, Outcome]) -> Counter[str]:
    """Count the outcomes by their state."""
    return Counter(outcome.state for outcome in outcomes.values())
