"""Incidents are raised, reminded of and resolved once, and told to every channel once."""

import asyncio
import secrets
from collections.abc import Iterable, Set

from shared import config, log, services
from shared.alerts import channels
from shared.alerts.channels import ChannelFailed
from shared.domain.fleet import incidents
from shared.domain.fleet.incidents import Cause, Incident, Trouble

LOGGED = "log"


async def follow(
    troubles: Iterable[Trouble], looked_at: frozenset[Cause], unsure: Set[str] = frozenset()
) -> None:
    """What is wrong is an incident, what isn't any more is resolved, and whoever should knows it.

    `unsure`: incidents of which nobody could see whether they are over.

    Safe to call any number of times, from anywhere; a channel that fails is tried again by the
    next call, and nobody else waits for it. Firestore: 1 read per open incident and per trouble;
    1 write for each that changed, and 2 for each that was told.
    """
    store, now = services.store(), services.now()
    remind = config.hours(config.settings().alert_remind_hours)
    known = {each.id: each for each in await store.open_incidents()}
    lasting = {name for name, incident in known.items() if incidents.lasts(incident, now)}
    for name, trouble in incidents.plan_incidents(known, troubles, looked_at, unsure | lasting):
        await store.follow_incident(name, trouble, now, remind)
    await tell()


async def raise_now(trouble: Trouble) -> None:
    """Raise the incident of a trouble that was met, not looked for, and tell every channel.

    Raises StoreUnavailable. Firestore: 1 read; if it changed 1 write, and 2 to tell it.
    """
    remind = config.hours(config.settings().alert_remind_hours)
    if await services.store().follow_incident(trouble.id, trouble, services.now(), remind):
        await tell()


async def tell() -> None:
    """Every channel tells what it hasn't told yet."""
    store, teller = services.store(), secrets.token_hex(8)
    waiting = await store.pending_incidents()
    claims = [await store.claim_news(each, teller, services.now()) for each in waiting]
    ours = [each for each in claims if each]
    if not ours:
        return
    reached = await _told_by_all(ours)
    for incident in ours:
        told = {channel: incident.number for channel, news in reached.items() if incident in news}
        behind = {**incident.told, **told}
        wanted = {LOGGED, *channels.configured()}
        pending = any(behind.get(channel, 0) < incident.number for channel in wanted)
        await store.told(incident, told, pending)


async def _told_by_all(ours: list[Incident]) -> dict[str, list[Incident]]:
    """Which channel has told which of them; all at once, and none waits for another."""
    every: dict[str, channels.Channel] = {LOGGED: _log, **channels.configured()}
    news = {
        channel: [each for each in ours if each.told.get(channel, 0) < each.number]
        for channel in every
    }
    telling = (_try(channel, every[channel], news[channel]) for channel in every)
    reached = await asyncio.gather(*telling)
    return {channel: news[channel] for channel, there in zip(every, reached, strict=True) if there}


async def _try(name: str, channel: channels.Channel, news: list[Incident]) -> bool:
    if not news:
        return True
    try:
        await channel(news)
    except ChannelFailed as failure:
        log.refused("alert.failed", channel=name, why=str(failure))
        return False
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are told
        log.broke("alert.failed", error, channel=name)
        return False
    return True


async def _log(news: list[Incident]) -> None:
    for each in news:
        lasted = each.lasted
        log.alerted(
            f"incident.{each.news}",
            critical=each.severity is incidents.Severity.CRITICAL,
            incident=each.id,
            cause=each.cause,
            subject=each.subject,
            count=each.count,
            seconds=round(lasted.total_seconds()) if lasted is not None else None,
        )
