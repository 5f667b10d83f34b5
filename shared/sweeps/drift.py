"""Instances that are configured otherwise than we want: told anew, all of them if we moved."""

from typing import TYPE_CHECKING

from shared import services
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.survey import ELSEWHERE, Survey
from shared.domain.instances import Instance
from shared.domain.upstream import Configuration
from shared.evolution.subscription import SETTINGS
from shared.lines import provision
from shared.sweeps.runs import Run, work_on_items

if TYPE_CHECKING:
    from shared.evolution.client import Evolution

STEP = "drift"


async def repair(run: Run, seen: Survey, planned: Plan) -> None:
    """Configure every line's instance to post to us, with its token, the events that we want.

    Upstream: 2 calls per line, and 2 more for each that drifted. Firestore: 1 read and 1 write for
    each that drifted.
    """

    async def one(line: Instance) -> None:
        evolution = services.evolution(line.server)
        configuration = await evolution.find_configuration(line.name)
        if configuration is None:
            return
        target = provision.wanted_configuration(line)
        drifted = _drifted(
            configuration, evolution.fit_configuration(target)
        ) or await _behaves_otherwise(evolution, line)
        if drifted or line.configured != target.mark:
            await _tell(run, line, drifted)

    carried = [line for line in seen.lines.values() if seen.sighting_of(line)]
    await work_on_items(run, STEP, sorted(filter(_steady, carried), key=_name), one, _name)


async def _tell(run: Run, line: Instance, drifted: str | None) -> None:
    """Configure the line, unless it is leased or being released: then it has to stay silent."""
    current = await services.store().instances.find(line.name)
    busy = current is None or current.leased(services.now()) or not _steady(current)
    if current is None or busy or (current.server, current.born) != (line.server, line.born):
        return
    target = provision.wanted_configuration(current)
    if drifted and not await services.evolution(current.server).configure_instance(
        current.name, target
    ):
        return
    configured = current.model_copy(update={"configured": target.mark})
    await services.store().instances.replace(current, configured)
    if drifted:
        about = {"instance": current.name, "server": current.server, "tenant": current.tenant}
        run.did(STEP, "repaired", **about, why=drifted)


def _drifted(found: Configuration, wanted: Configuration) -> str | None:
    """Name the first difference, never its value: there are tokens in it."""
    if found.webhook_url != wanted.webhook_url:
        return "url"
    if dict(found.webhook_headers) != dict(wanted.webhook_headers):
        return "headers"
    if set(found.webhook_events) != set(wanted.webhook_events):
        return "events"
    return None


async def _behaves_otherwise(evolution: "Evolution", line: Instance) -> str | None:
    settings = await evolution.find_settings(line.name)
    reported_settings = settings or {}
    return (
        "settings"
        if any(SETTINGS[name] is not value for name, value in reported_settings.items())
        else None
    )


def _steady(line: Instance) -> bool:
    return line.state not in ELSEWHERE and not line.leased(services.now())


def _name(line: Instance) -> str:
    return line.name
