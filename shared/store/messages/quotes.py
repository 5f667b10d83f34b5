"""Quotes of revoked messages: purged at once, and those that were stored later at night."""

from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import kept_messages
from shared.domain.messages import Quoted
from shared.domain.names import LineId, TenantId
from shared.domain.record import Record
from shared.store import base
from shared.store.base import Database, LineScope, Snapshot, Topic
from shared.store.messages.documents import LANES, changed_fields, message_in

QUOTES_AT_ONCE = 100


class QuotesChecked(NamedTuple):
    """Quotes that were compared with what they quote: all that changed `until` then.

    `purged`: how many of the quoted messages had been taken back.
    """

    until: int
    purged: int


class QuotedMessage(NamedTuple):
    """A message that another one of its line quotes."""

    scope: LineScope
    id: str


class _QuotingFields(Record):
    tenant: TenantId
    line: LineId
    quoted: Quoted


class Quotes(Topic):
    """Quotes of messages, of all tenants."""

    async def purge_late(self, since: int, now: int) -> AsyncIterator[QuotesChecked]:
        """Purge quotes that were stored after the message that they quote was revoked.

        Looks at the messages of all tenants that quote words and changed `since` then (epoch
        milliseconds), in the order of their changes, and yields after each page. For sweeps.
        Firestore: 1 read for each that quotes, 1 for each that is quoted, and what purging costs.
        """
        in_lanes = FieldFilter("lane", "in", list(range(LANES)))
        query = self._db.client.collection_group("messages").where(filter=in_lanes)
        query = query.where(filter=FieldFilter("changed", ">=", since))
        query = query.where(filter=FieldFilter("quoted.preview", ">", ""))
        query = query.order_by("changed").order_by("quoted.preview").limit(QUOTES_AT_ONCE)
        page = query.select(["tenant", "line", "quoted", "changed"])
        while quoting := await self._db.query(page):
            revoked = await self._find_revoked(quoting)
            for message in revoked:
                await purge_quotes(self._db, *message, now)
            yield QuotesChecked(int(quoting[-1].get("changed")), len(revoked))
            if len(quoting) < QUOTES_AT_ONCE:
                return
            page = page.start_after(quoting[-1])

    # How -------------------------------------------------------------------------------------

    async def _find_revoked(self, quoting: Iterable[Snapshot]) -> list[QuotedMessage]:
        """Return which of the messages that these quote were revoked. 1 read for each."""
        quoted = [one for one in base.readable(quoting, _quoted_in) if base.is_document_id(one.id)]
        by_path = {self._db.message(*message).path: message for message in quoted}
        snapshots = await self._db.read(*map(self._db.client.document, by_path))
        whole = [one for one in snapshots if not kept_messages.is_stub(one.to_dict() or {})]
        revoked = base.readable(whole, lambda one: (one, message_in(one).surely_revoked))
        return [by_path[one.reference.path] for one, is_revoked in revoked if is_revoked]


def _quoted_in(snapshot: Snapshot) -> QuotedMessage:
    """Return what the message in a document quotes. Raises ValidationError."""
    fields = _QuotingFields.model_validate(snapshot.to_dict())
    return QuotedMessage(LineScope(fields.tenant, fields.line, ""), fields.quoted.id)


async def purge_quotes(db: Database, scope: LineScope, revoked: str, now: int) -> None:
    """Remove the words of a revoked message from the line's messages that quote it.

    Firestore: 1 read at least, and 1 and 1 write for each that quotes it.
    """
    query = db.messages(scope.tenant)
    query = query.where(filter=FieldFilter("line", "==", scope.line))
    query = query.where(filter=FieldFilter("quoted.id", "==", revoked))
    query = query.where(filter=FieldFilter("quoted.preview", ">", ""))
    change = {"quoted.preview": "", **changed_fields(now)}
    # The pauses between attempts also separate one full page from the next.
    async for _ in base.attempts():
        batch, quoting = db.batch(), await db.query(query.limit(QUOTES_AT_ONCE))
        for snapshot in quoting:
            option = db.since(snapshot.update_time)
            batch.update(snapshot.reference, change, option=option)
        try:
            await db.commit(batch)
        except base.CHANGED:
            continue
        if len(quoting) < QUOTES_AT_ONCE:
            return
