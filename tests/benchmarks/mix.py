"""Generate the webhooks of several lines, as a busy agency's servers post them.

Of 100 webhooks 70 bring texts, 10 files and 20 statuses of earlier messages; few contacts write
much and many little. Some write in groups, some by lid, some numbers come with and without the
ninth digit. Bodies have the shapes that were recorded.
"""

import json
import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from heapq import heappop, heappush
from itertools import accumulate, count
from typing import Any, NamedTuple

from shared.domain.messages import Delivery
from tests.adapters import posted
from tests.benchmarks.arrivals import STATUS, Arrival
from tests.perene import name_of

LINES = tuple((f"agency-{at}", line) for at in range(3) for line in ("default", "sales"))
"""Tenants and their lines."""

CONTACTS = 400
"""Of all lines; every number and group is a contact of each."""

SHARES = {"text": 70, "media": 10, "status": 20}
OURS = 0.3
"""Of the messages that aren't a group's, those that we wrote."""

REPEATED, LATE = 0.05, 0.05
"""Of all webhooks, those that were posted before, and those that others overtake."""

LATEST = 40
"""How many may overtake one."""

RECENT = 4
"""Messages of ours that the next status may be about; and twenty times as many may be repeated."""

PICTURE_SIZE = 2_900
"""Bytes of a picture's webhook, with a thumbnail as WhatsApp makes them."""

MEDIA = ("image", "audio", "document")
_RECORDED = {
    "text": "messages.upsert.in-conversation.json",
    "image": "messages.upsert.in-image.json",
    "audio": "messages.upsert.in-audio-ptt.json",
    "document": "messages.upsert.in-documentWithCaption.json",
    STATUS: "messages.update.sendText-READ.json",
}
_STATUSES = {Delivery.DELIVERED: "DELIVERY_ACK", Delivery.READ: "READ"}


class Webhook(NamedTuple):
    """What is posted, and what it says."""

    arrival: Arrival
    instance: str
    body: bytes


def generate_mix(seed: int, began: int) -> Iterator[Webhook]:
    """Generate webhooks without end, as they arrive; the first was said at `began` (epoch s)."""
    draw, waiting = random.Random(seed), list[tuple[int, int, Webhook]]()
    for index, webhook in enumerate(_repeat_some(draw, _emit(draw, began))):
        late = draw.randint(1, LATEST) if draw.random() < LATE else 0
        heappush(waiting, (index + late, index, webhook))
        while waiting and waiting[0][0] <= index:
            yield heappop(waiting)[2]


def _repeat_some(draw: random.Random, webhooks: Iterator[Webhook]) -> Iterator[Webhook]:
    recent = deque[Webhook](maxlen=20 * RECENT)
    for webhook in webhooks:
        yield webhook
        recent.append(webhook)
        if draw.random() < REPEATED / (1 - REPEATED):
            yield draw.choice(recent)


def _emit(draw: random.Random, began: int) -> Iterator[Webhook]:
    """Yield webhooks in the order of what they say."""
    ours = deque[Arrival](maxlen=RECENT)
    weights = list(accumulate(1 / rank for rank in range(1, CONTACTS + 1)))
    for index in count():
        (kind,) = draw.choices(tuple(SHARES), tuple(SHARES.values()))
        if kind == STATUS and ours:
            yield _build_status(draw, ours)
            continue
        (contact,) = draw.choices(range(CONTACTS), cum_weights=weights)
        content = draw.choice(MEDIA) if kind == "media" else "text"
        webhook = _build_message(draw, content, contact, (began + index) * 1000)
        if webhook.arrival.delivery:
            ours.append(webhook.arrival)
        yield webhook


def _build_status(draw: random.Random, ours: "deque[Arrival]") -> Webhook:
    """Build the next status of a recent message."""
    place = draw.randrange(len(ours))
    delivery = Delivery(min(ours[place].delivery + 1, Delivery.READ))
    message = ours[place] = ours[place]._replace(delivery=delivery)
    address = f"{_spell_number(message.contact, has_nine=True)}@s.whatsapp.net"
    change = {"keyId": message.message, "remoteJid": address, "status": _STATUSES[delivery]}
    return _render(message._replace(shape=STATUS), change)


def _build_message(draw: random.Random, content: str, contact: int, at: int) -> Webhook:
    (tenant, line), number = LINES[contact % len(LINES)], contact // len(LINES)
    message = f"3A{draw.getrandbits(72):018X}"
    chat, name, key = _address(draw, number)
    delivery = Delivery.SENT if key["fromMe"] else 0
    arrival = Arrival(f"{content} {chat}", tenant, line, name, message, at, delivery)
    data = {"key": {"id": message, **key}, "messageTimestamp": at // 1000}
    status = "SERVER_ACK" if delivery else "DELIVERY_ACK"
    return _render(arrival, {**data, "status": status, "pushName": f"Contato {number}"})


def _address(draw: random.Random, number: int) -> tuple[str, str, dict[str, Any]]:
    """Return the sort of chat, the contact, and the key of a message in it, but for its id."""
    contact = f"55118{number:07}"
    jid = f"{_spell_number(contact, has_nine=draw.random() < 0.5)}@s.whatsapp.net"
    if number % 4 == 3:
        group = {"remoteJid": f"{120363000000000000 + number}@g.us", "participant": jid}
        return "of a group", f"g{number}", {**group, "fromMe": False, "addressingMode": "pn"}
    if draw.random() < OURS:
        return "of ours", contact, {"remoteJid": jid, "fromMe": True, "addressingMode": "pn"}
    if number % 4 == 1 and draw.random() < 0.5:
        addresses = {"remoteJid": f"{111222333000000 + number}@lid", "remoteJidAlt": jid}
        return "by lid", contact, {**addresses, "fromMe": False, "addressingMode": "lid"}
    return "of a person", contact, {"remoteJid": jid, "fromMe": False, "addressingMode": "pn"}


def _spell_number(contact: str, *, has_nine: bool) -> str:
    return f"{contact[:4]}9{contact[4:]}" if has_nine else contact


def _render(arrival: Arrival, change: dict[str, Any]) -> Webhook:
    """Render the recorded body with other data."""
    body = _load_body(arrival.shape.partition(" ")[0])
    instance, at = name_of(arrival.tenant, arrival.line), arrival.at / 1000 + 0.2
    written = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    number = 5511999990001 + LINES.index((arrival.tenant, arrival.line))
    sender = f"{number}@s.whatsapp.net"
    envelope = {"instance": instance, "sender": sender, "date_time": written.replace("+00:00", "Z")}
    rendered = {**body, **envelope, "data": body["data"] | change}
    return Webhook(arrival, instance, json.dumps(rendered).encode())


@cache
def _load_body(content: str) -> dict[str, Any]:
    body: dict[str, Any] = posted.body(_RECORDED[content])
    if content == "image":
        picture = body["data"]["message"]["imageMessage"]
        picture["jpegThumbnail"] = ""
        picture["jpegThumbnail"] = "/9j/" * ((PICTURE_SIZE - len(json.dumps(body))) // 4)
    return body
