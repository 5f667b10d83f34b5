"""What was changed or taken back says so wherever it is shown."""

from typing import Any

from google.api_core import exceptions
from google.cloud import firestore

from shared.domain import threads
from shared.domain.contacts import ConversationId
from shared.domain.names import TenantId
from shared.domain.threads import Conversation, KeptMessage
from shared.store import base
from shared.store.base import CONTENDED
from shared.store.folding import Through, message_in
from shared.store.threads import Threads, conversation_in, messages_through


class Retelling(Threads):
    """After a message has changed."""

    async def retell(self, through: Through, message: str, now: int) -> None:
        """Wherever the message is shown, it says what it says now: nothing if it was taken back.

        Then its words are no longer kept, nor in the messages that quote it.
        Firestore: 1 read if there is no such message yet, else 3, and 1 write if it is the
        newest of its conversation. If it was taken back, 1 write, and 1 read at least and 1 write
        for each that quotes it.
        """
        reference = self._message(through, message)
        home = await self._hushed(through, message, now)
        async for _ in base.attempts():
            if home is None:
                return
            conversation = self._conversation(through.tenant, home)
            found, summary = await self._read(reference, conversation)
            said = base.readable([found], message_in)
            of = next(iter(base.readable([summary], conversation_in)), None)
            if of is None or not said:
                return
            home = of.merged_into
            if home is None and of.preview and of.preview.message == message:
                told = await self._show(through.tenant, of, said[0])
                home = None if told else of.id

    # How -------------------------------------------------------------------------------------

    async def _hushed(self, through: Through, message: str, now: int) -> ConversationId | None:
        """Nothing is kept of what was taken back. The message's conversation, if it is known.

        Its quotes go first: who is stopped in between does it all again.
        """
        reference = self._message(through, message)
        async for _ in base.attempts():
            (found,) = await self._read(reference)
            kept = found.to_dict() or {}
            if threads.is_stub(kept):
                return None
            told = next(iter(base.readable([found], message_in)), None)
            if told is None:
                return None
            if not told.surely_revoked:
                return told.conversation
            await self._unquote(through, message, now)
            if threads.hushed(kept):
                return told.conversation
            batch = self._client.batch()
            nothing = {**threads.NOTHING_SAID, "edits": firestore.DELETE_FIELD}
            batch.update(reference, nothing, option=self._since(found.update_time))
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return told.conversation
        raise AssertionError("attempts() ends with a problem")

    async def _show(
        self, tenant: TenantId, of: Conversation, message: KeptMessage, *, unchanged: bool = False
    ) -> bool:
        """The preview is the message's; False if somebody wrote meanwhile.

        If it has to be `unchanged`, also if somebody changed the message (1 write more).
        """
        change: dict[str, Any] = {"preview": threads.preview_of(message).model_dump()}
        batch = self._client.batch()
        batch.update(self._conversation(tenant, of.id), change, option=self._since(of.version))
        if unchanged:
            reference = self._message(messages_through(tenant, of), message.id)
            batch.update(reference, {"id": message.id}, option=self._since(message.version))
        try:
            await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return False
        return True
