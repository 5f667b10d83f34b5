"""Whether sweeps run at all: each looks after the other, and a person sees both."""

from shared import config, services
from shared.alerts import troubles
from shared.domain.fleet.incidents import Trouble


async def now() -> list[Trouble]:
    """One trouble per sweep that hasn't ended well for too long, and what sweeps remember of
    messages that may be lost. Firestore: 2 reads.
    """
    after = config.hours(config.settings().sweep_overdue_hours)
    standings = await services.store().standings()
    at = services.now()
    return [
        *troubles.of_standings(standings, after, at),
        *troubles.of_doubts(standings.values(), at),
    ]
