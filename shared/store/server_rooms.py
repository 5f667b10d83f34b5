"""The servers: their room, their census, and their slots.

A slot is a document for an instance that a server may carry, created if absent. A slot and its
line's record are created in one commit and deleted in one commit, so nothing counts them: the limit
holds because a placement only takes one of the numbers that are open then.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import placing
from shared.domain.fleet.capacity import Census
from shared.domain.names import InstanceName
from shared.domain.placing import Capacity
from shared.store import base
from shared.store.base import Snapshot, Topic

AT_ONCE: Final = 200
"""Changes in one commit: a slot that is given takes two writes, and Firestore takes 500."""

A_PAGE: Final = 300
"""Documents that Firestore lists in one answer at most."""

SPREAD: Final = 16
"""Free numbers among which those choose by lot who need no room below the limit."""

LEGACY_COUNTER: Final = "reserved"
"""The field of `servers/{server}` that counted placements before slots were documents. As long as
it is there, there may be lines without a slot: no line is placed there before they are seated."""


class ServerLimits(Protocol):
    """The part of a server's settings that its room depends on."""

    @property
    def id(self) -> str: ...
    @property
    def instance_max(self) -> int: ...


class ServerRoom(NamedTuple):
    """A server by its document: its room, its last census, since when it fails.

    `unseated`: a version of Perene that gave lines no slots placed some there.
    """

    capacity: Capacity
    census: Census | None
    failed_since: datetime | None
    unseated: bool


class Slot(NamedTuple):
    """A slot that is taken: its document's id, by which instance, and as of which version."""

    id: str
    instance: InstanceName
    version: Any


class OpenSlots(NamedTuple):
    """Slots of a server of which a line may take one, by their numbers."""

    server: str
    numbers: list[int]


class Seating(NamedTuple):
    """The numbers of lines that got the slot they lacked, and of slots without a line freed."""

    given: int = 0
    freed: int = 0


