"""Messages that no webhook told us of: stored once, unread, and marked as recovered."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import threads
from shared.domain.fleet.gaps import Window
from shared.domain.messages import Message
from shared.domain.names import TenantId
from shared.store import base, folding, writing
from shared.store.base import CONTENDED, Snapshot, Unfit
from shared.store.lines import tenant_in
from shared.store.messages import Messages, Through

MOST_IN = 30
"""Values that one `in` may name (Firestore limit)."""


DOUBTFUL = {"possibly_incomplete": True}


class Gaps(Messages):
    """What was missing."""

    async def recover(
        self,
        through: Through,
        missed: Sequence[Message],
        window: Window,
        *,
        now: int,
        doubtful: bool = False,
    ) -> int:
        """Those that weren't known are kept, unread, marked, and counted in the gap's record.

        `doubtful`: others of that time may be lost, which all of it says.
        How many that were; begun again it goes on where it ended. A stub that waited for its
        message is filled; one that is too large to keep is left out. Firestore: 1 read per
        message; 1 write per message that was missing or got further than we knew, 1 per
        conversation and 1 per 100.
        """
        waiting, recovered = list(folding.chunks(through, missed))[::-1], 0
        while waiting:
            chunk = waiting.pop()
            try:
                recovered += await self._recover(through, chunk, window, now, doubtful)
            except Unfit:
                half = len(chunk) // 2
                waiting += [chunk[half:], chunk[:half]] if half else []
        return recovered

    async def leave_open(self, through: Through, window: Window, now: int) -> None:
        """The gap isn't closed: its server has messages of that time that it never tells.

        Firestore: 1 write.
        """
        await self._note_gap(through, window, {"incomplete": True}, now)

    async def leave_in_doubt(self, through: Through, window: Window, now: int) -> None:
        """Record that messages of that time may be lost, whether any was found or not.

        Firestore: 1 write.
        """
        await self._note_gap(through, window, DOUBTFUL, now)

    async def _note_gap(
        self, through: Through, window: Window, marks: Mapping[str, bool], now: int
    ) -> None:
        gap = {
            "tenant": through.tenant,
            "line": through.line,
            "number": through.number,
            "since": window.since,
            "until": firestore.Maximum(window.until),
            "at": now,
            **marks,
        }
        batch = self._client.batch()
        batch.set(self._gap(through, window), gap, merge=True)
        await self._fold(batch)

    async def noted(self, through: Through, message: str) -> Mapping[str, Any]:
        """All that is kept of a message, or waits for it. Firestore: 1 read."""
        (found,) = await self._read(self._message(through, message))
        return found.to_dict() or {}

    async def strange_conversations(self, tenant: TenantId) -> int:
        """How many are of lines that the tenant never had, as far as anybody can tell.

        Firestore: 1 read, 2 counts or more.
        """
        (kept,) = await self._read(self._of(tenant))
        of = next(iter(base.readable([kept], tenant_in)), None)
        if of is None:
            return 0
        had = sorted({*of.lines, *of.labels})
        conversations = self._of(tenant).collection("conversations")
        every = await self._count(conversations)
        known = 0
        for start in range(0, len(had), MOST_IN):
            of_lines = FieldFilter("line", "in", had[start : start + MOST_IN])
            known += await self._count(conversations.where(filter=of_lines))
        return every - known

    # How -------------------------------------------------------------------------------------

    async def _recover(
        self, through: Through, chunk: Sequence[Message], window: Window, now: int, doubtful: bool
    ) -> int:
        references = [self._message(through, message.id) for message in chunk]
        marks = {"gap": window.since} | (DOUBTFUL if doubtful else {})
        async for _ in base.attempts():
            found = list(zip(chunk, await self._read(*references), strict=True))
            missing = [each for each in found if _is_missing(each[1])]
            known = [each for each in found if not _is_missing(each[1])]
            batch = self._client.batch()
            if not (self._further(batch, known, now) or missing):
                return 0
            told = [
                await self._put(batch, through, message, snapshot, now, **marks)
                for message, snapshot in missing
            ]
            if told:
                self._mark(batch, through, told, window, now, doubtful)
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return len(missing)
        raise AssertionError("attempts() ends with a problem")

    def _further(self, batch: Any, known: Iterable[tuple[Message, Snapshot]], now: int) -> bool:
        """Whether upstream knows of some of them that they got further than we know."""
        news = [
            (snapshot.reference, folding.further(_progress(snapshot), message, now))
            for message, snapshot in known
        ]
        for reference, further in news:
            if further:
                batch.set(reference, further, merge=True)
        return any(further for _, further in news)

    async def _count(self, query: Any) -> int:
        with base.translated():
            ((counted,),) = await query.count().get(**base.LIMITS)
        return int(counted.value)

    def _mark(
        self,
        batch: Any,
        through: Through,
        missing: list[Message],
        window: Window,
        now: int,
        doubtful: bool,
    ) -> None:
        for _, of_contact in groupby(missing, key=lambda message: message.contact.key):
            said = list(of_contact)
            unread = sum(not message.from_me for message in said)
            shown = {"archived": False, "recovered_at": firestore.Maximum(now)}
            told = folding.folded(through, said, unread) | shown
            conversation = through.conversation(said[0].contact)
            writing.merge(batch, self._conversation(through.tenant, conversation), told)
        gap = {
            "tenant": through.tenant,
            "line": through.line,
            "number": through.number,
            "since": window.since,
            "until": firestore.Maximum(window.until),
            "recovered": firestore.Increment(len(missing)),
            "at": now,
        } | (DOUBTFUL if doubtful else {})
        batch.set(self._gap(through, window), gap, merge=True)

    def _gap(self, through: Through, window: Window) -> Any:
        name = f"{through.line}~{window.number}~{window.since}"
        return self._document(through.tenant, "gaps", name)


def _is_missing(snapshot: Snapshot) -> bool:
    return threads.is_stub(snapshot.to_dict() or {})


def _progress(snapshot: Snapshot) -> int:
    value = (snapshot.to_dict() or {}).get("progress", 0)
    return value if isinstance(value, int) else 0
