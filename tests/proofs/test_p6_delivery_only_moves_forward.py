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
    """Every order of everything (a sample of them, unless all are asked for), and of every part."""
    chance = random.Random(6)
    every = list(itertools.permutations((MESSAGE, ERROR, *STATUSES)))
    few = list(itertools.permutations((MESSAGE, ERROR, "DELIVERY_ACK", "READ")))
    parts = [
        (MESSAGE, *part)
        for size in range(7)
        for part in itertools.combinations((ERROR, *STATUSES), size)
    ]
    shuffled = [tuple(chance.sample(part, len(part))) for part in parts]
    return [*few, *shuffled, *chance.sample(every, times(30, len(every)))]


async def test_every_order_ends_the_same(perene: Perene):
    name = await perene.pair()
    told = {f"3A{at}": order for at, order in enumerate(orders())}

    for some in chunks(told):
        await asyncio.gather(*(tell(perene, name, each, told[each]) for each in some))

    kept, shown = perene.documents("tenants/acme/messages"), await everything(perene)
    for message, order in told.items():
        furthest = max((STATUSES.index(s) + 1 for s in order if s in STATUSES), default=0)
        refused = ERROR in order
        assert kept[f"default~{message}"].get("progress", 0) == max(furthest, 1), order
        assert kept[f"default~{message}"].get("refused", False) == refused, order
        assert shown[message]["delivery"] == WORDS[max(furthest, 1)], order
        assert shown[message]["failed"] == (refused and furthest < 3), order


def chunks(told: Iterable[str], size: int = 16) -> Iterable[list[str]]:
    rest = iter(told)
    while some := list(itertools.islice(rest, size)):
        yield some


async def tell(perene: Perene, name: str, message: str, order: tuple[str, ...]) -> None:
    """What became of one message is told in this order."""
    key = {"remoteJid": MARIA, "fromMe": True, "id": message}
    headers = perene.webhook_headers(name)
    for step in order:
        data: dict[str, Any] = {"keyId": message, "remoteJid": MARIA, "fromMe": True}
        event, data = "messages.update", data | {"status": step}
        if step == MESSAGE:
            said = {"message": {"conversation": "oi"}, "messageTimestamp": AT}
            event, data = "send.message", {"key": key, "status": "PENDING", **said}
        body = {"event": event, "instance": name, "data": data}
        told = body | {"sender": "5511999990001@s.whatsapp.net"}
        answer = await perene.http.post("/webhook", json=told, headers=headers)
        assert answer.status_code == 204


async def everything(perene: Perene) -> dict[str, dict[str, Any]]:
    """All messages, by id, as people see them."""
    (conversation,) = (await perene.call("GET", "/conversations")).json()["conversations"]
    shown, cursor = {}, ""
    while cursor is not None:
        path = f"/conversations/{conversation['id']}/messages?limit=100{cursor}"
        page = (await perene.call("GET", path)).json()
        shown |= {message["id"]: message for message in page["messages"]}
        cursor = f"&cursor={page['next']}" if "next" in page else None
    return shown
