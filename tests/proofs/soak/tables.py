"""Make tables of what a soak showed."""

from collections import Counter

from tests.benchmarks.report import Table
from tests.proofs.soak.evidence import Evidence, count_states
from tests.proofs.soak.soak import Result


def list_tables(result: Result, seconds: float) -> list[Table]:
    """List the tables: promises, what happened, what became of messages and sends, and memory."""
    return [
        Table(
            f"Promises after {seconds:.0f} seconds of load and faults",
            ("promise", "compared", "looks", "broken"),
            [(f.promise, f.compared, f.looked, len(f.broken)) for f in result.findings],
        ),
        Table(
            "What happened meanwhile",
            ("event", "times"),
            [(event, times) for event, times in result.happened.most_common()],
        ),
        _count_written(result.evidence),
        Table(
            "What became of sends",
            ("outcome", "why", "sends", "share %"),
            list_sends(result.evidence),
        ),
        Table(
            "Memory of the workers that lived for minutes, medians after the first two",
            ("seconds", "first quarter MiB", "last quarter MiB", "flat"),
            [(*growth, growth.is_flat) for growth in result.memory],
        ),
    ]


def _count_written(evidence: Evidence) -> Table:
    posted = {posted.message for posted in evidence.posted}
    stored = {message["id"] for messages in evidence.stored.values() for message in messages}
    written = {name for name, message in evidence.written.items() if message.sure}
    rows = [
        ("written by contacts", len(written)),
        ("stored after a webhook", len(written & posted & stored)),
        ("stored by a sweep, as no webhook was acknowledged", len((written & stored) - posted)),
        ("not stored", len(written - stored)),
    ]
    return Table("What became of messages that contacts wrote", ("fate", "messages"), rows)


def list_sends(evidence: Evidence) -> list[tuple[str, str, int, float | None]]:
    """Count the outcomes of sends; of the uncertain ones, what contacts received of them."""
    delivered = {message.text for message in evidence.delivered}
    uncertain = Counter(
        (outcome.why or "", evidence.asked[key].text in delivered)
        for key, outcome in evidence.outcomes.items()
        if outcome.state == "uncertain"
    )
    total, states = len(evidence.outcomes), count_states(evidence.outcomes)
    rows = [("asked", "", total)]
    rows += [(state, "", states[state]) for state in ("sent", "failed", "unknown", "uncertain")]
    rows += [
        (f"uncertain, {'sent' if was_sent else 'never sent'}", why, count)
        for (why, was_sent), count in sorted(uncertain.items())
    ]
    return [(*row, 100 * row[2] / total if total else None) for row in rows]
