"""Make the commit of a new message with the Firestore client alone.

`python -m tests.benchmarks.commit IN_FLIGHT SECONDS` prints the commits per second, and the
latency's median and 99th percentile in milliseconds.
"""

import asyncio
import json
import os
import sys
import time
import uuid
from typing import Any

from google.cloud import firestore

from tests.benchmarks import load

VARIABLE = "COMMIT"
STAMP = "the time of the request, by Firestore"
"""Stand for a time that Firestore writes."""
PEOPLE = 200


class Commit:
    """Documents as our function stored them, written again under other ids."""

    def __init__(self, message: dict[str, Any], conversation: dict[str, Any]) -> None:
        self.client = firestore.AsyncClient()
        self.message = _stamp(message)
        self.conversation = _stamp(conversation)

    @classmethod
    def from_environment(cls) -> "Commit":
        """Load the documents that the benchmark found in the database."""
        return cls(**json.loads(os.environ[VARIABLE]))

    async def make(self, message: str, person: str) -> None:
        """Create the message and update its conversation, in one commit."""
        now = int(time.time() * 1000)
        document = {**self.message, "id": message, "changed": firestore.Maximum(now)}
        summary = {
            **self.conversation,
            "unread": firestore.Increment(1),
            "last_at": firestore.Maximum(now),
        }
        home = self.client.document("tenants", "bare")
        batch = self.client.batch()
        batch.create(home.collection("messages").document(message), document)
        batch.set(home.collection("conversations").document(person), summary, merge=True)
        await batch.commit()


def _stamp(document: dict[str, Any]) -> dict[str, Any]:
    return {
        field: firestore.SERVER_TIMESTAMP if value == STAMP else value
        for field, value in document.items()
    }


async def main(in_flight: int, seconds: float) -> load.Figures:
    """Measure the client alone."""
    commit = Commit.from_environment()
    await commit.make(uuid.uuid4().hex, "warm")
    started = time.monotonic()

    async def repeat_commit(person: int) -> list[float]:
        latencies = []
        while time.monotonic() - started < seconds:
            person, began = (person + 1) % PEOPLE, time.perf_counter()
            await commit.make(uuid.uuid4().hex, f"{os.getpid()}-{person}")
            latencies.append(time.perf_counter() - began)
        return latencies

    took = await asyncio.gather(*map(repeat_commit, range(in_flight)))
    return load.summarize(
        [latency for latencies in took for latency in latencies], time.monotonic() - started
    )


if __name__ == "__main__":
    figures = asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
    print(figures.per_second, figures.p50, figures.p99)
