"""Holding the right to change an instance upstream."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from shared import log, problems, services
from shared.domain.instances import Instance
from shared.evolution.limits import LONGEST_CALL

ENOUGH = timedelta(seconds=LONGEST_CALL + 5)
"""What must be left of a lease before a call that changes something upstream."""


def a_holder() -> str:
    """A name for one call of ours, told apart from every other."""
    return secrets.token_hex(8)


async def claim(old: Instance, new: Instance) -> Instance | None:
    """The record is `new` and leased to us; None if somebody else was faster."""
    return await services.store().replace(old, new.granted(a_holder(), services.now()))


@dataclass
class Work:
    """What the holder of a lease is doing. `doubtful`: something it sent may still be running."""

    held: Instance
    doubtful: bool = False

    async def go_on(self) -> None:
        """The lease lasts longer than any upstream call. Raises LineBusy if we lost it."""
        now, lease = services.now(), self.held.lease
        assert lease
        if lease.until - now > ENOUGH:
            return
        extended = await services.store().extend(self.held, now)
        if extended is None:
            raise problems.LineBusy()
        self.held = extended


@asynccontextmanager
async def at_work(held: Instance) -> AsyncIterator[Work]:
    """A problem inside gives the lease back, so that nobody waits for it in vain.

    Unless the work is doubtful: then it stays until it is over, and so is whatever was sent.
    """
    work = Work(held)
    try:
        yield work
    except problems.Problem as problem:
        kept = "lease.kept" if work.doubtful else "lease.given_back"
        log.refused(kept, instance=held.name, problem=problem.slug())
        if not work.doubtful:
            await services.store().settle(work.held, Instance.freed)
        raise
