"""Move a single-tenant set-up to Perene: `python -m infra.adopt_instances plan tenants.csv`.

The table is that of `infra.import_tenants`. `plan` only looks, and names every instance that isn't
a tenant's own. `adopt` registers the tenants that aren't yet, and ensures the line of each whose
own instance is there: its webhook is Perene's from then on. `verify` looks again. All three may be
repeated, and interrupted, at any time: what is adopted already is left alone. Nothing is deleted.

It uses the deployment's settings (`--env`), its servers and its database: it runs as the functions
do, beside them.
"""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from google.auth.exceptions import GoogleAuthError

from infra import adoption_plan, environment, import_tenants
from infra.adoption_plan import AdoptionPlan, Place, SetUp
from infra.import_tenants import FaultyLine
from shared import config, problems, services
from shared.domain.instances import Instance
from shared.domain.names import DEFAULT_LINE, LineKey, TenantId
from shared.lines import ensure
from shared.sweeps import surveying
from shared.tenant_feed import Row

T = TypeVar("T")
Outcome = TypeVar("Outcome")

AT_ONCE = 4
"""Lines that are adopted at once: an open one reconnects, so that its server tells its number."""

NAME_COLUMNS = ("instance_name", "instance", "name")
"""Columns of the old configuration that may hold an instance's name, the first that is there."""


class AdoptionStopped(Exception):
    """It can't be told what to do; the message is the reason."""


def read_tenants(file: Path) -> list[Row]:
    """Read the table of tenants. Raises AdoptionStopped, naming every faulty line."""
    lines = list(import_tenants.read_rows(file))
    faulty = [f"{file}:{line.line} {line.why}" for line in lines if isinstance(line, FaultyLine)]
    if faulty:
        raise AdoptionStopped("\n".join(faulty))
    return [line for line in lines if isinstance(line, Row)]


def read_owners(file: Path | None) -> dict[str, TenantId]:
    """Read from the old configuration whose each instance is: columns `user_id` and a name.

    Raises AdoptionStopped.
    """
    if file is None:
        return {}
    table = import_tenants.read_table(file)
    column = next((name for name in NAME_COLUMNS if name in table.columns), None)
    if column is None or "user_id" not in table.columns:
        raise AdoptionStopped(f"{file}: the columns `user_id` and `instance_name` are needed")
    pairs = ((cells.get(column), cells.get("user_id")) for _, cells in table.lines)
    return {name: TenantId(tenant) for name, tenant in pairs if name and tenant}


async def take_setup(rows: Sequence[Row], owners: Mapping[str, TenantId]) -> SetUp:
    """Ask every server what it carries, and the database which lines there are.

    Raises AdoptionStopped if a server doesn't answer: what it carries would look absent.
    Firestore: 1 read per line.
    """
    settings = config.settings()
    sightings = await surveying.censuses(settings.servers)
    if silent := sorted(settings.servers.keys() - sightings.keys()):
        raise AdoptionStopped(f"{', '.join(silent)}: no census. Ask the doctor why.")
    return SetUp(
        rows=rows,
        places=[
            Place(server, one) for server, census in sightings.items() for one in census.values()
        ],
        lines={
            line.name: line
            async for line in services.store().instances.iterate()
            if isinstance(line, Instance)
        },
        owners=owners,
        prefix=settings.instance_prefix,
    )


async def adopt_all(setup: SetUp, most: int | None = None) -> list[str]:
    """Register every tenant that isn't yet, and adopt the instances of at most `most` of them.

    Print each line that is adopted; return who wasn't, and why.
    """
    await _in_turns(_register, setup.rows)
    tenants = list(adoption_plan.plan_adoption(setup).adoptable)[:most]
    reasons = await _in_turns(_adopt, tenants)
    return [
        f"{tenant}: {why}" for tenant, why in zip(tenants, reasons, strict=True) if why is not None
    ]


async def _register(row: Row) -> None:
    """Register a tenant, unless it is: what is known of it may be newer than the table."""
    store = services.store().tenants
    if await store.find(row.id) is None:
        fields = row.model_dump(include={"status", "max_lines"}, exclude_none=True)
        await store.update(row.id, fields, services.now())


