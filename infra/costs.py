"""Print what Perene costs, from operations that tests count: `python -m infra.costs`.

Prices are in US dollars, copied from Google Cloud's public list: check them before you budget.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

from shared.domain.endpoints import IDLE_MINUTES

MONTH = 30
MILLION = 1_000_000


class Operations(NamedTuple):
    """Numbers of operations that Firestore bills."""

    reads: float = 0
    writes: float = 0
    deletes: float = 0

    def multiply(self, factor: float) -> "Operations":
        return Operations(*(count * factor for count in self))

    def add(self, other: "Operations") -> "Operations":
        return Operations(*(own + more for own, more in zip(self, other, strict=True)))


class Prices(NamedTuple):
    """Prices of 100,000 reads, writes and deletes, and of a GiB stored for a month."""

    reads: float
    writes: float
    deletes: float
    storage: float

    def price(self, operations: Operations) -> float:
        pairs = zip(self[:3], operations, strict=True)
        return sum(price * count / 100_000 for price, count in pairs)


REGIONAL = Prices(0.03, 0.09, 0.01, 0.15)
MULTI_REGION = Prices(0.06, 0.18, 0.02, 0.18)

RECEIVED = Operations(writes=2)
DELIVERY = Operations(writes=1)
SENT = Operations(reads=3, writes=5, deletes=1)
"""The delete is the send's record expiring (TTL). The first send of a line costs more."""
ECHO = Operations(reads=1)
"""The webhook in which a server reports our own send, which is stored already."""
SAID = SENT.add(ECHO).add(DELIVERY.multiply(2))
"""A message that is sent, comes back as an echo, is delivered and read."""
TOLD = Operations(reads=1)
"""An event that is read from the log; most are of documents that changed once."""
DELIVERED = Operations(reads=2, writes=1)
"""An event that is told to one endpoint at once: its record, the event, the cursor."""
DELIVERY_SECONDS = 0.25
"""How long that takes: mostly waiting, so that events are told in order (decision 0029)."""
TICK = Operations(reads=1)
"""Operations for each active endpoint, every minute; as many when there is none."""
LOOK = Operations(reads=4)
"""Operations for an idle endpoint, now and then: there is nothing new of any kind."""
OPENED = Operations(reads=2)
LOOKED = Operations(reads=4)
"""Operations for the news of an inbox with an open thread, when there are none."""
LOOKS_A_MINUTE = 20
WAITED = Operations(reads=8)
"""Operations for a request that waits for such news, when none come."""
HOURS_A_DAY, WORKING_DAYS = 8, 22
OPEN_MINUTES = 60 * HOURS_A_DAY * WORKING_DAYS
NIGHT = Operations(reads=8, writes=1)
"""Operations for one line, by one sweep of orphans."""
CENSUS = Operations(reads=1)
"""Operations for one line, by one sweep of capacity."""

NAIVE_RECEIVED = Operations(reads=2, writes=2)
"""A new message as one would otherwise write it: a query for its id (one that finds nothing costs a
read), the conversation as it is, the message, the conversation. `tests/benchmarks/naive.py` does it
so, as all that is naive here but for what a schedule or a frontend repeats."""
NAIVE_DELIVERY = Operations(reads=1, writes=1)
"""A status: the message by its id, a query, and its update."""
NAIVE_SENT = Operations(reads=3, writes=2)
"""The conversation, and what a new message costs. No key, no pace, no outcome is stored."""
NAIVE_ECHO = Operations(reads=1)
"""A repetition of a message: the query by its id finds it."""
NAIVE_SAID = NAIVE_SENT.add(NAIVE_ECHO).add(NAIVE_DELIVERY.multiply(2))
NAIVE_CHECK, NAIVE_CHECKS_AN_HOUR = Operations(reads=1, writes=1), 12
"""A schedule asks every five minutes how connected each line is: its record, and its new state."""
NAIVE_RELOAD, NAIVE_RELOADS_A_MINUTE = Operations(reads=20 + 20), 12
"""A frontend loads 20 conversations and 20 messages of the open one anew every five seconds."""

