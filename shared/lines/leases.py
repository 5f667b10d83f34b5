"""Holding the right to change an instance upstream."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


async def hold(held: Instance) -> Instance:
    """The lease lasts longer than any upstream call. Raises LineBusy if we lost it."""
    now = services.now()
    assert held.lease
    if held.lease.until - now > ENOUGH:
        return held
    extended = await services.store().extend(held, now)
    if extended is None:
        raise problems.LineBusy()
    return extended


@asynccontextmanager
async def given_back_on_failure(held: Instance) -> AsyncIterator[None]:
    """A problem inside doesn't keep others waiting: the record stays, the lease goes."""
    try:
        yield
    except problems.Problem as problem:
        log.refused("lease.given_back", instance=held.name, problem=problem.slug())
        await services.store().settle(held, Instance.freed)
        raise
