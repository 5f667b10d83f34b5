"""Hold the exclusive right to change an instance upstream."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared import log, problems, services
from shared.domain.instances import Instance
from shared.evolution.limits import LONGEST_CALL

ENOUGH = timedelta(seconds=LONGEST_CALL + 5)
"""The time that must be left of a lease before a call that changes something upstream."""


def new_holder() -> str:
    """Return a random name for one holder of a lease."""
    return secrets.token_hex(8)


async def claim(old: Instance, new: Instance) -> Instance | None:
    """Replace the record by `new`, leased to us; return None if another caller was faster.

    Firestore: 1 write; 1 read more if the record changed, and 1 write if only its pace did.
    """
    return await services.store().instances.replace(old, new.granted(new_holder(), services.now()))


@dataclass
class Work:
    """The work that a lease is held for. `doubtful`: a request that it sent may still run."""

    instance: Instance
    doubtful: bool = False

    async def extend_lease(self) -> None:
        """Make the lease last longer than any upstream call. Raises LineBusy if we lost it."""
        now, lease = services.now(), self.instance.lease
        assert lease
        if lease.until - now <= ENOUGH:
            await self.note()

    async def note(self, **change: Any) -> None:
        """Set fields of the record, and extend the lease. Raises LineBusy if we lost it."""
        now = services.now()
        extended = await services.store().instances.extend_lease(self.instance, now, **change)
        if extended is None:
            raise problems.LineBusy()
        self.instance = extended


@asynccontextmanager
async def hold_lease(instance: Instance) -> AsyncIterator[Work]:
    """Give the lease of a leased instance back if a problem is raised inside.

    Unless the work is doubtful: then the lease stays until it expires, when the request that may
    still run is over too.
    """
    work = Work(instance)
    try:
        yield work
    except problems.Problem as problem:
        event = "lease.kept" if work.doubtful else "lease.given_back"
        log.notice(event, instance=instance.name, problem=problem.slug())
        if not work.doubtful:
            await services.store().instances.release_lease(work.instance, Instance.freed)
        raise