class Servers(Topic):
    """Servers, their room and their slots. Every method is one question or one change."""

    async def list_slots(self, server: str) -> list[Slot]:
        """List the slots of a server that are taken.

        Firestore: n reads (1 if none is); n is about the server's limit.
        """
        return list(map(_slot_in, await self._db.query(self._db.slots(server))))

    async def count_slots(self, server: str) -> int:
        """Count the slots of a server that are taken. Firestore: 1 read per 1000."""
        return await self._db.count(self._db.slots(server))

    async def seat_lines(self, server: str) -> Seating:
        """Give every line of a server a slot, beyond the limit if need be, and free those of none.

        Idempotent, and safe while lines are placed and released. Afterwards the server bears no
        counter of earlier versions.
        Firestore: 1 read, and 1 per line and per slot; 2 writes per slot given, 1 per slot freed.
        """
        seated = freed = 0

        async def attempt(first: bool) -> Seating:
            nonlocal seated, freed
            (record,) = await self._db.read(self._db.server(server))
            unseated, vacant = await self._compare(server)
            freed += await self._free_slots(server, vacant)
            seated += await self._give_slots(server, unseated)
            await self._forget_counter(record)
            return Seating(seated, freed)

        return await base.retry_contended(attempt)

    async def read_rooms(self, servers: Iterable[ServerLimits]) -> dict[str, ServerRoom]:
        """Read every server's room and last census. Firestore: 2 reads per server."""
        fleet = {server.id: server for server in servers}
        snapshots, counts = await asyncio.gather(
            self._db.read(*map(self._db.server, fleet)),
            asyncio.gather(*map(self.count_slots, fleet)),
        )
        several = zip(snapshots, fleet.values(), counts, strict=True)
        return {server.id: _room(snapshot, server, count) for snapshot, server, count in several}

    async def set_accepting(self, server: ServerLimits, accepting: bool) -> None:
        """Let new lines go to a server, or not; its lines stay. Firestore: 1 write."""
        batch = self._db.batch()
        fields = {"server": server.id, "limit": server.instance_max, "accepting": accepting}
        batch.set(self._db.server(server.id), fields, merge=True)
        await self._db.commit_unordered(batch)

    async def record_census(
        self, server: ServerLimits, census: Census | None, now: datetime
    ) -> None:
        """Store the census of a server; None: it doesn't answer, since now or an earlier census.

        Firestore: 1 write (and 1 read if it didn't answer).
        """
        reference = self._db.server(server.id)
        fields: dict[str, Any] = {"server": server.id, "limit": server.instance_max}
        if census:
            fields |= {"census": census.model_dump(), "failed_since": None}
        else:
            (snapshot,) = await self._db.read(reference)
            fields |= {"failed_since": _moment(snapshot, "failed_since") or now}
        batch = self._db.batch()
        batch.set(reference, fields, merge=True)
        await self._db.commit_unordered(batch)

    # Parts of others' commits ------------------------------------------------------------------

    async def find_open(self, fleet: dict[str, ServerLimits], *, crowded: bool) -> OpenSlots | None:
        """Choose a server with room, and list the slots that are open there; None: all are full.

        Choose the one with most room; if it is `crowded`, one by lot, or all callers that lost a
        slot to each other would meet again. Lines of earlier versions get their slots before
        anything is counted.
        Firestore: 2 reads per server, and 1 per slot that is taken on the one chosen.
        """
        servers = await self._db.read(*map(self._db.server, fleet))
        for server in filter(bears_counter, servers):
            await self.seat_lines(server.id)
        counts = await asyncio.gather(*map(self.count_slots, fleet))
        roomy = placing.find_roomy(map(capacity_in, servers, fleet.values(), counts))
        if not roomy:
            return None
        by_lot = random.choices(roomy, [room.free for room in roomy])[0] if crowded else None
        room = by_lot or placing.decide_server(roomy) or roomy[0]
        ids = await self._taken_ids(room.server, room.reserved)
        numbers = placing.free_slots(numbers_in(ids), room.limit - len(ids))
        return OpenSlots(room.server, numbers)

    def take_slot(self, batch: Any, where: OpenSlots, instance: InstanceName) -> None:
        """Add to the batch: one of the open slots is the instance's, by lot."""
        slot = self._db.slots(where.server).document(str(random.choice(where.numbers)))
        batch.create(slot, {"instance": instance})

    async def list_any_open(self, server: str) -> OpenSlots:
        """List free slots, below the limit or not, for what the server carries already."""
        numbers = numbers_in(await self._taken_ids(server))
        return OpenSlots(server, placing.free_slots(numbers, SPREAD))

    async def leave_slots(self, batch: Any, server: str, instance: InstanceName) -> None:
        """Add to the batch: the slots of an instance are free. Firestore: 1 read."""
        of_instance = FieldFilter("instance", "==", instance)
        for snapshot in await self._db.query(self._db.slots(server).where(filter=of_instance)):
            batch.delete(snapshot.reference, option=self._db.since(snapshot.update_time))

    # How -------------------------------------------------------------------------------------

    async def _taken_ids(self, server: str, counted: int = 0) -> list[str]:
        """List the ids of the slots of a server that are taken, as of one moment.

        A page is one answer: a stream wakes the event loop for each document, which takes seconds
        while hundreds of callers share it. Several pages aren't of one moment: then it is streamed.
        `counted`: how many there were a moment ago, as far as that is known.
        Firestore: n reads; 2 n of more than a page that wasn't counted.
        """
        if counted < A_PAGE:
            paged = self._db.slots(server).list_documents(page_size=A_PAGE, **base.LIMITS)
            with base.translated():
                ids = [slot.id async for slot in paged]
            if len(ids) < A_PAGE:
                return ids
        return [slot.id for slot in await self.list_slots(server)]

    async def _compare(self, server: str) -> tuple[list[InstanceName], list[Slot]]:
        """Find the lines without a slot and the slots without a line, or that are a line's second.

        Lines are read first: one that has no slot in what is read later never had one. A slot whose
        line wasn't read yet is asked about once more.
        """
        lines = await self._lines_on(server)
        slots = sorted(await self.list_slots(server), key=_order)
        seats = Counter(slot.instance for slot in slots)
        first = {slot.instance: slot.id for slot in reversed(slots)}
        second = [slot for slot in slots if first[slot.instance] != slot.id]
        strange = [slot for slot in slots if slot.instance not in lines and slot not in second]
        vacant = [slot for slot in strange if not await self._is_on(server, slot.instance)]
        return sorted(lines - seats.keys()), [*vacant, *second]

    async def _lines_on(self, server: str) -> set[InstanceName]:
        on_server = FieldFilter("server", "==", server)
        query = self._db.instances.where(filter=on_server).select(["server"])
        return {InstanceName(snapshot.id) for snapshot in await self._db.query(query)}

    async def _is_on(self, server: str, instance: InstanceName) -> bool:
        """Check whether a line's record places it there; an unreadable one might."""
        if not base.is_document_id(instance):
            return False
        (record,) = await self._db.read(self._db.instance(instance))
        where = (record.to_dict() or {}).get("server")
        return record.exists and (where == server or not isinstance(where, str))

    async def _free_slots(self, server: str, vacant: list[Slot]) -> int:
        for start in range(0, len(vacant), AT_ONCE):
            batch = self._db.batch()
            for slot in vacant[start : start + AT_ONCE]:
                option = self._db.since(slot.version)
                batch.delete(self._db.slots(server).document(slot.id), option=option)
            await self._db.commit(batch)
        return len(vacant)

    async def _give_slots(self, server: str, unseated: list[InstanceName]) -> int:
        """Give every instance a slot if its record is still there.

        (The write to the record changes nothing, so its version stays: it is the condition.)
        """
        for start in range(0, len(unseated), AT_ONCE):
            several, batch = unseated[start : start + AT_ONCE], self._db.batch()
            numbers = numbers_in(await self._taken_ids(server))
            for slot, name in zip(placing.free_slots(numbers, len(several)), several, strict=True):
                self.take_slot(batch, OpenSlots(server, [slot]), name)
                batch.update(self._db.instance(name), {"name": name})
            await self._db.commit(batch)
        return len(unseated)

    async def _forget_counter(self, server: Snapshot) -> None:
        if not bears_counter(server):
            return
        batch = self._db.batch()
        without = {LEGACY_COUNTER: firestore.DELETE_FIELD}
        batch.update(server.reference, without, option=self._db.since(server.update_time))
        await self._db.commit(batch)


