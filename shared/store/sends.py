"""Sends: each key is taken once, and its outcome kept with the message that it was."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import names, sends, threads
from shared.domain.contacts import ConversationId
from shared.domain.instances import Instance
from shared.domain.messages import Message
from shared.domain.names import TenantId
from shared.domain.sends import Send, SendState
from shared.domain.tenants import Tenant
from shared.domain.threads import Conversation, KeptMessage
from shared.store import base, writing
from shared.store.aliases import Aliases
from shared.store.base import CONTENDED, Snapshot
from shared.store.instances import Instances
from shared.store.lines import tenant_in
from shared.store.messages import Through
from shared.store.threads import Threads, ids_of, message_in, spoken

UNSETTLED = (SendState.SENDING, SendState.UNCERTAIN)
MOST_UNSETTLED = 50
MOST_CANDIDATES = 200


@dataclass(frozen=True)
class Claimed:
    """The key is ours: nobody else sends with it. `line` is the record that the commit found."""

    send: Send
    line: Instance


@dataclass(frozen=True)
class Known:
    """The key was taken before."""

    send: Send


class Sends(Aliases, Threads, Instances):
    """What was asked to be sent. Each method is one question or one change."""

    async def opened(
        self, tenant: TenantId, conversation: ConversationId
    ) -> tuple[Tenant | None, Conversation | None]:
        """A tenant and one of its conversations, or the one it was merged into.

        Firestore: 2 reads in one round trip.
        """
        references = self._tenant(names.spell(tenant)), self._conversation(tenant, conversation)
        kept, found = await self._read(*references)
        (of,) = spoken([found]) or (None,)
        if of and of.merged_into:
            of = await self.conversation(tenant, of.merged_into)
        return tenant_in(kept), of

    async def send(self, tenant: TenantId, key: str) -> Send | None:
        """What was asked with the key. Firestore: 1 read."""
        return send_in((await self._read(self._send(tenant, key)))[0])

    async def asked(self, tenant: TenantId, key: str) -> tuple[Tenant | None, Send | None]:
        """A tenant, and what it asked with the key. Firestore: 2 reads in one round trip."""
        references = self._tenant(names.spell(tenant)), self._send(tenant, key)
        kept, found = await self._read(*references)
        return tenant_in(kept), send_in(found)

    async def message_of(self, send: Send) -> KeptMessage | None:
        """The message that a send was. Firestore: 1 read."""
        assert send.message
        (found,) = await self._read(self._message(_through(send), send.message))
        kept = found.to_dict() or {}
        return None if threads.is_stub(kept) else message_in(found)

    async def claim(
        self, wanted: Send, line: Instance, pace: Callable[[Instance | None], Instance]
    ) -> Claimed | Known:
        """Take the key for `wanted`, unless somebody took it before (a failed one may be `again`).

        `pace` makes of the line's record what it is with one message more, or raises why the line
        may not speak. Only the record that it was given may be there when the key is taken; if
        another one is, `pace` is asked again (P7). Raises StoreUnavailable.
        Firestore: 2 writes; 2 reads more each time; 1 read if the key was taken before.
        """
        current: Instance | None = line
        async for _ in base.attempts():
            paced = pace(current)
            batch = self._client.batch()
            self._put_send(batch, wanted)
            change, option = {"paced_until": paced.paced_until}, self._since(paced.version)
            batch.update(self._instance(paced.name), change, option=option)
            try:
                versions = await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                known = await self.send(wanted.tenant, wanted.key)
                if known and (known.holder, known.attempt) == (wanted.holder, wanted.attempt):
                    return Claimed(known, paced)  # only the commit's answer was lost
                if known and known.version != wanted.version:
                    return Known(known)
                current = await self.instance(line.name)
                continue
            return Claimed(wanted.model_copy(update={"version": versions[0]}), paced)
        raise AssertionError("attempts() ends with a problem")

    async def resolve(self, old: Send, new: Send) -> Send | None:
        """The send is `new`; None, and nothing written, if it isn't `old` any more.

        Its conversation knows how many of its sends nobody knows the outcome of.
        Firestore: 1 write, 2 to or from `uncertain`.
        """
        batch = self._client.batch()
        self._resolve(batch, old, new)
        try:
            versions = await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            known = await self.send(new.tenant, new.key)
            return (
                known if known and _same(known, new) else None
            )  # only the commit's answer was lost
        return new.model_copy(update={"version": versions[0]})

    async def sent(self, send: Send, message: Message, now: int) -> Send:
        """The message is kept and in its conversation, once, and the send is sent as it.

        Firestore: 3 writes; if its echo came first, 3 reads and 2 writes more.
        """
        through, done = _through(send), _done(send, message.id, proven=True)
        batch = self._client.batch()
        self._resolve(batch, send, done)
        writing.create(
            batch, self._message(through, message.id), self._new(through, message, send.key, now)
        )
        self._tell(batch, through, [message], unread=0)
        try:
            versions = await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            await self.record(through, message, unread=False, now=now)
            return await self._own(send, message.id, now)
        return done.model_copy(update={"version": versions[0]})

    async def recognise(self, send: Send, message: str, of: Conversation, now: int) -> bool:
        """By the evidence, the send was this message of this conversation, if nobody else's was.

        Firestore: 2 reads, 3 writes.
        """
        through = _through(send)
        reference = self._message(through, message)
        current, found = await self._read(self._send(send.tenant, send.key), reference)
        known = send_in(current)
        if known is None or known.state not in UNSETTLED or not found.exists:
            return False
        if (found.to_dict() or {}).get("send") not in (None, send.key):
            return False
        batch = self._client.batch()
        done = _done(known, message, proven=False).model_copy(update={"conversation": of.id})
        self._resolve(batch, known, done)
        said = {"send": send.key, "changed": firestore.Maximum(now)}
        batch.update(reference, said, option=self._since(found.update_time))
        try:
            await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return False
        return True

    async def unsettled(self, tenant: TenantId, of: Conversation) -> list[Send]:
        """The sends into a conversation of which nobody knows the outcome (yet). n reads."""
        query = self._of(tenant).collection("sends")
        query = query.where(filter=FieldFilter("conversation", "in", ids_of(of)))
        found: list[Snapshot] = []
        for state in UNSETTLED:
            of_state = query.where(filter=FieldFilter("state", "==", state))
            found += await self._found(of_state.limit(MOST_UNSETTLED))
        return [send for each in found if (send := send_in(each))]

    async def overdue(self, until: datetime, limit: int, after: datetime) -> list[Send]:
        """Of all tenants, unsettled sends whose time was over by then, the oldest first after one.

        For sweeps. Firestore: n reads.
        """
        query = self._client.collection_group("sends")
        query = query.where(filter=FieldFilter("state", "in", list(UNSETTLED)))
        query = query.where(filter=FieldFilter("until", "<=", until))
        query = query.where(filter=FieldFilter("until", ">", after)).order_by("until")
        found = await self._found(query.limit(limit))
        return [send for each in found if (send := send_in(each))]

    async def said_by_us(
        self, tenant: TenantId, of: Conversation, since: int, until: int
    ) -> list[KeptMessage]:
        """Our messages in a conversation between two moments (epoch milliseconds). n reads."""
        query = self._of(tenant).collection("messages")
        query = query.where(filter=FieldFilter("conversation", "in", ids_of(of)))
        query = query.where(filter=FieldFilter("at", ">=", since))
        query = query.where(filter=FieldFilter("at", "<=", until))
        query = query.order_by("at", direction=firestore.Query.DESCENDING)
        query = query.order_by("__name__", direction=firestore.Query.DESCENDING)
        found = await self._found(query.limit(MOST_CANDIDATES))
        return [message for each in found if (message := message_in(each)).from_me]

    # How -------------------------------------------------------------------------------------

    async def _own(self, send: Send, message: str, now: int) -> Send:
        """The message, which is there already, is this send's: the server itself said so.

        Whichever other send took it for its own, by the evidence, is uncertain again.
        """
        reference = self._message(_through(send), message)
        async for _ in base.attempts():
            current, found = await self._read(self._send(send.tenant, send.key), reference)
            known = send_in(current)
            if known is None:
                return _done(send, message, proven=True)
            kept = found.to_dict() or {}
            done = sends.as_echoed(_done(known, message, proven=True), kept)
            taken = kept.get("send")
            if _same(known, done) and taken == send.key:
                return known
            batch = self._client.batch()
            self._resolve(batch, known, done)
            if taken != send.key:
                said = {"send": send.key, "changed": firestore.Maximum(now)}
                said |= {"left_through": done.left_through} if done.left_through else {}
                batch.update(reference, said, option=self._since(found.update_time))
                await self._give_back(batch, send.tenant, taken, message)
            if known.message not in (None, message):  # evidence was wrong, as the proof says
                free = {"send": firestore.DELETE_FIELD}
                batch.update(self._message(_through(send), known.message), free)
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return done
        raise AssertionError("attempts() ends with a problem")

    async def _give_back(self, batch: Any, tenant: TenantId, key: str | None, message: str) -> None:
        other = await self.send(tenant, key) if key else None
        if other and other.message == message and not other.proven:
            self._resolve(batch, other, sends.doubted(other))

    def _resolve(self, batch: Any, old: Send, new: Send) -> None:
        batch.update(
            self._send(new.tenant, new.key), _changed(old, new), option=self._since(old.version)
        )
        change = _uncertain(new) - _uncertain(old)
        if change:
            counted = {"unsettled": firestore.Increment(change)}
            home = old.conversation if new.left_through else new.conversation
            reference = self._conversation(new.tenant, home)
            batch.set(reference, counted, merge=True)

    def _put_send(self, batch: Any, send: Send) -> None:
        reference, kept = self._send(send.tenant, send.key), send.model_dump()
        if send.version is None:
            batch.create(reference, kept)
        else:
            batch.update(reference, kept, option=self._since(send.version))

    def _send(self, tenant: TenantId, key: str) -> firestore.AsyncDocumentReference:
        return self._document(tenant, "sends", key)


def send_in(snapshot: Snapshot) -> Send | None:
    """The send in a document, if there is one."""
    if not snapshot.exists:
        return None
    kept = Send.model_validate(snapshot.to_dict())
    return kept.model_copy(update={"version": snapshot.update_time})


def _through(send: Send) -> Through:
    return Through(send.tenant, send.line, send.number)


def _done(send: Send, message: str, *, proven: bool) -> Send:
    return send.settled(SendState.SENT, message=message, proven=proven)


def _changed(old: Send, new: Send) -> dict[str, Any]:
    """What is different: the client takes long to encode a whole send."""
    before = old.model_dump()
    return {field: value for field, value in new.model_dump().items() if value != before[field]}


def _same(one: Send, other: Send) -> bool:
    """They say the same, whenever it was written."""
    return one.model_dump() == other.model_dump()


def _uncertain(send: Send) -> int:
    return int(send.state is SendState.UNCERTAIN)
