"""Missed windows: messages that no webhook reported, stored once, unread, and marked as such."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import conversations
from shared.domain.fleet.gaps import Window
from shared.domain.messages import Message
from shared.domain.names import TenantId
from shared.store import base, folding, writing
from shared.store.base import Snapshot, Unfit
from shared.store.lines import tenant_in
from shared.store.messages import LineScope, Messages

MOST_IN = 30
"""Values that one `in` may name (Firestore limit)."""


DOUBTFUL = {"possibly_incomplete": True}


class MissedWindows(Messages):
    """Messages of missed windows, and a record of every window."""

    async def backfill_messages(
        self,
        scope: LineScope,
        missed: Sequence[Message],
        window: Window,
        *,
        now: int,
        doubtful: bool = False,
    ) -> int:
        """Store the messages that are missing, unread and marked, and count them in the window.

        `doubtful`: others of that time may be lost, which messages and window then say.
        Return how many were missing. Idempotent. A stub that waited for its message is completed;
        a message that is too large to store is left out. Firestore: 1 read per message; 1 write per
        message that was missing or got further than was stored, 1 per conversation and 1 per 100.
        """
        waiting, stored = list(folding.split_history(scope, missed))[::-1], 0
        while waiting:
            chunk = waiting.pop()
            try:
                stored += await self._backfill_chunk(scope, chunk, window, now, doubtful)
            except Unfit:
                half = len(chunk) // 2
                waiting += [chunk[half:], chunk[:half]] if half else []
        return stored

    async def mark_window_incomplete(self, scope: LineScope, window: Window, now: int) -> None:
        """Record that the window's server has messages of that time that it never returns.

        Firestore: 1 write.
        """
        await self._mark_window(scope, window, {"incomplete": True}, now)

    async def mark_window_doubtful(self, scope: LineScope, window: Window, now: int) -> None:
        """Record that messages of that time may be lost, whether any was found or not.

        Firestore: 1 write.
        """
        await self._mark_window(scope, window, DOUBTFUL, now)

    async def read_message_fields(self, scope: LineScope, message: str) -> Mapping[str, Any]:
        """Return the fields of a message or of its stub. Firestore: 1 read."""
        (snapshot,) = await self._read(self._message(scope, message))
        return snapshot.to_dict() or {}

    async def count_strange_conversations(self, tenant: TenantId) -> int:
        """Count the conversations of lines that, by its record, the tenant never had.

        Firestore: 1 read, 2 counts or more.
        """
        (snapshot,) = await self._read(self._of(tenant))
        record = next(iter(base.readable([snapshot], tenant_in)), None)
        if record is None:
            return 0
        lines = sorted({*record.lines, *record.labels})
        collection = self._of(tenant).collection("conversations")
        total, of_lines = await self._count(collection), 0
        for start in range(0, len(lines), MOST_IN):
            in_lines = FieldFilter("line", "in", lines[start : start + MOST_IN])
            of_lines += await self._count(collection.where(filter=in_lines))
        return total - of_lines

    # How -------------------------------------------------------------------------------------

    async def _backfill_chunk(
        self,
        scope: LineScope,
        chunk: Sequence[Message],
        window: Window,
        now: int,
        doubtful: bool,
    ) -> int:
        references = [self._message(scope, message.id) for message in chunk]
        marks = {"gap": window.since} | (DOUBTFUL if doubtful else {})

        async def build(batch: Any, *snapshots: Snapshot) -> int:
            pairs = list(zip(chunk, snapshots, strict=True))
            missing = [pair for pair in pairs if _is_missing(pair[1])]
            self._advance(batch, [pair for pair in pairs if not _is_missing(pair[1])], now)
            messages = [
                await self._insert(batch, scope, message, snapshot, now, **marks)
                for message, snapshot in missing
            ]
            if messages:
                self._add_backfilled(batch, scope, messages, window, now, doubtful)
            return len(messages)

        return await self.compare_and_set(references, build)

    def _advance(self, batch: Any, pairs: Iterable[tuple[Message, Snapshot]], now: int) -> None:
        """Add to the batch: the deliveries that got further upstream than is stored."""
        for message, snapshot in pairs:
            if progress := folding.progress_fields(_progress(snapshot), message, now):
                batch.set(snapshot.reference, progress, merge=True)

    def _add_backfilled(
        self,
        batch: Any,
        scope: LineScope,
        missing: list[Message],
        window: Window,
        now: int,
        doubtful: bool,
    ) -> None:
        """Add to the batch: the conversations of the messages, and their count in the window."""
        for _, group in groupby(missing, key=lambda message: message.contact.key):
            messages = list(group)
            unread = sum(not message.from_me for message in messages)
            summary = folding.summary_fields(scope, messages, unread)
            summary |= {"archived": False, "recovered_at": firestore.Maximum(now)}
            conversation = scope.conversation_id(messages[0].contact)
            writing.merge(batch, self._conversation(scope.tenant, conversation), summary)
        marks = {"recovered": firestore.Increment(len(missing))} | (DOUBTFUL if doubtful else {})
        batch.set(self._gap(scope, window), _window_fields(scope, window, now) | marks, merge=True)

    async def _mark_window(
        self, scope: LineScope, window: Window, marks: Mapping[str, bool], now: int
    ) -> None:
        batch = self._client.batch()
        fields = {**_window_fields(scope, window, now), **marks}
        batch.set(self._gap(scope, window), fields, merge=True)
        await self._commit_unordered(batch)

    def _gap(self, scope: LineScope, window: Window) -> Any:
        name = f"{scope.line}~{window.number}~{window.since}"
        return self._document(scope.tenant, "gaps", name)


def _window_fields(scope: LineScope, window: Window, now: int) -> dict[str, Any]:
    return {
        "tenant": scope.tenant,
        "line": scope.line,
        "number": scope.number,
        "since": window.since,
        "until": firestore.Maximum(window.until),
        "at": now,
    }


def _is_missing(snapshot: Snapshot) -> bool:
    return conversations.is_stub(snapshot.to_dict() or {})


def _progress(snapshot: Snapshot) -> int:
    value = (snapshot.to_dict() or {}).get("progress", 0)
    return value if isinstance(value, int) else 0
