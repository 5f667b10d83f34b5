"""Print up to how many lines one deployment goes: `python -m infra.scale`.

What a line takes is computed from operations that tests count, each limit from the code or from the
documentation that it names. Figures of time were measured on a core of a shared machine.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

from infra import deployment
from infra.costs import RECEIVED, SAID, WAIT, WAITS_A_MINUTE
from shared.inbox.news import MOST_WAITING
from shared.outbound.delivery import TICK_SECONDS
from shared.store.endpoint_records import MOST_LISTED
from shared.store.messages.documents import LANES

MESSAGES_A_DAY, PEAK = 100, 5
"""A line's messages, half of them sent; and how much more there are in the busiest time."""

LINES_A_SERVER = 500
EACH_WAY = MESSAGES_A_DAY / 2 * PEAK / (24 * 3600)
"""Messages that a line receives, and as many that it sends, in a second of the peak."""

WEBHOOKS = EVENTS = 4 * EACH_WAY
"""Webhooks, and events for endpoints: a message received; one sent, delivered and read."""

INBOXES_OPEN = 0.1
"""Inboxes that are open at once, per line."""

NEWS = INBOXES_OPEN * 30 / 60
"""News that inboxes ask for in a second when none finds a place to wait: each asks 2 s after each
answer, twice as often as one that waits."""

WAITING = INBOXES_OPEN * WAITS_A_MINUTE * WAIT / 60
"""Requests that wait for news at once."""

SEQUENTIAL = 500
"""Writes a second into an index whose values only grow, for all documents in it."""

TELLING_MS, NEWS_MS, LOOK_MS = 12.0, 9.0, 4.7
"""CPU of an event told to one endpoint, of the news of an inbox, and of a look at one endpoint."""

WEBHOOKS_A_PROCESS = 330
"""Webhooks a second that a process answers in time, with 20 ms more for each commit (intake)."""

SEND_SECONDS, RECEIVER_SECONDS = 1.0, 0.05
"""Guesses: how long Evolution takes for a send, and a receiver for an event."""

SWEEP_MIB_FREE, SWEEP_KIB_A_LINE, SWEEP_LINES_A_SECOND, SWEEP_SECONDS = 340, 5, 150, 540
"""The sweep of orphans: memory beside its code's, what a line takes of it, and how fast it goes."""

SERVER_BYTES, VARIABLE_BYTES = 156, 32 * 1024
"""One server in `EVOLUTION_SERVERS`, and the longest value that a variable of a function may have
(64 KiB is what Secret Manager stores)."""


class Limit(NamedTuple):
    """Something that ends: how much there is of it, what a line takes of it, what is done then."""

    title: str
    allowed: float
    unit: str
    per_line: float
    remedy: str

    @property
    def lines(self) -> float:
        """Return the number of lines at which it is reached."""
        return self.allowed / self.per_line


