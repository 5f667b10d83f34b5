"""The commit that a new message makes, without what we do to get there.

`python -m tests.benchmarks.commit IN_FLIGHT SECONDS` makes it with the client alone, and prints
how many a second, and the latency's median and 99th percentile in milliseconds.
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
PEOPLE = 200


class Commit:
    """Documents as our function stored them, written again under other ids."""

    def __init__(self, message: dict[str, Any], conversation: dict[str, Any]) -> None:
        self.client = firestore.AsyncClient()
        self.message = message
        self.conversation = conversation

    @classmethod
    def given(cls) -> "Commit":
        """The one that the benchmark found in the database."""
        return cls(**json.loads(os.environ[VARIABLE]))

    async def make(self, message: str, person: str) -> None:
        """The message is created, and its conversation knows it."""
        now = int(time.time() * 1000)
        kept = {**self.message, "id": message, "changed": firestore.Maximum(now)}
        summary = {
            **self.conversation,
            "unread": firestore.Increment(1),
            "last_at": firestore.Maximum(now),
        }
        home = self.client.document("tenants", "bare")
        batch = self.client.batch()
        batch.create(home.collection("messages").document(message), kept)
        batch.set(home.collection("conversations").document(person), summary, merge=True)
        await batch.commit()


async def main(in_flight: int, seconds: float) -> load.Figures:
    """The client alone."""
    commit = Commit.given()
    await commit.make(uuid.uuid4().hex, "warm")
    started = time.monotonic()

    async def one(person: int) -> list[float]:
        took = []
        while time.monotonic() - started < seconds:
            person, began = (person + 1) % PEOPLE, time.perf_counter()
            await commit.make(uuid.uuid4().hex, f"{os.getpid()}-{person}")
            took.append(time.perf_counter() - began)
        return took

    took = await asyncio.gather(*map(one, range(in_flight)))
    return load.figures([each for one in took for each in one], time.monotonic() - started)


if __name__ == "__main__":
    found = asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
    print(found.per_second, found.p50, found.p99)
