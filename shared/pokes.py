"""Say that there is news, so that it is worked on at once: endpoints are told, media copied.

A poke only says where to look. One that fails loses nothing, as the next one, or the minute's tick,
finds the same.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx

from shared import config, log, problems, pubsub
from shared.domain.event_types import LogPart
from shared.domain.names import LineId, TenantId
from shared.store.endpoint_records import ToldTenants

PATIENCE: Final = 1.0
"""Seconds that a poke may take: a webhook's answer waits for it."""

FRESH_SECONDS: Final = 30.0
"""How long a process believes what it read of which tenants have endpoints."""


class Pokes:
    """The pokes of one process. Nothing is read or published while no topic is configured."""

    def __init__(
        self,
        read_told_tenants: Callable[[], Awaitable[ToldTenants]],
        http: Callable[[], httpx.AsyncClient],
    ) -> None:
        self._read, self._http = read_told_tenants, http
        self._told, self._read_at = ToldTenants(), float("-inf")
        self._reading = asyncio.Lock()

    async def poke(self, tenant: TenantId, news: Collection[LogPart]) -> None:
        """Publish what there is news of, if the tenant has endpoints. Never raises.

        Firestore: 1 read every half minute of a process that is in use, else 0.
        """
        topic = config.settings().events_topic
        if topic is None:
            return
        with _never_raising():
            async with asyncio.timeout(PATIENCE):
                if (await self._read_fresh()).include(tenant):
                    message = {"tenant": tenant, "news": ",".join(news)}
                    await _publish(self._http(), topic, message)

    async def poke_media(self, topic: str, tenant: TenantId, line: LineId, message: str) -> None:
        """Publish that a message has a file to copy. Never raises. Firestore: 0."""
        with _never_raising():
            async with asyncio.timeout(PATIENCE):
                where = {"tenant": tenant, "line": line, "message": message}
                await _publish(self._http(), topic, where)

    async def _read_fresh(self) -> ToldTenants:
        async with self._reading:
            if time.monotonic() - self._read_at > FRESH_SECONDS:
                self._told, self._read_at = await self._read(), time.monotonic()
        return self._told


async def _publish(http: httpx.AsyncClient, topic: str, message: Mapping[str, str]) -> None:
    await pubsub.publish(http, topic, message, config.settings().pubsub_emulator_host)


@contextmanager
def _never_raising() -> Iterator[None]:
    try:
        yield
    except (TimeoutError, pubsub.PublishFailed, problems.Problem) as failure:
        log.notice("poke.failed", failure=type(failure).__name__)
    except Exception as error:  # noqa: BLE001 - what is stored already must not seem to fail
        log.error("poke.broke", error)
