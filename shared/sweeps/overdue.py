"""Whether sweeps run at all: each looks after the other, and a person sees both."""

from collections.abc import Mapping

from shared import config, services
from shared.domain.fleet import detect
from shared.domain.fleet.incidents import Trouble
from shared.domain.fleet.reports import SweepKind, SweepStanding


async def now(known: Mapping[SweepKind, SweepStanding] | None = None) -> list[Trouble]:
    """List one trouble per sweep that hasn't ended well for too long, and what sweeps remember of
    messages that may be lost.

    `known`: standings that were read minutes ago. Firestore: 1 read for each of the others.
    """
    after = config.hours(config.settings().sweep_overdue_hours)
    standings = dict(known or {})
    for kind in SweepKind:
        if kind not in standings:
            standings[kind] = await services.store().sweeps.find_standing(kind)
    at = services.now()
    return [
        *detect.of_standings(standings, after, at),
        *detect.of_doubts(standings.values(), at),
    ]
