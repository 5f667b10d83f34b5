"""Keep incidents in step with the troubles found, and deliver their news once per channel."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Set
from enum import Enum, auto

from shared import config, log, services
from shared.alerts.log_channel import LOG, Channel, DeliveryFailed
from shared.domain.fleet import incidents
from shared.domain.fleet.incidents import Cause, Incident, Trouble


class AlertDelivery(Enum):
    """The outcome of one alert in one channel."""

    DELIVERED = auto()
    FAILED = auto()
    """The next run tries again."""
    GIVEN_UP = auto()
    """The channel refused it for good. It is tried again only with the incident's next news."""


async def update_incidents(
    troubles: Iterable[Trouble], looked_at: frozenset[Cause], unsure: Set[str] = frozenset()
) -> None:
    """Raise, update or resolve incidents to match the troubles, and deliver the news.

    `unsure`: ids of incidents that could not be checked, so they stay as they are.

    Idempotent and safe to call concurrently. A channel that fails is tried again by the next call
    and holds up no other channel. Firestore: 1 read per open incident and per trouble; 1 write for
    each incident that changed, and 2 for each with news.
    """
    store, now = services.store(), services.now()
    remind = config.hours(config.settings().alert_remind_hours)
    open_incidents = {incident.id: incident for incident in await store.incidents.list_open()}
    lasting = {name for name, it in open_incidents.items() if incidents.lasts(it, now)}
    plan = incidents.plan_incidents(open_incidents, troubles, looked_at, unsure | lasting)
    for name, trouble in plan:
        await store.incidents.follow(name, trouble, now, remind)
    await deliver_news()


async def raise_incident(trouble: Trouble) -> None:
    """Raise the incident of a trouble that a request ran into. See `note_incident`."""
    await note_incident(trouble.id, trouble)


async def note_incident(name: str, trouble: Trouble | None) -> None:
    """Raise, update or resolve (None) an incident outside of sweeps; write its news to the log.

    The other channels are configured for sweeps only: the next one delivers the news through them.
    Raises StoreUnavailable. Firestore: 1 read; 1 write if it changed, and 2 if it has news.
    """
    store, now = services.store(), services.now()
    remind = config.hours(config.settings().alert_remind_hours)
    incident = await store.incidents.follow(name, trouble, now, remind)
    if incident and incident.is_owed_to(LOG.name):
        incident = await store.incidents.claim_news(incident, secrets.token_hex(8), now)
        if incident:
            await _deliver_through([LOG], [incident], pending=True)


async def deliver_news() -> None:
    """Deliver the pending news of all incidents, once, through every channel that owes them.

    For sweeps: no other function has the settings of every channel. Incidents that another process
    is delivering are left to it.
    """
    from shared.alerts import channels  # requests, which note incidents, know only the log

    store, teller = services.store(), secrets.token_hex(8)
    pending = await store.incidents.list_pending()
    claims = [
        await store.incidents.claim_news(incident, teller, services.now()) for incident in pending
    ]
    claimed = [incident for incident in claims if incident]
    if claimed:
        await _deliver_through(channels.configured(config.settings()), claimed)


async def _deliver_through(
    ways: list[Channel], claimed: list[Incident], *, pending: bool = False
) -> None:
    """Deliver the news of claimed incidents. `pending`: there are other channels, for later."""
    outcomes = await asyncio.gather(*(_deliver(channel, claimed) for channel in ways))
    names = [channel.name for channel in ways]
    for incident in claimed:
        await _record(incident, dict(zip(names, outcomes, strict=True)), pending)


async def _record(incident: Incident, outcomes: Mapping[str, AlertDelivery], is_owed: bool) -> None:
    """Store which channels delivered an incident's news, gave it up, or still owe it.

    `is_owed`: it is owed to channels that were not tried.
    """
    pending = {name: it for name, it in outcomes.items() if incident.is_owed_to(name)}
    delivered = [name for name, it in pending.items() if it is AlertDelivery.DELIVERED]
    given_up = [name for name, it in pending.items() if it is AlertDelivery.GIVEN_UP]
    await services.store().incidents.record_deliveries(
        incident, delivered, given_up, pending=is_owed or AlertDelivery.FAILED in pending.values()
    )


async def _deliver(channel: Channel, claimed: list[Incident]) -> AlertDelivery:
    news = [incident for incident in claimed if incident.is_owed_to(channel.name)]
    if not news:
        return AlertDelivery.DELIVERED
    try:
        await channel.deliver(news)
    except DeliveryFailed as failure:
        return _log_failure(channel, failure, news)
    except Exception as error:  # noqa: BLE001 - a bug in one channel must not silence the others
        log.error("alert.failed", error, channel=channel.name)
        return AlertDelivery.FAILED
    return AlertDelivery.DELIVERED


def _log_failure(channel: Channel, failure: DeliveryFailed, news: list[Incident]) -> AlertDelivery:
    if not failure.is_permanent:
        log.notice("alert.failed", channel=channel.name, why=str(failure))
        return AlertDelivery.FAILED
    ids = [incident.id for incident in news]
    log.error("alert.given_up", failure, channel=channel.name, why=str(failure), incidents=ids)
    return AlertDelivery.GIVEN_UP