async def _adopt(tenant: TenantId) -> str | None:
    """Ensure the tenant's line; return why it couldn't be."""
    try:
        line = await ensure.ensure_line(ensure.EnsureRequest(LineKey(tenant, DEFAULT_LINE)))
    except problems.Problem as problem:
        return problem.title
    print(f"{tenant}: {line.state}", flush=True)
    return None


async def _in_turns(act: Callable[[T], Awaitable[Outcome]], items: Iterable[T]) -> list[Outcome]:
    """Do the same for all items, a few at a time; return the outcomes in their order."""
    room = asyncio.Semaphore(AT_ONCE)

    async def act_in_turn(item: T) -> Outcome:
        async with room:
            return await act(item)

    return await asyncio.gather(*map(act_in_turn, items))


def describe(setup: SetUp, plan: AdoptionPlan) -> list[str]:
    """Describe a plan in lines: first how many of each kind, then every one that needs a look."""
    open_ones = sum(place.is_open for place in plan.adoptable.values())
    duplicates = sum(map(len, plan.duplicates.values()))
    lines = [
        f"{len(setup.rows)} tenants, {len(setup.places)} instances:",
        f"  {len(plan.adopted)} lines are adopted already",
        f"  {len(plan.adoptable)} can be adopted, {open_ones} of them connected",
        f"  {len(plan.absent)} active tenants have no instance of their name",
        f"  {len(plan.barred)} are of tenants that aren't active, and stay as they are",
        f"  {duplicates} duplicates of {len(plan.duplicates)} tenants",
        f"  {len(plan.orphans)} instances are no tenant's, {len(plan.foreign)} have a foreign name",
        f"  {len(plan.contested)} numbers are live for several tenants",
    ]
    for tenant, places in plan.duplicates.items():
        lines.append(f"duplicate: {tenant} has {setup.own_name(tenant)}, and {_list(places)}")
    lines += [f"absent: {tenant} connects when it first opens its page" for tenant in plan.absent]
    lines += [f"barred: {tenant} has {_list([place])}" for tenant, place in plan.barred.items()]
    lines += [f"orphan: {_list([place])}" for place in plan.orphans]
    lines += [f"foreign: {_list([place])}" for place in plan.foreign]
    lines += [f"one number: {', '.join(tenants)}" for tenants in plan.contested]
    return lines


def _list(places: Iterable[Place]) -> str:
    return ", ".join(
        f"{place.name} ({place.sighting.connection} on {place.server})" for place in places
    )


async def run(arguments: argparse.Namespace) -> int:
    """Plan, adopt or verify, and print it. Return 1 if something isn't as it has to be."""
    rows, owners = read_tenants(arguments.tenants), read_owners(arguments.config)
    with contextlib.redirect_stdout(sys.stderr):  # the log's lines aren't the report's
        setup = await take_setup(rows, owners)
        if arguments.what == "adopt":
            for failure in await adopt_all(setup, arguments.most):
                print(failure)
            setup = await take_setup(rows, owners)
    plan = adoption_plan.plan_adoption(setup)
    faults = [] if arguments.what == "plan" else adoption_plan.list_faults(setup)
    report = [*describe(setup, plan), *(f"not as it has to be: {fault}" for fault in faults)]
    print("\n".join(report))
    return 1 if faults else 0


def parse_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line, or these words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["plan", "adopt", "verify"])
    parser.add_argument("tenants", type=Path, help="a table: id,status[,max_lines]")
    parser.add_argument("--config", type=Path, help="a table: user_id,instance_name")
    parser.add_argument("--env", type=Path, help="the deployment's settings; else the environment")
    parser.add_argument("--most", type=int, help="adopt so many, to begin with")
    return parser.parse_args(words)


def main() -> int:
    """Do what the command line asks for. Return 1 if it couldn't be done."""
    arguments = parse_arguments()
    try:
        os.environ.update(environment.read_variables(arguments.env))
        config.settings.cache_clear()
        config.settings()
        with services.using():
            return asyncio.run(run(arguments))
    except (AdoptionStopped, environment.UnreadableFile, config.ConfigurationError) as problem:
        print(problem, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename} can't be read: {error.strerror}.", file=sys.stderr)
    except (problems.StoreUnavailable, GoogleAuthError) as problem:
        print(f"The database can't be reached: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
