"""Keep incidents in step with the troubles found, and deliver their news once per channel."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Set
from enum import Enum, auto

from shared import config, log, services
from shared.alerts import channels
from shared.alerts.channels import Channel, DeliveryFailed
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
    """Raise the incident of a trouble that a caller ran into, and deliver the news.

    Raises StoreUnavailable. Firestore: 1 read; if it changed 1 write, and 2 to deliver it.
    """
    remind = config.hours(config.settings().alert_remind_hours)
    if await services.store().incidents.follow(trouble.id, trouble, services.now(), remind):
        await deliver_news()


async def deliver_news() -> None:
    """Deliver the pending news of all incidents, once, through every channel that owes them.

    Incidents that another process is delivering are left to it.
    """
    store, teller = services.store(), secrets.token_hex(8)
    pending = await store.incidents.list_pending()
    claims = [
        await store.incidents.claim_news(incident, teller, services.now()) for incident in pending
    ]
    claimed = [incident for incident in claims if incident]
    if not claimed:
        return
    ways = channels.configured(config.settings())
    outcomes = await asyncio.gather(*(_deliver(channel, claimed) for channel in ways))
    names = [channel.name for channel in ways]
    for incident in claimed:
        await _record(incident, dict(zip(names, outcomes, strict=True)))


async def _record(incident: Incident, outcomes: Mapping[str, AlertDelivery]) -> None:
    """Store which channels delivered an incident's news, gave it up, or still owe it."""
    pending = {name: it for name, it in outcomes.items() if incident.is_owed_to(name)}
    delivered = [name for name, it in pending.items() if it is AlertDelivery.DELIVERED]
    given_up = [name for name, it in pending.items() if it is AlertDelivery.GIVEN_UP]
    await services.store().incidents.record_deliveries(
        incident, delivered, given_up, pending=AlertDelivery.FAILED in pending.values()
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
