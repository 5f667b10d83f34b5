"""Record that a server doesn't carry a line's instance any more, if a look confirms it."""

from contextlib import suppress

from shared import log, problems, services
from shared.domain.instances import Instance
from shared.domain.names import InstanceName


async def record_missing(name: InstanceName) -> None:
    """Move a line to `missing`, unless a look at its server finds the instance after all.

    A failure here is ignored: the caller has a problem of its own to raise.
    Upstream: 1 call. Firestore: 2 reads, 1 write.
    """
    with suppress(problems.Problem):
        instance = await services.store().instances.find(name)
        if instance and await services.evolution(instance.server).find_connection(name) is None:
            await _record(instance)


async def _record(missing: Instance) -> None:
    from shared.domain.fleet import repairs  # hardly any instance is missing

    now = services.now()

    def decide(current: Instance) -> Instance | None:
        same = (current.server, current.born) == (missing.server, missing.born)
        return repairs.decide_looked(current, None, None, now) if same else None

    if updated := await services.store().instances.change(missing.name, decide, now):
        log.info("instance.changed", instance=missing.name, state=updated.state)