def list_limits() -> list[Limit]:
    """List the limits, the one that is reached first at the top."""
    functions = deployment.load_function_map().functions
    deliver, news = functions["deliver_events"], functions["conversations"]
    send, webhook = functions["send_message"], functions["receive_webhook"]
    limits = [
        Limit(
            "One endpoint that is told everything of all tenants",
            1 / RECEIVER_SECONDS,
            "events a second",
            EVENTS,
            "It is told one event after the other: it lags in the peak and catches up at night, up"
            f" to {PEAK} times as many lines. Fewer `types`, a faster receiver, an endpoint for"
            " each tenant, or pages of `GET /events`",
        ),
        Limit(
            "List of the tenants that have endpoints",
            MOST_LISTED,
            "tenants",
            1,
            "A document takes 1 MiB: from there on news of every tenant are poked (1 read for each"
            " event of one without endpoints)",
        ),
        Limit(
            "`deliver_events`, CPU",
            deliver.max_instances * 1000 / TELLING_MS,
            "events a second",
            EVENTS,
            "`instances = { deliver_events = { max = 40 } }`; until then events come later and"
            " together, which costs less for each",
        ),
        Limit(
            "The minute's tick of deliveries",
            TICK_SECONDS * 1000 / LOOK_MS,
            "endpoints looked at",
            1,
            "With one busy endpoint a line. Pokes tell at once as before; what a lost one left"
            " waits some ticks longer, as a tick looks at endpoints in random order",
        ),
        Limit(
            "Memory of the sweep of orphans",
            SWEEP_MIB_FREE * 1024,
            "KiB",
            SWEEP_KIB_A_LINE,
            "1 GiB in [functions.json](../functions.json)",
        ),
        Limit(
            "Time of the sweep of orphans",
            SWEEP_SECONDS * SWEEP_LINES_A_SECOND,
            "lines a night",
            1,
            "It goes on the next night where it stopped; `SWEEP_SECONDS`",
        ),
        Limit(
            "`EVOLUTION_SERVERS`",
            VARIABLE_BYTES / SERVER_BYTES,
            "servers",
            1 / LINES_A_SERVER,
            f"At {LINES_A_SERVER} lines a server; at 100 a fifth of it. A second deployment",
        ),
        Limit(
            "`send_message`, sends under way",
            send.max_instances * send.concurrency / SEND_SECONDS,
            "sends a second",
            EACH_WAY,
            "`instances = { send_message = { max = 100 } }`",
        ),
        Limit(
            "`conversations`, CPU of inboxes that ask for news",
            news.max_instances * 1000 / NEWS_MS,
            "news a second",
            NEWS,
            f"With {INBOXES_OPEN:.0%} of all inboxes open. `instances = {{ conversations = {{ max ="
            " 100 } }`",
        ),
        Limit(
            "`conversations`, places where requests wait for news",
            news.max_instances * MOST_WAITING,
            "requests that wait",
            WAITING,
            "The others are answered at once and ask twice as often; what is said is shown after"
            " 1 s instead of 0.9 s",
        ),
        Limit(
            "Indexes of all sends by time (`until`, `settled_at`)",
            SEQUENTIAL,
            "sends a second",
            EACH_WAY,
            "Nothing yet: lanes, as messages have. Sends of the version before would lack theirs,"
            " and a sweep must not overlook an uncertain one, so it takes two versions",
        ),
        Limit(
            "Indexes of all messages by time, in lanes",
            LANES * SEQUENTIAL,
            "messages that change, a second",
            EVENTS,
            "More `LANES`",
        ),
        Limit(
            "`receive_webhook`, CPU",
            webhook.max_instances * WEBHOOKS_A_PROCESS,
            "webhooks a second",
            WEBHOOKS,
            "Its `max` is for storms, when servers post again what they held back",
        ),
    ]
    return sorted(limits, key=lambda limit: limit.lines)


def render_table() -> Iterator[str]:
    """Yield the lines of the table in infra/docs/scale.md."""
    yield "| what ends | at | lines | what is done |"
    yield "|---|---|---|---|"
    for limit in list_limits():
        yield (
            f"| {limit.title} | {_round(limit.allowed)} {limit.unit} | {_round(limit.lines)}"
            f" | {limit.remedy} |"
        )


def render_load(lines: int) -> Iterator[str]:
    """Yield the lines of the table of what so many lines are in the peak, in a second."""
    commits = RECEIVED.add(SAID).multiply(EACH_WAY * lines)
    load = {
        "messages": 2 * EACH_WAY * lines,
        "webhooks": WEBHOOKS * lines,
        "events, if every tenant has an endpoint": EVENTS * lines,
        "reads and writes for messages": commits.reads + commits.writes,
        "news of inboxes": NEWS * lines,
    }
    yield f"| in a second of the peak, {lines:,} lines | |"
    yield "|---|---|"
    for title, count in load.items():
        yield f"| {title} | {_round(count)} |"


def _round(count: float) -> str:
    """Write a number with two digits that count."""
    digits = len(str(int(count))) - 2
    return f"{round(count, -digits) if digits > 0 else count:,.0f}"


def main() -> int:
    """Print the tables."""
    print("\n".join([*render_load(100_000), "", *render_table()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
