"""Sends: a key is taken once, and its outcome is stored with the message that it became."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from msgspec import Struct

from shared.domain import kept_messages, sends
from shared.domain.conversations import Conversation
from shared.domain.instances import Instance, epoch_ms
from shared.domain.kept_messages import KeptMessage
from shared.domain.messages import Message, asked_at
from shared.domain.names import TenantId
from shared.domain.sends import Send, SendState
from shared.domain.tenants import Tenant
from shared.store import base
from shared.store.base import CHANGED, Database, LineScope, Snapshot, Topic
from shared.store.messages import documents
from shared.store.messages.documents import ids_of, message_in
from shared.store.tenants import tenant_in

if TYPE_CHECKING:
    from shared.store.instances import Instances
    from shared.store.messages.all_messages import Messages

UNSETTLED = (SendState.SENDING, SendState.UNCERTAIN)
SETTLED = (SendState.SENT, SendState.FAILED)
MOST_UNSETTLED = 50


class Claimed(Struct, frozen=True):
    """A key that the caller may send with. `line` is the record that the commit was based on."""

    send: Send
    line: Instance


class AlreadyClaimed(Struct, frozen=True):
    """A key that was taken before."""

    send: Send


class SentResult(NamedTuple):
    """A sent send as it is stored now, and whether its message was stored for the first time."""

    send: Send
    is_new: bool


class Sends(Topic):
    """Sends and their outcomes. Every method is one question or one change."""

    def __init__(self, db: Database, messages: "Messages", instances: "Instances") -> None:
        super().__init__(db)
        self._messages, self._instances = messages, instances

    async def find(self, tenant: TenantId, key: str) -> Send | None:
        """Return the send with a key. Firestore: 1 read."""
        return send_in((await self._db.read(self._db.send(tenant, key)))[0])

    async def find_with_tenant(
        self, tenant: TenantId, key: str
    ) -> tuple[Tenant | None, Send | None]:
        """Return a tenant and its send with a key. Firestore: 2 reads in one round trip."""
        references = self._db.tenant(tenant), self._db.send(tenant, key)
        record, send = await self._db.read(*references)
        return tenant_in(record), send_in(send)

    async def find_message(self, send: Send) -> KeptMessage | None:
        """Return the message that a send became. Firestore: 1 read."""
        assert send.message
        (snapshot,) = await self._db.read(self._db.message(_scope(send), send.message))
        fields = snapshot.to_dict() or {}
        return None if kept_messages.is_stub(fields) else message_in(snapshot)

    async def claim(
        self, wanted: Send, line: Instance, pace: Callable[[Instance | None], Instance]
    ) -> Claimed | AlreadyClaimed:
        """Take the key for `wanted`, unless it was taken before (a failed one may be `again`).

        `pace` makes of the line's record what it is with one message more, or raises why the line
        may not send. The key is taken only while that record is unchanged; if it changed, `pace` is
        called again with the new one (P7). Raises StoreUnavailable.
        Firestore: 2 writes; 2 reads more each time; 1 read if the key was taken before.
        """
        paced = line

        async def attempt(first: bool) -> Claimed | AlreadyClaimed:
            nonlocal paced
            send = None if first else await self.find(wanted.tenant, wanted.key)
            if send and (send.holder, send.attempt) == (wanted.holder, wanted.attempt):
                # Only the commit's answer was lost.
                return Claimed(wanted.model_copy(update={"version": send.version}), paced)
            if send and send.version != wanted.version:
                return AlreadyClaimed(send)
            paced = pace(line if first else await self._instances.find(line.name))
            batch = self._db.batch()
            self._put_send(batch, wanted)
            change, option = {"paced_until": paced.paced_until}, self._db.since(paced.version)
            batch.update(self._db.instance(paced.name), change, option=option)
            return Claimed(_versioned(wanted, await self._db.commit(batch)), paced)

        return await base.retry_contended(attempt)

    async def resolve(self, old: Send, new: Send) -> Send | None:
        """Write `new` over `old`. Return None, and write nothing, if the send isn't `old`.

        Its conversation counts its uncertain sends. Firestore: 1 write, 2 to or from `uncertain`.
        """
        batch = self._db.batch()
        self._resolve(batch, old, new)
        try:
            results = await self._db.commit(batch)
        except CHANGED:
            send = await self.find(new.tenant, new.key)
            # Where it is the same, only the commit's answer was lost.
            return send if send and _is_same(send, new) else None
        return _versioned(new, results)

    async def record_sent(self, send: Send, message: Message, now: int) -> SentResult:
        """Store the message that a send became, once, and the send as sent.

        Firestore: 3 writes; if its echo came first, 5 reads and 6 writes more.
        """
        scope, resolved = _scope(send), _as_sent(send, message.id, proven=True)
        batch = self._db.batch()
        self._resolve(batch, send, resolved)
        documents.add_message(batch, self._db, scope, message, now, send=send.key)
        documents.add_summary(
            batch, self._db, scope, [message], False, **documents.answer_fields(message)
        )
        try:
            results = await self._db.commit(batch)
        except CHANGED:
            is_new = await self._messages.record(scope, message, unread=False, now=now)
            return SentResult(await self._assign_message(send, message.id, now), is_new)
        return SentResult(_versioned(resolved, results), True)

    async def match_message(
        self, send: Send, message: str, conversation: Conversation, now: int
    ) -> bool:
        """Resolve an uncertain send as this message, unless the message is another send's.

        Its position is that of a message that was asked for then. Firestore: 2 reads, 3 writes, and
        what moving it costs.
        """
        reference = self._db.message(_scope(send), message)
        record, snapshot = await self._db.read(self._db.send(send.tenant, send.key), reference)
        current = send_in(record)
        if current is None or current.state not in UNSETTLED or not snapshot.exists:
            return False
        if (snapshot.to_dict() or {}).get("send") not in (None, send.key):
            return False
        batch = self._db.batch()
        home = {"conversation": conversation.id}
        resolved = _as_sent(current, message, proven=False).model_copy(update=home)
        resolved = _without_revoked(resolved, snapshot)
        self._resolve(batch, current, resolved)
        change = {"send": send.key, **documents.changed_fields(now)}
        batch.update(reference, change, option=self._db.since(snapshot.update_time))
        try:
            await self._db.commit(batch)
        except CHANGED:
            return False
        for stored in base.readable([snapshot], message_in):
            asked = asked_at(stored, epoch_ms(send.asked_at))
            await self._messages.record(_scope(send), asked, unread=False, now=now)
        return True

    async def list_unsettled(self, tenant: TenantId, of: Conversation) -> list[Send]:
        """List the sends into a conversation whose outcome is unknown (yet). n reads."""
        query = self._db.sends(tenant)
        query = query.where(filter=FieldFilter("conversation", "in", ids_of(of)))
        snapshots: list[Snapshot] = []
        for state in UNSETTLED:
            of_state = query.where(filter=FieldFilter("state", "==", state))
            snapshots += await self._db.query(of_state.limit(MOST_UNSETTLED))
        return [send for snapshot in snapshots if (send := send_in(snapshot))]

    async def list_overdue(self, until: datetime, limit: int, after: datetime) -> list[Send]:
        """List the unsettled sends of all tenants whose time was over by `until`, oldest first.

        Only those whose time was over `after` that. For sweeps. Firestore: n reads.
        """
        query = self._db.client.collection_group("sends")
        query = query.where(filter=FieldFilter("state", "in", list(UNSETTLED)))
        query = query.where(filter=FieldFilter("until", "<=", until))
        query = query.where(filter=FieldFilter("until", ">", after)).order_by("until")
        snapshots = await self._db.query(query.limit(limit))
        return [send for snapshot in snapshots if (send := send_in(snapshot))]

    # How -------------------------------------------------------------------------------------

    async def _assign_message(self, send: Send, message: str, now: int) -> Send:
        """Assign a stored message to the send, as the server itself answered.

        Another send that only matched it is uncertain again.
        """
        reference = self._db.message(_scope(send), message)

        async def build(batch: Any, record: Snapshot, snapshot: Snapshot) -> Send:
            current = send_in(record)
            if current is None:
                return _as_sent(send, message, proven=True)
            fields = snapshot.to_dict() or {}
            resolved = sends.as_echoed(_as_sent(current, message, proven=True), fields)
            resolved = _without_revoked(resolved, snapshot)
            owner = fields.get("send")
            if _is_same(current, resolved) and owner == send.key:
                return current
            self._resolve(batch, current, resolved)
            if owner != send.key:
                change = {"send": send.key, **documents.changed_fields(now)}
                if resolved.left_through:
                    change["left_through"] = resolved.left_through
                batch.update(reference, change, option=self._db.since(snapshot.update_time))
                await self._doubt_owner(batch, send.tenant, owner, message)
            if current.message not in (None, message):  # the match was wrong, as the answer proves
                unassigned = {"send": firestore.DELETE_FIELD}
                batch.update(self._db.message(_scope(send), current.message), unassigned)
            return resolved

        return await self._db.compare_and_set(
            [self._db.send(send.tenant, send.key), reference], build
        )

    async def _doubt_owner(
        self, batch: Any, tenant: TenantId, key: str | None, message: str
    ) -> None:
        other = await self.find(tenant, key) if key else None
        if other and other.message == message and not other.proven:
            self._resolve(batch, other, sends.doubted(other))

    def _resolve(self, batch: Any, old: Send, new: Send) -> None:
        reference = self._db.send(new.tenant, new.key)
        fields = _differences(old, new)
        if new.state in SETTLED and new.state is not old.state:
            fields["settled_at"] = firestore.SERVER_TIMESTAMP
        batch.update(reference, fields, option=self._db.since(old.version))
        change = _uncertain(new) - _uncertain(old)
        if change:
            # A conversation may begin with it, and has to be one of its line's from then on.
            count = {"line": new.line, "unsettled": firestore.Increment(change)}
            home = old.conversation if new.left_through else new.conversation
            batch.set(self._db.conversation(new.tenant, home), count, merge=True)

    def _put_send(self, batch: Any, send: Send) -> None:
        reference, fields = self._db.send(send.tenant, send.key), send.model_dump()
        if send.version is None:
            batch.create(reference, fields)
        else:
            batch.update(reference, fields, option=self._db.since(send.version))


def send_in(snapshot: Snapshot) -> Send | None:
    """Return the send in a document, if there is one. Raises ValidationError."""
    if not snapshot.exists:
        return None
    send = Send.model_validate(snapshot.to_dict())
    return send.model_copy(update={"version": snapshot.update_time})


def _versioned(send: Send, results: list[Any]) -> Send:
    """Return the send with the version of the first write, which stored it."""
    return send.model_copy(update={"version": results[0].update_time})


def _scope(send: Send) -> LineScope:
    return LineScope(send.tenant, send.line, send.number)


def _as_sent(send: Send, message: str, *, proven: bool) -> Send:
    return send.settled(SendState.SENT, message=message, proven=proven)


def _without_revoked(send: Send, snapshot: Snapshot) -> Send:
    """Return a send without its words, if the message that it became was taken back."""
    if kept_messages.is_stub(snapshot.to_dict() or {}):
        return send
    messages = base.readable([snapshot], message_in)
    return send.without_words() if any(one.surely_revoked for one in messages) else send


def _differences(old: Send, new: Send) -> dict[str, Any]:
    """Return the fields that differ: the client takes long to encode a whole send."""
    before = old.model_dump()
    return {field: value for field, value in new.model_dump().items() if value != before[field]}


def _is_same(one: Send, other: Send) -> bool:
    """Compare all fields but the version."""
    return one.model_dump() == other.model_dump()


def _uncertain(send: Send) -> int:
    return int(send.state is SendState.UNCERTAIN)
