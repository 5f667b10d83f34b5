"""Missed windows: messages that no webhook reported, stored once, unread, and marked as such."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from google.cloud import firestore

from shared.domain import kept_messages, positions
from shared.domain.fleet.gaps import Window
from shared.domain.messages import Message
from shared.store.base import LineScope, Snapshot, Topic, Unfit
from shared.store.messages import documents
from shared.store.messages.write import add_insert

DOUBTFUL = {"possibly_incomplete": True}


class MissedWindows(Topic):
    """Messages of missed windows, and a record of every window."""

    async def backfill(
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
        waiting, stored = list(documents.split_history(scope, missed))[::-1], 0
        while waiting:
            chunk = waiting.pop()
            try:
                stored += await self._backfill_chunk(scope, chunk, window, now, doubtful)
            except Unfit:
                half = len(chunk) // 2
                waiting += [chunk[half:], chunk[:half]] if half else []
        return stored

    async def mark_incomplete(self, scope: LineScope, window: Window, now: int) -> None:
        """Record that the window's server has messages of that time that it never returns.

        Firestore: 1 write.
        """
        await self._mark_window(scope, window, {"incomplete": True}, now)

    async def mark_doubtful(self, scope: LineScope, window: Window, now: int) -> None:
        """Record that messages of that time may be lost, whether any was found or not.

        Firestore: 1 write.
        """
        await self._mark_window(scope, window, DOUBTFUL, now)

    # How -------------------------------------------------------------------------------------

    async def _backfill_chunk(
        self,
        scope: LineScope,
        chunk: Sequence[Message],
        window: Window,
        now: int,
        doubtful: bool,
    ) -> int:
        references = [self._db.message(scope, message.id) for message in chunk]
        marks = {"gap": window.since} | (DOUBTFUL if doubtful else {})

        async def build(batch: Any, *snapshots: Snapshot) -> int:
            pairs = list(zip(_place_missing(chunk, snapshots), snapshots, strict=True))
            missing = [pair for pair in pairs if _is_missing(pair[1])]
            self._advance(batch, [pair for pair in pairs if not _is_missing(pair[1])], now)
            messages = [
                await add_insert(batch, self._db, scope, message, snapshot, now, **marks)
                for message, snapshot in missing
            ]
            if messages:
                self._add_backfilled(batch, scope, messages, window, now, doubtful)
            return len(messages)

        return await self._db.compare_and_set(references, build)

    def _advance(self, batch: Any, pairs: Iterable[tuple[Message, Snapshot]], now: int) -> None:
        """Add to the batch: the deliveries that got further upstream than is stored."""
        for message, snapshot in pairs:
            if progress := documents.progress_fields(_progress(snapshot), message, now):
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
            summary = {"archived": False, "recovered_at": firestore.Maximum(now)}
            documents.add_summary(batch, self._db, scope, messages, True, **summary)
        marks = {"recovered": firestore.Increment(len(missing))} | (DOUBTFUL if doubtful else {})
        batch.set(
            self._db.missed_window(scope, window.number, window.since),
            _window_fields(scope, window, now) | marks,
            merge=True,
        )

    async def _mark_window(
        self, scope: LineScope, window: Window, marks: Mapping[str, bool], now: int
    ) -> None:
        batch = self._db.batch()
        fields = {**_window_fields(scope, window, now), **marks}
        batch.set(self._db.missed_window(scope, window.number, window.since), fields, merge=True)
        await self._db.commit_unordered(batch)


def _window_fields(scope: LineScope, window: Window, now: int) -> dict[str, Any]:
    return {
        "tenant": scope.tenant,
        "line": scope.line,
        "number": scope.number,
        "since": window.since,
        "until": firestore.Maximum(window.until),
        "at": now,
    }


def _place_missing(chunk: Sequence[Message], snapshots: Sequence[Snapshot]) -> Iterator[Message]:
    """Yield the messages; a missing one of a second stands after the one listed before it."""
    before = dict[str, float]()
    for message, snapshot in zip(chunk, snapshots, strict=True):
        key = message.contact.key
        position = (snapshot.to_dict() or {}).get("at")
        if _is_missing(snapshot):
            position = positions.follow(message.at, before.get(key))
        if isinstance(position, int | float):
            before[key] = position
        yield message.model_copy(update={"at": before[key]}) if _is_missing(snapshot) else message


def _is_missing(snapshot: Snapshot) -> bool:
    return kept_messages.is_stub(snapshot.to_dict() or {})


def _progress(snapshot: Snapshot) -> int:
    value = (snapshot.to_dict() or {}).get("progress", 0)
    return value if isinstance(value, int) else 0
