"""Quotes that were stored after the message that they quote was revoked."""

from datetime import timedelta

from shared import services
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.survey import Survey
from shared.domain.instances import epoch_ms
from shared.sweeps.runs import Run

PATIENCE = timedelta(minutes=3)
"""How long one run compares quotes; the next one goes on from there."""

OVERLAP_MS = 60 * 60 * 1000
"""Milliseconds that a run looks back: a change is dated before it is stored, by another clock."""


async def purge(run: Run, seen: Survey, planned: Plan) -> None:
    """Purge the words of revoked messages from quotes that came late, where the last run stopped.

    A new message is stored without a read, so its quote is compared here.
    Firestore: 2 reads for each message that quotes and changed since the last run, 1 at least.
    """
    now, since = services.now(), run.standing.quotes_checked_until
    until = epoch_ms(now)
    async for checked in services.store().quotes.purge_late(since, until):
        if checked.purged:
            run.counts["quotes_purged"] += checked.purged
        if run.over() or services.now() - now >= PATIENCE:
            until = checked.until
            break
        await run.go_on()
    run.learned["quotes_checked_until"] = max(since, min(until, epoch_ms(now) - OVERLAP_MS))
