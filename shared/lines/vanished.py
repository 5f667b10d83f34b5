"""A server says that it doesn't carry a line's instance: the record says so too, if it is true."""

from contextlib import suppress

from shared import log, problems, services
from shared.domain.fleet import repairs
from shared.domain.instances import Instance
from shared.domain.names import InstanceName


async def record_missing(name: InstanceName) -> None:
    """Move a line to `missing`, unless a look at its server finds the instance after all.

    Whoever was told meanwhile that the line can't speak isn't kept from it by a failure here.
    Upstream: 1 call. Firestore: 2 reads, 1 write.
    """
    with suppress(problems.Problem):
        line = await services.store().instance(name)
        if line and await services.evolution(line.server).connection(name) is None:
            await _record(line)


async def _record(seen: Instance) -> None:
    now = services.now()

    def decide(current: Instance) -> Instance | None:
        same = (current.server, current.born) == (seen.server, seen.born)
        return repairs.decide_looked(current, None, None, now) if same else None

    if changed := await services.store().change(seen.name, decide, now):
        log.happened("instance.changed", instance=seen.name, state=changed.state)
