"""Make the commits of webhooks with the Firestore client alone.

`python -m tests.benchmarks.commit` reads the arrivals as one line of JSON, and then how to make
their commits, from the first one on: `due` (a time for each) or `deadline`, and `in_flight`. It
prints that it is ready, and then the latencies (s) and when it ended, by the monotonic clock.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore

from tests.benchmarks import load
from tests.benchmarks.arrivals import Arrival

VARIABLE = "COMMITS"
STAMP = "the time of the request, by Firestore"
"""Stand for a time that Firestore writes."""


class Documents(NamedTuple):
    """A message and its conversation, as our function stores them."""

    message: dict[str, Any]
    conversation: dict[str, Any]


class Commits:
    """Documents that our function stored, one pair of each shape, written again for others."""

    def __init__(self, documents: Mapping[str, Documents]) -> None:
        self.client = firestore.AsyncClient()
        self.documents = {shape: Documents(*map(_stamp, pair)) for shape, pair in documents.items()}

    @classmethod
    def from_environment(cls) -> "Commits":
        """Load the documents that the benchmark found in the database."""
        return cls(json.loads(os.environ[VARIABLE]))

    async def make(self, arrival: Arrival) -> None:
        """Make the commits of one webhook: for a repetition or a stub a second look, as ours."""
        tenant = self.client.document("tenants", arrival.tenant)
        message = tenant.collection("messages").document(f"{arrival.line}~{arrival.message}")
        if arrival.is_status:
            await self._advance(message, arrival)
            return
        home = tenant.collection("conversations").document(f"{arrival.line}~{arrival.contact}")
        fields = self._build_message(arrival, home.id)
        batch = self.client.batch()
        batch.create(message, fields)
        batch.set(home, self._build_summary(arrival), merge=True)
        try:
            await batch.commit()
        except exceptions.AlreadyExists:
            await self._complete(message, home, fields, arrival)

    async def _advance(self, message: Any, arrival: Arrival) -> None:
        """Advance a delivery blindly."""
        batch = self.client.batch()
        batch.set(message, {"progress": firestore.Maximum(arrival.delivery), **_mark()}, merge=True)
        await batch.commit()

    async def _complete(
        self, message: Any, home: Any, fields: dict[str, Any], arrival: Arrival
    ) -> None:
        """Put the message in the place of its stub, or leave it as it is."""
        snapshot = await message.get()
        while "kind" not in (stub := snapshot.to_dict() or {}):
            batch = self.client.batch()
            progress = max(stub["progress"], arrival.delivery)
            since = self.client.write_option(last_update_time=snapshot.update_time)
            batch.update(message, {**fields, "progress": progress}, option=since)
            batch.set(home, self._build_summary(arrival), merge=True)
            try:
                await batch.commit()
            except exceptions.FailedPrecondition:
                snapshot = await message.get()
            else:
                return

    def _build_message(self, arrival: Arrival, home: str) -> dict[str, Any]:
        fields = self.documents[arrival.shape].message
        said = {"id": arrival.message, "conversation": home, "line": arrival.line}
        return {**fields, **said, "tenant": arrival.tenant, "at": float(arrival.at), **_mark()}

    def _build_summary(self, arrival: Arrival) -> dict[str, Any]:
        fields = self.documents[arrival.shape].conversation
        tokens = fields.get("tokens")
        preview = {**fields["preview"], "message": arrival.message, "at": float(arrival.at)}
        return {
            **fields,
            "line": arrival.line,
            "tenant": arrival.tenant,
            "preview": preview,
            "last_at": firestore.Maximum(float(arrival.at)),
            **({"tokens": firestore.ArrayUnion(tokens)} if tokens else {}),
            **_count(arrival),
        }


def _mark() -> dict[str, Any]:
    changed = firestore.Maximum(int(time.time() * 1000))
    return {"changed": changed, "logged_at": firestore.SERVER_TIMESTAMP}


def _count(arrival: Arrival) -> dict[str, Any]:
    if arrival.delivery:
        return {"read_until": firestore.Maximum(arrival.at), "unsettled": firestore.Increment(0)}
    unread_at = {str(arrival.at): firestore.Increment(1)}
    return {"unread_at": unread_at, "unread": firestore.Increment(1)}


def _stamp(document: dict[str, Any]) -> dict[str, Any]:
    return {
        field: firestore.SERVER_TIMESTAMP if value == STAMP else value
        for field, value in document.items()
    }


async def main() -> None:
    """Measure as often as a line says how."""
    commits = Commits.from_environment()
    arrivals = [Arrival(*fields) for fields in json.loads(sys.stdin.readline())]
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        took = await _run(commits, iter(arrivals), **json.loads(line))
        print(json.dumps({"took": took, "ended": time.monotonic()}), flush=True)


async def _run(
    commits: Commits,
    arrivals: Iterator[Arrival],
    in_flight: int,
    due: list[float] | None = None,
    deadline: float = 0.0,
) -> list[float]:
    async def make_next() -> None:
        await commits.make(next(arrivals))

    lanes = list(repeat(make_next, in_flight))
    return await (
        load.keep_busy(lanes, deadline) if due is None else load.send_when_due(lanes, due)
    )


if __name__ == "__main__":
    asyncio.run(main())
