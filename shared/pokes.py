"""Say that there is news of a tenant, so that its endpoints are told at once.

A poke carries the tenant and which parts of the log have news; what there is to tell stands there.
One that fails loses nothing, as the next one, or the minute's tick, finds the same.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Final

import httpx

from shared import config, log, problems, pubsub
from shared.domain.endpoints import LogPart
from shared.domain.names import TenantId
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
        topic, emulator = config.settings().events_topic, config.settings().pubsub_emulator_host
        if topic is None:
            return
        message = {"tenant": tenant, "news": ",".join(news)}
        try:
            async with asyncio.timeout(PATIENCE):
                if (await self._read_fresh()).include(tenant):
                    await pubsub.publish(self._http(), topic, message, emulator)
        except (TimeoutError, pubsub.PublishFailed, problems.Problem) as failure:
            log.notice("poke.failed", failure=type(failure).__name__)
        except Exception as error:  # noqa: BLE001 - what is stored already must not seem to fail
            log.error("poke.broke", error)

    async def _read_fresh(self) -> ToldTenants:
        async with self._reading:
            if time.monotonic() - self._read_at > FRESH_SECONDS:
                self._told, self._read_at = await self._read(), time.monotonic()
        return self._told
