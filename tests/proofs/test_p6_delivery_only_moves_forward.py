"""P6: delivery only moves forward, whatever comes first, the message itself included."""

import asyncio
import itertools
import random
from collections.abc import Iterable
from typing import Any

from tests.perene import Perene
from tests.proofs.stage import times

MARIA = "5511988887777@s.whatsapp.net"
STATUSES = ("PENDING", "SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED")
WORDS = (None, "pending", "sent", "delivered", "read", "played")
MESSAGE, ERROR = "the message", "ERROR"
AT = 1_795_302_085


def orders() -> list[tuple[str, ...]]:
    """Build every order of everything, and one of every part; samples, unless all are asked for.

    Every order of few things is always among them.
    """
    chance = random.Random(6)
    every = list(itertools.permutations((MESSAGE, ERROR, *STATUSES)))
    few = list(itertools.permutations((MESSAGE, ERROR, "DELIVERY_ACK", "READ")))
    parts = [
        (MESSAGE, *part)
        for size in range(7)
        for part in itertools.combinations((ERROR, *STATUSES), size)
    ]
    shuffled = [tuple(chance.sample(part, len(part))) for part in parts]
    sampled = [chance.sample(many, times(20, len(many))) for many in (shuffled, every)]
    return [*few, *itertools.chain(*sampled)]


async def test_every_order_ends_the_same(perene: Perene):
    name = await perene.pair()
    orders_by_id = {f"3A{at}": order for at, order in enumerate(orders())}

    for some in chunks(orders_by_id):
        await asyncio.gather(
            *(tell(perene, name, message_id, orders_by_id[message_id]) for message_id in some)
        )

    documents, shown = perene.documents("tenants/acme/messages"), await everything(perene)
    for message, order in orders_by_id.items():
        furthest = max((STATUSES.index(s) + 1 for s in order if s in STATUSES), default=0)
        refused = ERROR in order
        assert documents[f"default~{message}"].get("progress", 0) == max(furthest, 1), order
        assert documents[f"default~{message}"].get("refused", False) == refused, order
        assert shown[message]["delivery"] == WORDS[max(furthest, 1)], order
        assert shown[message]["failed"] == (refused and furthest < 3), order


def chunks(ids: Iterable[str], size: int = 16) -> Iterable[list[str]]:
    rest = iter(ids)
    while some := list(itertools.islice(rest, size)):
        yield some


async def tell(perene: Perene, name: str, message: str, order: tuple[str, ...]) -> None:
    """Post what became of one message in this order."""
    key = {"remoteJid": MARIA, "fromMe": True, "id": message}
    headers = perene.webhook_headers(name)
    for step in order:
        data: dict[str, Any] = {"keyId": message, "remoteJid": MARIA, "fromMe": True}
        event, data = "messages.update", data | {"status": step}
        if step == MESSAGE:
            content = {"message": {"conversation": "oi"}, "messageTimestamp": AT}
            event, data = "send.message", {"key": key, "status": "PENDING", **content}
        body = {"event": event, "instance": name, "data": data}
        envelope = body | {"sender": "5511999990001@s.whatsapp.net"}
        answer = await perene.http.post("/webhook", json=envelope, headers=headers)
        assert answer.status_code == 204


async def everything(perene: Perene) -> dict[str, dict[str, Any]]:
    """Read all messages, by id, as people see them."""
    (conversation,) = (await perene.call("GET", "/conversations")).json()["conversations"]
    shown, cursor = {}, ""
    while cursor is not None:
        path = f"/conversations/{conversation['id']}/messages?limit=100{cursor}"
        page = (await perene.call("GET", path)).json()
        shown |= {message["id"]: message for message in page["messages"]}
        cursor = f"&cursor={page['next']}" if "next" in page else None
    return shown