CENSUSES_A_DAY = 96
MINUTES = 24 * 60 * MONTH
KIB_A_MESSAGE = 2
"""A guess for a text and its sender, with indexes."""

COPIED = Operations(reads=5, writes=5)
"""Operations for a file that is kept, by `store_media`."""
MEDIA_TICK = Operations(reads=2)
"""Operations every minute, with a bucket: no file is due, and no removal waits for files."""
COPY_SECONDS = 1.5
"""A guess: its server first fetches the file from WhatsApp, and deciphers it."""
COPY_OBJECT_WRITES = 2
"""Operations of class A in the bucket: the upload, and the copy to the name that its bytes give."""

CLASS_A, CLASS_B, GIB_IN_BUCKET = 5.0, 0.4, 0.020
"""Prices of a million operations of each class in a bucket, and of a GiB there for a month."""
KIB_A_FILE = 200
"""A guess for a picture or a voice message."""

CPU_SECOND, GIB_SECOND, MILLION_REQUESTS = 0.000024, 0.0000025, 0.40
SHORTEST = 0.1
"""Seconds. The least that is billed for a request, when no other runs beside it."""

WAITS_A_MINUTE, WAIT = 15, 2.0
"""Seconds: the console asks 2 s after each answer, and each answer waits as long for news."""

BUCKET = {
    "1 million files put into the bucket": COPY_OBJECT_WRITES * CLASS_A,
    "1 million files opened from the bucket, or parts of them": CLASS_B,
    f"1 million files in the bucket, a month ({KIB_A_FILE} KiB each)": (
        GIB_IN_BUCKET * KIB_A_FILE * MILLION / 1024 / 1024
    ),
}

FIXED = {
    "Load balancer: one forwarding rule": 0.025 * 24 * MONTH,
    "Scheduler: four jobs (three are free)": 0.10,
    "Secret Manager: four versions": 4 * 0.06,
}


class CostRow(NamedTuple):
    """A row of the table: a use of Perene and what it takes. `memory` is in GiB."""

    title: str
    operations: Operations
    requests: float = 0
    memory: float = 1.0
    seconds: float = SHORTEST

    @property
    def compute(self) -> float:
        """Return the highest price: each request alone on an instance of one CPU."""
        seconds = self.requests * self.seconds
        running = seconds * (CPU_SECOND + GIB_SECOND * self.memory)
        return running + self.requests / MILLION * MILLION_REQUESTS


ROWS = (
    CostRow("1 million messages received", RECEIVED.multiply(MILLION), MILLION),
    CostRow(
        "1 million messages sent, delivered and read",
        SAID.multiply(MILLION),
        4 * MILLION,
    ),
    CostRow(
        "1 million files kept",
        COPIED.multiply(MILLION),
        MILLION,
        0.5,
        COPY_SECONDS,
    ),
    CostRow("1 million events read, 30 at once", TOLD.multiply(MILLION), MILLION / 30, 0.5),
    CostRow(
        "1 million events told to an endpoint, each at once",
        DELIVERED.multiply(MILLION),
        MILLION,
        0.5,
        DELIVERY_SECONDS,
    ),
    CostRow(
        "An endpoint for a month, told nothing",
        TICK.multiply(MINUTES).add(LOOK.multiply(MINUTES / IDLE_MINUTES)),
    ),
    CostRow(
        "The tick of deliveries for a month, no endpoints", TICK.multiply(MINUTES), MINUTES, 0.5
    ),
    CostRow(
        "The tick of media for a month, nothing due", MEDIA_TICK.multiply(MINUTES), MINUTES, 0.5
    ),
    CostRow("1 million times a line is opened", OPENED.multiply(MILLION), MILLION, 0.5),
    CostRow(
        "An inbox open for 8 hours on 22 days, left alone",
        LOOKED.multiply(LOOKS_A_MINUTE * OPEN_MINUTES),
        LOOKS_A_MINUTE * OPEN_MINUTES,
    ),
    CostRow(
        "An inbox in use for 8 hours on 22 days",
        WAITED.multiply(WAITS_A_MINUTE * OPEN_MINUTES),
        WAITS_A_MINUTE * OPEN_MINUTES,
        seconds=WAIT + SHORTEST,
    ),
    CostRow(
        "1,000 lines for a month, saying nothing",
        NIGHT.add(CENSUS.multiply(CENSUSES_A_DAY)).multiply(1000 * MONTH),
        (CENSUSES_A_DAY + 1) * MONTH,
        0.5,
    ),
)


