"""`python -m infra.costs`: what Perene costs, from operations that tests count and a price list.

Prices are in US dollars, of Google Cloud's public list as it was read: check them before you
budget.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

MONTH = 30
MILLION = 1_000_000


class Operations(NamedTuple):
    """What Firestore bills for."""

    reads: float = 0
    writes: float = 0
    deletes: float = 0

    def times(self, many: float) -> "Operations":
        return Operations(*(each * many for each in self))

    def plus(self, other: "Operations") -> "Operations":
        return Operations(*(one + more for one, more in zip(self, other, strict=True)))


class Prices(NamedTuple):
    """Of 100,000 reads, writes, deletes; of a GiB kept for a month."""

    reads: float
    writes: float
    deletes: float
    storage: float

    def of(self, done: Operations) -> float:
        counted = zip(self[:3], done, strict=True)
        return sum(price * each / 100_000 for price, each in counted)


REGIONAL = Prices(0.03, 0.09, 0.01, 0.15)
MULTI_REGION = Prices(0.06, 0.18, 0.02, 0.18)

RECEIVED = Operations(writes=2)
DELIVERY = Operations(writes=1)
SENT = Operations(reads=3, writes=5, deletes=1)
"""The delete is the end of what is kept of a send, by TTL; the first send of a line costs more."""
ECHO = Operations(reads=1)
"""A server tells us our own send, which we have."""
OPENED = Operations(reads=2)
NIGHT = Operations(reads=8, writes=1)
"""Of a line, by the sweep of orphans."""
CENSUS = Operations(reads=1)
"""Of a line, by each sweep of capacity."""

CENSUSES_A_DAY = 96
KIB_A_MESSAGE = 2
"""With its indexes; a guess: a text and its sender."""

CPU_SECOND, GIB_SECOND, MILLION_REQUESTS = 0.000024, 0.0000025, 0.40
SHORTEST = 0.1
"""Seconds: what a request is billed at least, when no other runs beside it."""

FIXED = {
    "Load balancer: one forwarding rule": 0.025 * 24 * MONTH,
    "Scheduler: two jobs (three are free)": 0.0,
    "Secret Manager: four versions": 4 * 0.06,
}


class Row(NamedTuple):
    """A line of the table."""

    what: str
    done: Operations
    requests: float = 0
    memory: float = 1.0

    @property
    def compute(self) -> float:
        """At worst: each request alone on an instance of one CPU."""
        seconds = self.requests * SHORTEST
        running = seconds * (CPU_SECOND + GIB_SECOND * self.memory)
        return running + self.requests / MILLION * MILLION_REQUESTS


ROWS = (
    Row("1 million messages received", RECEIVED.times(MILLION), MILLION),
    Row(
        "1 million messages sent, delivered and read",
        SENT.plus(ECHO).plus(DELIVERY.times(2)).times(MILLION),
        4 * MILLION,
    ),
    Row("1 million times a line is opened", OPENED.times(MILLION), MILLION, 0.5),
    Row(
        "1,000 lines for a month, saying nothing",
        NIGHT.plus(CENSUS.times(CENSUSES_A_DAY)).times(1000 * MONTH),
        (CENSUSES_A_DAY + 1) * MONTH,
        0.5,
    ),
)


def table() -> Iterator[str]:
    """The table of infra/operations.md."""
    yield "| what | reads | writes | deletes | Firestore, regional | multi-region | compute, max. |"
    yield "|---|---|---|---|---|---|---|"
    for row in ROWS:
        counts = " | ".join(f"{each / MILLION:.2f} M" for each in row.done)
        firestore = " | ".join(f"${prices.of(row.done):.2f}" for prices in (REGIONAL, MULTI_REGION))
        yield f"| {row.what} | {counts} | {firestore} | ${row.compute:.2f} |"
    kept = KIB_A_MESSAGE * MILLION / 1024 / 1024
    storage = " | ".join(f"${kept * prices.storage:.2f}" for prices in (REGIONAL, MULTI_REGION))
    yield f"| 1 million messages kept, a month ({kept:.1f} GiB) | | | | {storage} | |"
    for what, price in FIXED.items():
        yield f"| {what}, a month | | | | ${price:.2f} | ${price:.2f} | |"


def main() -> int:
    """Prints the table."""
    print("\n".join(table()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
