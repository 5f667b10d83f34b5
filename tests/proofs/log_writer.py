"""Write messages, and change them, as one of several processes: for the proof of the log."""

import asyncio
import random
import sys

from google.cloud import firestore

from shared.domain import content
from shared.domain.contacts import Contact, contact_of
from shared.domain.messages import Delivery, Message
from shared.domain.names import LineId, TenantId
from shared.store import Database, LineScope, Store

ACME = TenantId("acme")
THROUGH = LineScope(ACME, LineId("default"), "5511999990001")
CONVERSATIONS = 4


def list_contacts(writer: int) -> list[Contact]:
    """List those with whom a writer has its conversations."""
    addresses = [f"552197777{writer}{number:03}@s.whatsapp.net" for number in range(CONVERSATIONS)]
    return [contact for address in addresses if (contact := contact_of(address))]


async def write(project: str, writer: int, count: int) -> None:
    """Say so many messages, a few at once, and deliver half of them a moment later."""
    store, turns = Store(Database(firestore.AsyncClient(project=project))), asyncio.Semaphore(6)
    chance, contacts = random.Random(writer), list_contacts(writer)

    async def say(number: int) -> None:
        async with turns:
            contact = contacts[number % CONVERSATIONS]
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
