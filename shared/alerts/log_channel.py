"""Describe a channel of alerts, and the one that requests know: the log.

The others (`channels.py`) are the sweeps': functions that only note incidents start without them.
"""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from shared import log
from shared.config import Settings
from shared.domain.fleet.incidents import Incident, Severity


class DeliveryFailed(Exception):
    """An alert that a channel did not take.

    Permanent: the channel refused this alert and would refuse it again. Otherwise the next run
    delivers it.
    """

    def __init__(self, why: str, *, is_permanent: bool = False) -> None:
        super().__init__(why)
        self.is_permanent = is_permanent


class Channel(Struct, frozen=True):
    """A way for alerts to reach a person.

    `variables` names the environment variables that switch it on; None if it is always on.
    `deliver` sends all incidents as one alert and raises DeliveryFailed.
    """

    name: str
    variables: str | None
    is_configured: Callable[[Settings], bool]
    deliver: Callable[[list[Incident]], Awaitable[None]]


async def write_log(incidents: list[Incident]) -> None:
    """Write one log line per incident; log-based alerts of Cloud Monitoring filter by them."""
    for incident in incidents:
        lasted = incident.lasted
        log.alert(
            f"incident.{incident.news}",
            critical=incident.severity is Severity.CRITICAL,
            incident=incident.id,
            cause=incident.cause,
            subject=incident.subject,
            count=incident.count,
            seconds=round(lasted.total_seconds()) if lasted is not None else None,
        )


LOG = Channel("log", None, lambda _settings: True, write_log)