class ComparedRow(NamedTuple):
    """A use of Perene, and what it takes as one would otherwise write it."""

    title: str
    operations: Operations
    naive: Operations


def _compare_inbox() -> ComparedRow:
    return ComparedRow(
        "An inbox in use for 8 hours on 22 days",
        WAITED.multiply(WAITS_A_MINUTE * OPEN_MINUTES),
        NAIVE_RELOAD.multiply(NAIVE_RELOADS_A_MINUTE * OPEN_MINUTES),
    )


def _compare_lines(lines: int, messages: int) -> ComparedRow:
    """Compare lines for a month, half of whose messages of a day are sent."""
    half, said = lines * messages * MONTH / 2, f"with {messages} messages a day each"
    idle = NIGHT.add(CENSUS.multiply(CENSUSES_A_DAY)).multiply(lines * MONTH)
    checks = NAIVE_CHECK.multiply(lines * NAIVE_CHECKS_AN_HOUR * 24 * MONTH)
    return ComparedRow(
        f"{lines:,} lines for a month, {said if messages else 'saying nothing'}",
        SAID.add(RECEIVED).multiply(half).add(idle),
        NAIVE_SAID.add(NAIVE_RECEIVED).multiply(half).add(checks),
    )


COMPARED = (
    ComparedRow(
        "1 million messages received", RECEIVED.multiply(MILLION), NAIVE_RECEIVED.multiply(MILLION)
    ),
    ComparedRow(
        "1 million messages sent, delivered and read",
        SAID.multiply(MILLION),
        NAIVE_SAID.multiply(MILLION),
    ),
    _compare_lines(1_000, 0),
    _compare_lines(1_000, 100),
    _compare_inbox(),
)


def render_comparison() -> Iterator[str]:
    """Yield the lines of the table that compares Perene with the naive design."""
    yield "| what | reads / writes / deletes | Firestore, regional | naive | naive, regional |"
    yield "|---|---|---|---|---|"
    for row in COMPARED:
        cells = (
            f"{_render_counts(operations)} | ${REGIONAL.price(operations):.2f}"
            for operations in (row.operations, row.naive)
        )
        yield f"| {row.title} | {' | '.join(cells)} |"


def _render_counts(operations: Operations) -> str:
    return " / ".join(f"{count / MILLION:.2f} M" for count in operations)


def render_table() -> Iterator[str]:
    """Yield the lines of the table in infra/docs/operations.md."""
    yield "| what | reads | writes | deletes | Firestore, regional | multi-region | compute, max. |"
    yield "|---|---|---|---|---|---|---|"
    for row in ROWS:
        counts = " | ".join(f"{count / MILLION:.2f} M" for count in row.operations)
        firestore = " | ".join(
            f"${prices.price(row.operations):.2f}" for prices in (REGIONAL, MULTI_REGION)
        )
        yield f"| {row.title} | {counts} | {firestore} | ${row.compute:.2f} |"
    gibibytes = KIB_A_MESSAGE * MILLION / 1024 / 1024
    storage = " | ".join(
        f"${gibibytes * prices.storage:.2f}" for prices in (REGIONAL, MULTI_REGION)
    )
    yield f"| 1 million messages kept, a month ({gibibytes:.1f} GiB) | | | | {storage} | |"
    for title, price in BUCKET.items():
        yield f"| {title} | | | | ${price:.2f} | ${price:.2f} | |"
    for title, price in FIXED.items():
        yield f"| {title}, a month | | | | ${price:.2f} | ${price:.2f} | |"


def main() -> int:
    """Print the tables."""
    print("\n".join([*render_table(), "", *render_comparison()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
