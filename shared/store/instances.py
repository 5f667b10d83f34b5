"""The instances' records: placed on servers, compared, set, leased and released."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.field_path import FieldPath
from msgspec import Struct

from shared.domain import connecting
from shared.domain.event_types import LogPart
from shared.domain.instances import Instance, State
from shared.domain.names import InstanceName, TenantId
from shared.domain.search import Search, parse_search
from shared.domain.tenants import MAX_LINES_LIMIT, Tenant
from shared.store import base
from shared.store.base import CHANGED, CONTENDED, Database, Snapshot, Tell, Topic, UnreadableRecord
from shared.store.instance_documents import instance_fields, instance_in, is_meant, with_version
from shared.store.numbers import Numbers
from shared.store.server_rooms import OpenSlots, ServerLimits, Servers
from shared.store.tenants import tenant_in

WITHOUT_CODE = [field for field in Instance.model_fields if field not in ("version", "code")]
"""Fields of an instance for a survey, which has no use for the pictures of codes."""

AT_ONCE: Final = 8
"""Lines that one process places at once: more would only take slots from each other, and make calls
wait in the client until they time out."""

LOGGED: Final = {"logged_at": firestore.SERVER_TIMESTAMP}
"""What a change that the log of events tells adds, as its place there."""


class Placed(Struct, frozen=True):
    """An instance whose record exists with its slot, and whose lease the caller holds."""

    instance: Instance


class Full(Struct, frozen=True):
    """A fleet without room on any server that accepts instances; nothing was written."""


class _SlotLost(Exception):
    """A server that filled up since its slots were counted."""


class Instances(Topic):
    """One record per instance. Every method is one question or one change."""

    def __init__(
        self,
        db: Database,
        servers: Servers,
        numbers: Numbers,
        tell: Tell,
    ) -> None:
        """`tell`: called with the tenant of a line whose record says something new."""
        super().__init__(db)
        self._tell = tell
        self._servers, self._numbers = servers, numbers
        self._placing = asyncio.Semaphore(AT_ONCE)

    async def find(self, name: InstanceName) -> Instance | None:
        """Return an instance's record. Firestore: 1 read."""
        return instance_in((await self._db.read(self._db.instance(name)))[0])

    async def find_with_tenant(
        self, tenant: TenantId, name: InstanceName
    ) -> tuple[Tenant | None, Instance | None]:
        """Return a tenant and one of its instances, as far as they have records.

        Firestore: 2 reads in one round trip.
        """
        references = self._db.tenant(tenant), self._db.instance(name)
        record, instance = await self._db.read(*references)
        return tenant_in(record), instance_in(instance)

    async def list_of_tenant(self, tenant: TenantId) -> tuple[Tenant | None, list[Instance]]:
        """Return a tenant and the instances of all its lines, by line.

        Firestore: 1 + n reads; n is bounded by what a tenant may have.
        """
        (record,) = await self._db.read(self._db.tenant(tenant))
        of_tenant = FieldFilter("tenant", "==", tenant)
        query = self._db.instances.where(filter=of_tenant).limit(MAX_LINES_LIMIT)
        with base.translated():
            instances = [instance_in(snapshot) async for snapshot in query.stream(**base.LIMITS)]
        return tenant_in(record), sorted(filter(None, instances), key=lambda line: line.line)

    async def iterate(self) -> AsyncIterator[Instance | UnreadableRecord]:
        """Yield the records of all instances, without their codes. Firestore: n reads."""
        async for snapshot in self._db.iterate(self._db.instances, WITHOUT_CODE):
            yield base.read_record(instance_in, snapshot)

    async def list_page(
        self, where: dict[str, str], limit: int, after: str | None, search: str | None = None
    ) -> tuple[list[Instance], str | None]:
        """Return a page of instances with these fields, by name; of a search maybe fewer.

        Firestore: n reads, and 2 at most for a search of several words.
        """
        searched = parse_search(search) if search else None
        if search and searched is None:
            return [], None
        token = await self._choose_token(where, searched, limit) if searched else None
        snapshots, end = await self._db.query_page(
            self._db.instances, limit, after, where=where, fields=WITHOUT_CODE, token=token
        )
        lines = [line for line in base.readable(snapshots, instance_in) if line]
        return [line for line in lines if searched is None or is_meant(line, searched)], end

    async def _choose_token(self, where: dict[str, str], search: Search, limit: int) -> str:
        def query(token: str) -> Any:
            has_token = FieldFilter("tokens", "array_contains", token)
            return base.filtered(self._db.instances, where).where(filter=has_token)

        return await self._db.choose_token(search.tokens, query, limit)

    async def list_awaiting_media(self, limit: int) -> list[Instance]:
        """List instances whose removal waited for files when it was last asked for.

        Firestore: n reads, 1 at least.
        """
        query = self._db.instances.where(filter=FieldFilter("media_awaited", ">", 0))
        snapshots = await self._db.query(query.order_by("media_awaited").limit(limit))
        return [line for line in base.readable(snapshots, instance_in) if line]

    async def count(self, where: dict[str, str]) -> int:
        """Count the instances with these fields. Firestore: 1 read per 1000."""
        return await self._db.count(base.filtered(self._db.instances, where))

    async def add_tokens(self) -> int:
        """Give tokens to the records of earlier versions, which lack them; return how many.

        Firestore: 1 read per line, 1 write for each that lacked them.
        """
        count = 0
        async for snapshot in self._db.iterate(self._db.instances, [*WITHOUT_CODE, "tokens"]):
            lines = base.readable([snapshot], instance_in)
            if "tokens" in (snapshot.to_dict() or {}) or not lines or lines[0] is None:
                continue
            batch = self._db.batch()
            option = self._db.since(snapshot.update_time)
            tokens = {"tokens": instance_fields(lines[0])["tokens"]}
            batch.update(snapshot.reference, tokens, option=option)
            with suppress(*CHANGED):  # the change wrote them
                await self._db.commit(batch)
                count += 1
        return count

    async def place(
        self, wanted: Instance, servers: Iterable[ServerLimits], found_on: str | None = None
    ) -> Placed | Full | None:
        """Create the instance's record and its slot, in one commit, or neither.

        `wanted` is leased to the caller. It goes to `found_on`, the server that carries it
        already, full or not; else to the one with most room. None: the records of the tenant or
        the line changed meanwhile, so the caller has to look again.
        Firestore: 2 reads, 2 per server (none if found), and 1 per slot that is taken on the one
        chosen; 3 writes. A caller that loses a slot to another begins anew.
        """
        async with self._placing:
            return await self._place_line(
                wanted, {server.id: server for server in servers}, found_on
            )

    async def release(self, held: Instance) -> bool:
        """Delete the record and free its slot and number; False if another caller took the lease.

        Firestore: 2 or 3 reads, 3 or 4 writes and deletes.
        """
        tenant = self._db.tenant(held.tenant)
        has_record = True

        async def attempt(first: bool) -> bool:
            nonlocal has_record
            current = await self.find(held.name)
            if current is None:
                return True
            if not current.held_by(held):
                return False
            batch = self._db.batch()
            batch.delete(self._db.instance(held.name), option=self._db.since(current.version))
            await self._servers.leave_slots(batch, current.server, current.name)
            if has_record:
                without = {"tenant": held.tenant, "lines": firestore.ArrayRemove([held.line])}
                batch.update(tenant, without)
            await self._numbers.add_release(batch, current.name, current.claimed)
            try:
                await self._db.commit(batch)
            except exceptions.NotFound:
                # A tenant without a record gets none by a release; else the slot was moved.
                has_record = (await self._db.read(tenant))[0].exists
                raise
            return True

        return await base.retry_contended(attempt)

    async def relabel(self, instance: Instance, label: str, now: datetime) -> None:
        """Change the name that people see for the line. Firestore: 1 read, 2 writes."""

        def labelled(current: Instance) -> Instance:
            return current.model_copy(update={"label": label})

        if await self.change(instance.name, labelled, now):
            batch = self._db.batch()
            labels = {"tenant": instance.tenant, "labels": {instance.line: label}}
            batch.set(self._db.tenant(instance.tenant), labels, merge=True)
            await self._db.commit(batch)

    async def replace(self, old: Instance, new: Instance) -> Instance | None:
        """Write `new` over `old`. Return None, and write nothing, if the record isn't `old`.

        A record that only a send changed meanwhile is still `old`: its pace is taken over.
        Firestore: 1 write; 1 read more where it changed, and 1 write if only its pace did.
        """

        async def attempt(first: bool) -> Instance | None:
            if first:
                return await self._swap(old, new)
            current = await self.find(old.name)
            if current and new.lease not in (None, old.lease) and current.lease == new.lease:
                return current  # only the commit's answer was lost
            if current is None or not current.differs_only_in_pace(old):
                return None
            pace = {"paced_until": current.paced_until}
            return await self._swap(current, new.model_copy(update=pace))

        return await base.retry_contended(attempt)

    async def extend_lease(self, held: Instance, now: datetime, **change: Any) -> Instance | None:
        """Let the lease last its whole length from now; None if another caller has it by now.

        `change`: fields that the same write sets.
        Firestore: 1 write; 1 read more for each event that reached the record meanwhile.
        """

        async def attempt(first: bool) -> Instance | None:
            current = held if first else await self.find(held.name)
            if current is None or not current.held_by(held):
                return None
            extended = current.extended(now).model_copy(update=change)
            if not first and current.lease == extended.lease:
                return current  # only the commit's answer was lost
            return await self._swap(current, extended)

        return await base.retry_contended(attempt)

    async def release_lease(
        self, held: Instance, decide: Callable[[Instance], Instance]
    ) -> Instance | None:
        """Write what `decide` makes of the record, and release its lease.

        Return None, and write nothing, if another caller has the lease by now.
        Firestore: 1 write; 1 read more for each event that reached the record meanwhile.
        """

        async def attempt(first: bool) -> Instance | None:
            current = held if first else await self.find(held.name)
            if current is None or current.fence != held.fence:
                return None
            if current.lease is None:
                return current
            if not current.held_by(held):
                return None
            return await self._swap(current, decide(current).freed())

        return await base.retry_contended(attempt)

    async def change(
        self,
        name: InstanceName,
        decide: Callable[[Instance], Instance | None],
        now: datetime,
        known: Instance | None = None,
    ) -> Instance | None:
        """Write what `decide` makes of the record, with its number bound (P11).

        None if there is no record or nothing to change. `known`: the record, if it was just read.
        Firestore: 1 read (none if known); 1 write if it changed; 1 – 3 reads and 1 – 2 writes more
        if its number did, or it opened.
        """

        async def attempt(first: bool) -> Instance | None:
            current = (known if first else None) or await self.find(name)
            instance = decide(current) if current else None
            if current is None or instance is None:
                return None
            return await self._write(current, instance, now)

        return await base.retry_contended(attempt, CONTENDED)

    # How -------------------------------------------------------------------------------------

    async def _place_line(
        self, wanted: Instance, fleet: dict[str, ServerLimits], found_on: str | None
    ) -> Placed | Full | None:
        crowded = False

        async def attempt(first: bool) -> Placed | Full | None:
            nonlocal crowded
            tenant, current = await self.find_with_tenant(wanted.tenant, wanted.name)
            if current:
                return Placed(current) if current.held_by(wanted) else None
            if tenant and not tenant.has_room_for(wanted.line):
                return None
            where = await (
                self._servers.list_any_open(found_on)
                if found_on
                else self._servers.find_open(fleet, crowded=crowded)
            )
            if where is None:
                return Full()
            crowded = True
            if not where.numbers:
                raise _SlotLost
            return Placed(await self._create_line(wanted, tenant, where))

        return await base.retry_contended(attempt, (*CONTENDED, _SlotLost))

    async def _create_line(
        self, wanted: Instance, tenant: Tenant | None, where: OpenSlots
    ) -> Instance:
        placed = wanted.model_copy(update={"server": where.server})
        batch = self._db.batch()
        batch.create(self._db.instance(placed.name), instance_fields(placed) | LOGGED)
        self._keep_tenant(batch, placed, tenant)
        self._servers.take_slot(batch, where, placed.name)
        return with_version(placed, (await self._db.commit(batch))[0].update_time)

    def _keep_tenant(self, batch: Any, placed: Instance, tenant: Tenant | None) -> None:
        reference = self._db.tenant(placed.tenant)
        if tenant is None:
            new = Tenant(
                tenant=placed.tenant,
                lines=(placed.line,),
                labels={placed.line: placed.label},
                created_at=placed.created_at,
            )
            batch.create(reference, new.model_dump())
            return
        added = {
            "lines": firestore.ArrayUnion([placed.line]),
            FieldPath("labels", placed.line).to_api_repr(): placed.label,
        }
        batch.update(reference, added, option=self._db.since(tenant.version))

    async def _swap(self, old: Instance, new: Instance) -> Instance:
        """Write `new` if the record is `old` to the last detail, else raise contention. 1 write."""
        batch = self._db.batch()
        option = self._db.since(old.version)
        batch.update(self._db.instance(old.name), _fields_to_write(old, new), option=option)
        (result,) = await self._db.commit(batch)
        await self._tell_news(old, new)
        return with_version(new, result.update_time)

    async def _tell_news(self, old: Instance, new: Instance) -> None:
        """Tell that a line has news, unless only what is told to no endpoint changed."""
        if new.differs_visibly(old):
            await self._tell(new.tenant, LogPart.LINES)

    async def _write(self, current: Instance, instance: Instance, now: datetime) -> Instance:
        batch = self._db.batch()
        if instance.state is State.OPEN and instance.number and _opens(current, instance):
            instance = await self._bind(batch, current, instance, now)
        option = self._db.since(current.version)
        if instance == current:
            return current
        batch.update(
            self._db.instance(current.name), _fields_to_write(current, instance), option=option
        )
        results = await self._db.commit(batch)
        await self._tell_news(current, instance)
        return with_version(instance, results[-1].update_time)

    async def _bind(
        self, batch: Any, current: Instance, opened: Instance, now: datetime
    ) -> Instance:
        assert opened.number
        (claim,) = await self._db.read(self._db.number(opened.number))
        owner = await self._owner(claim, opened)
        match connecting.decide_number(current, opened, owner, now):
            case connecting.Conflict(refused):
                return refused
            case connecting.Bind(instance, free):
                self._numbers.add_claim(batch, claim, instance)
                await self._numbers.add_release(batch, instance.name, free)
                return instance

    async def _owner(self, claim: Snapshot, opened: Instance) -> Instance | None:
        name = (claim.to_dict() or {}).get("instance")
        if name == opened.name:
            return opened
        if not isinstance(name, str) or not base.is_document_id(name):
            return None
        return await self.find(InstanceName(name))


def _opens(before: Instance, after: Instance) -> bool:
    return (before.state, before.number) != (after.state, after.number)


def _fields_to_write(before: Instance, after: Instance) -> dict[str, Any]:
    """Return the fields to write, with a place in the log of events if that tells the change."""
    return instance_fields(after) | (LOGGED if after.differs_visibly(before) else {})
