"""The slots of servers: a document for each instance that a server may carry, created if absent.

A slot and its line's record are created in one commit and deleted in one commit, so nothing counts
them: the limit holds because a placement only takes one of the numbers that are open then.
"""

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import placing
from shared.domain.names import InstanceName
from shared.store import base
from shared.store.base import Snapshot
from shared.store.instances import InstanceStore

AT_ONCE: Final = 200
"""Changes in one commit: a slot that is given takes two writes, and Firestore takes 500."""

A_PAGE: Final = 300
"""Documents that Firestore lists in one answer at most."""

SPREAD: Final = 16
"""Free numbers among which those choose by lot who need no room below the limit."""

LEGACY_COUNTER: Final = "reserved"
"""The field of `servers/{server}` that counted placements before slots were documents. As long as
it is there, there may be lines without a slot: no line is placed there before they are seated."""


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


class Slots(InstanceStore):
    """Slots of servers and their instances. Every method is one question or one change."""

    async def list_slots(self, server: str) -> list[Slot]:
        """List the slots of a server that are taken.

        Firestore: n reads (1 if none is); n is about the server's limit.
        """
        return list(map(_slot_in, await self._query(self._slots(server))))

    async def count_slots(self, server: str) -> int:
        """Count the slots of a server that are taken. Firestore: 1 read per 1000."""
        return await self._count(self._slots(server))

    async def seat_lines(self, server: str) -> Seating:
        """Give every line of a server a slot, beyond the limit if need be, and free those of none.

        Idempotent, and safe while lines are placed and released. Afterwards the server bears no
        counter of earlier versions.
        Firestore: 1 read, and 1 per line and per slot; 2 writes per slot given, 1 per slot freed.
        """
        seated = freed = 0

        async def attempt(first: bool) -> Seating:
            nonlocal seated, freed
            (record,) = await self._read(self._server(server))
            unseated, vacant = await self._compare(server)
            freed += await self._free_slots(server, vacant)
            seated += await self._give_slots(server, unseated)
            await self._forget_counter(record)
            return Seating(seated, freed)

        return await base.retry_contended(attempt)

    # How -------------------------------------------------------------------------------------

    def _slots(self, server: str) -> Any:
        return self._server(server).collection("slots")

    def _take_slot(self, batch: Any, where: OpenSlots, instance: InstanceName) -> None:
        """Add to the batch: one of the open slots is the instance's, by lot."""
        slot = self._slots(where.server).document(str(random.choice(where.numbers)))
        batch.create(slot, {"instance": instance})

    async def _any_slot(self, server: str) -> OpenSlots:
        """List free slots, below the limit or not, for what the server carries already."""
        numbers = numbers_in(await self._taken_ids(server))
        return OpenSlots(server, placing.free_slots(numbers, SPREAD))

    async def _taken_ids(self, server: str) -> list[str]:
        """List the ids of the slots of a server that are taken, as of one moment.

        A page is one answer: a stream wakes the event loop for each document, which takes seconds
        while hundreds of callers share it. Several pages aren't of one moment: then it is streamed.
        Firestore: n reads.
        """
        paged = self._slots(server).list_documents(page_size=A_PAGE, **base.LIMITS)
        with base.translated():
            ids = [slot.id async for slot in paged]
        return ids if len(ids) < A_PAGE else [slot.id for slot in await self.list_slots(server)]

    async def _leave_slots(self, batch: Any, server: str, instance: InstanceName) -> None:
        """Add to the batch: the slots of an instance are free. Firestore: 1 read."""
        of_instance = FieldFilter("instance", "==", instance)
        for snapshot in await self._query(self._slots(server).where(filter=of_instance)):
            batch.delete(snapshot.reference, option=self._since(snapshot.update_time))

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
        query = self._client.collection("instances").where(filter=on_server).select(["server"])
        return {InstanceName(snapshot.id) for snapshot in await self._query(query)}

    async def _is_on(self, server: str, instance: InstanceName) -> bool:
        """Check whether a line's record places it there; an unreadable one might."""
        if not base.is_document_id(instance):
            return False
        (record,) = await self._read(self._instance(instance))
        where = (record.to_dict() or {}).get("server")
        return record.exists and (where == server or not isinstance(where, str))

    async def _free_slots(self, server: str, vacant: list[Slot]) -> int:
        for start in range(0, len(vacant), AT_ONCE):
            batch = self._client.batch()
            for slot in vacant[start : start + AT_ONCE]:
                option = self._since(slot.version)
                batch.delete(self._slots(server).document(slot.id), option=option)
            await self._commit(batch)
        return len(vacant)

    async def _give_slots(self, server: str, unseated: list[InstanceName]) -> int:
        """Give every instance a slot if its record is still there.

        (The write to the record changes nothing, so its version stays: it is the condition.)
        """
        for start in range(0, len(unseated), AT_ONCE):
            several, batch = unseated[start : start + AT_ONCE], self._client.batch()
            numbers = numbers_in(await self._taken_ids(server))
            for slot, name in zip(placing.free_slots(numbers, len(several)), several, strict=True):
                self._take_slot(batch, OpenSlots(server, [slot]), name)
                batch.update(self._instance(name), {"name": name})
            await self._commit(batch)
        return len(unseated)

    async def _forget_counter(self, server: Snapshot) -> None:
        if not bears_counter(server):
            return
        batch = self._client.batch()
        without = {LEGACY_COUNTER: firestore.DELETE_FIELD}
        batch.update(server.reference, without, option=self._since(server.update_time))
        await self._commit(batch)


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