def numbers_in(ids: Iterable[str]) -> set[int]:
    """Return the numbers of slots by their ids; a slot that was made by hand may have none."""
    return {int(slot) for slot in ids if slot.isdecimal()}


def bears_counter(server: Snapshot) -> bool:
    """Tell whether a version that gave lines no slots may have placed some there."""
    return LEGACY_COUNTER in (server.to_dict() or {})


def _slot_in(snapshot: Snapshot) -> Slot:
    instance = (snapshot.to_dict() or {}).get("instance")
    name = InstanceName(instance if isinstance(instance, str) else "")
    return Slot(snapshot.id, name, snapshot.update_time)


def _order(slot: Slot) -> tuple[int, str]:
    return (int(slot.id) if slot.id.isdecimal() else 0, slot.id)


def capacity_in(snapshot: Snapshot, server: ServerLimits, reserved: int) -> Capacity:
    """Return a server's room by its document and the settings; `reserved`: its counted slots."""
    accepting = (snapshot.to_dict() or {}).get("accepting")
    return Capacity.model_validate(
        {
            "server": server.id,
            "limit": server.instance_max,
            "reserved": reserved,
            "accepting": accepting,
        }
    )


def _room(snapshot: Snapshot, server: ServerLimits, reserved: int) -> ServerRoom:
    fields = (snapshot.to_dict() or {}).get("census")
    censuses = base.readable([snapshot], lambda _: Census.model_validate(fields)) if fields else ()
    census = next(iter(censuses), None)
    capacity = capacity_in(snapshot, server, reserved)
    failed_since = _moment(snapshot, "failed_since")
    return ServerRoom(capacity, census, failed_since, bears_counter(snapshot))


def _moment(snapshot: Snapshot, field: str) -> datetime | None:
    value = (snapshot.to_dict() or {}).get(field)
    return value if isinstance(value, datetime) else None
