"""What became of messages after they were said: deliveries, edits, revocations, reactions, names.

All of it is folded in blindly, whether the message is known yet or not.
"""

from typing import Any

from google.api_core import exceptions
from google.cloud import firestore

from shared.domain import tidying
from shared.domain.contacts import Contact
from shared.domain.messages import Delivery
from shared.domain.threads import Edit, Reaction
from shared.store import writing
from shared.store.base import Unfit
from shared.store.folding import Through, named
from shared.store.messages import Messages

TIDIED_EVERY = 32
"""Edits and reactions of one message, after which those that can't matter any more are dropped."""


class News(Messages):
    """What webhooks tell of messages. Each method is one change, safe to repeat in any order."""

    async def move(self, through: Through, message: str, delivery: Delivery, now: int) -> None:
        """The message got at least so far, whether we have it yet or not. Firestore: 1 write."""
        await self._note(through, message, {"progress": firestore.Maximum(delivery)}, now)

    async def refuse(self, through: Through, message: str, now: int) -> None:
        """WhatsApp refused the message, whether we have it yet or not. Firestore: 1 write."""
        await self._note(through, message, {"refused": True}, now)

    async def edit(self, through: Through, message: str, key: str, edit: Edit, now: int) -> None:
        """The message was changed; what it was before stays. Raises Unfit.

        Firestore: 1 write; of every 32nd 1 read and 1 write more.
        """
        await self._pile(through, message, {"edits": {key: edit.model_dump()}}, now)

    async def revoke(
        self, through: Through, message: str, at: int, by: tuple[str, ...], now: int
    ) -> None:
        """Somebody says that the message was taken back, by one of these. Firestore: 1 write."""
        told = {"revoked_by": {who: firestore.Maximum(at) for who in by}}
        await self._note(through, message, told, now)

    async def react(
        self, through: Through, message: str, actor: str, key: str, reaction: Reaction, now: int
    ) -> None:
        """Somebody reacted, or took a reaction back.

        Firestore: 1 write; of every 32nd 1 read and 1 write more.
        """
        given = {"reactions": {actor: {key: reaction.model_dump()}}}
        await self._pile(through, message, given, now)

    async def name(self, through: Through, contact: Contact, name: str) -> bool:
        """The conversation shows this name; a person's only if there is one already.

        (A group is told its subject before anybody writes in it.) Firestore: 1 write at most.
        """
        batch = self._client.batch()
        reference = self._conversation(through.tenant, through.conversation(contact))
        if contact.group:
            batch.set(reference, named(name), merge=True)
        else:
            batch.update(reference, named(name))
        try:
            await self._fold(batch)
        except exceptions.NotFound:
            return False
        return True

    # How -------------------------------------------------------------------------------------

    async def _note(self, through: Through, message: str, fields: dict[str, Any], now: int) -> None:
        """One more fact of the message; if that is too full to be told, it is tidied first."""
        batch = self._client.batch()
        noted = fields | {"changed": firestore.Maximum(now)}
        batch.set(self._message(through, message), noted, merge=True)
        await self._fitted(through, message, batch)

    async def _pile(self, through: Through, message: str, fields: dict[str, Any], now: int) -> None:
        """The same, of a fact of which there may be any number."""
        reference, batch = self._message(through, message), self._client.batch()
        counted = {"told": firestore.Increment(1), "changed": firestore.Maximum(now)}
        writing.merge(batch, reference, counted | fields)
        (result,) = await self._fitted(through, message, batch)
        if result.transform_results[0].integer_value % TIDIED_EVERY == 0:
            await self._tidy(through, message)

    async def _fitted(self, through: Through, message: str, batch: Any) -> list[Any]:
        """A commit that is done; for want of room after making some, if need be all there is."""
        for words in tidying.EVER_LESS:
            try:
                return await self._fold(batch)
            except Unfit:
                await self._tidy(through, message, words)
        return await self._fold(batch)
