"""Write messages, and change them, as one of several processes: for the proof of the log."""

import asyncio
import random
import sys

from google.cloud import firestore

from shared.domain import content
from shared.domain.contacts import contact_of
from shared.domain.messages import Delivery, Message
from shared.domain.names import LineId, TenantId
from shared.store import Database, LineScope, Store

ACME = TenantId("acme")
THROUGH = LineScope(ACME, LineId("default"), "5511999990001")
CONVERSATIONS = 4


async def write(project: str, writer: int, count: int) -> None:
    """Say so many messages, a few at once, and deliver half of them a moment later."""
    store, turns = Store(Database(firestore.AsyncClient(project=project))), asyncio.Semaphore(6)
    chance = random.Random(writer)

    async def say(number: int) -> None:
        async with turns:
            contact = contact_of(f"552197777{writer}{number % CONVERSATIONS:03}@s.whatsapp.net")
            assert contact
            said = content.read_content({"kind": "text", "text": f"{number:04}"})
            message = Message(
                id=f"W{writer}N{number:04}", contact=contact, from_me=False, at=1, content=said
            )
            await store.messages.record(THROUGH, message, unread=True, now=1)
            if number % 2:
                await asyncio.sleep(chance.uniform(0, 0.2))
                await store.messages.advance_delivery(THROUGH, message.id, Delivery.READ, 1)

    await asyncio.gather(*map(say, range(count)))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
