"""Keep webhooks that are unreadable or too large as dead letters, without secrets; replay them."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared import log, problems, services
from shared.domain.events import LetterReason
from shared.domain.names import InstanceName
from shared.evolution import redaction, webhook_json
from shared.inbound.concurrency import run_aside
from shared.store.dead_letters import LONGEST, DeadLetter
from shared.webhook_token import WebhookIdentity

if TYPE_CHECKING:
    from shared.evolution.events.envelope import Envelope

NO_GENERATION = 0
"""A generation that no instance has: a connection event in a dead letter is long over."""

LONGEST_SHAPE = 64 * 1024
"""Characters of a dead letter's shape that are shown."""

Ingest = Callable[[WebhookIdentity, bytes, datetime], Awaitable[None]]


async def store_dead_letter(
    name: InstanceName, raw: bytes, reason: LetterReason, now: datetime
) -> None:
    """Keep a webhook for replay, once. Raises StoreUnavailable. Firestore: 1 write."""
    log.notice("event.unreadable", instance=name, reason=reason)
    text, digest = await run_aside(len(raw), _redact, raw)
    await services.store().dead_letters.store(name, text, reason, now, whole=digest)


def narrow(envelope: "Envelope", raw: bytes, items: list[Any]) -> bytes:
    """Return the webhook as it came, or with these items alone if it is too long to keep whole."""
    if len(raw) <= LONGEST:
        return raw
    narrowed = envelope.model_dump(mode="json", exclude={"data"}) | {"data": items}
    return json.dumps(narrowed, ensure_ascii=False).encode()


async def replay(letter_id: str, ingest: Ingest) -> bool:
    """Ingest a dead letter as if its webhook came now, and discard it if it is readable now.

    `ingest` is `ingest.ingest_webhook`, which itself stores dead letters. Return False if the
    webhook is unreadable still. Idempotent. Raises LetterUnknown, LetterCut.
    """
    letter = await _require_dead_letter(letter_id)
    if letter.cut:
        raise problems.LetterCut()
    identity = WebhookIdentity(letter.instance, NO_GENERATION)
    await ingest(identity, letter.raw.encode(), services.now())
    return await services.store().dead_letters.delete(letter)


async def discard(letter_id: str) -> None:
    """Delete a dead letter, also if it is stored again meanwhile. Raises LetterUnknown."""
    while not await services.store().dead_letters.delete(await _require_dead_letter(letter_id)):
        continue


async def _require_dead_letter(letter_id: str) -> DeadLetter:
    is_id = re.fullmatch(r"[0-9a-f]{64}", letter_id)
    letter = await services.store().dead_letters.find(letter_id) if is_id else None
    if letter is None:
        raise problems.LetterUnknown()
    return letter


async def describe(letter_id: str) -> tuple[DeadLetter, str]:
    """Return a dead letter and its shape: JSON with the length of each text in its place.

    Raises LetterUnknown. Firestore: 1 read.
    """
    letter = await _require_dead_letter(letter_id)
    return letter, await run_aside(len(letter.raw), _outline, letter.raw)


def _outline(raw: str) -> str:
    try:
        value = redaction.outline(webhook_json.parse_json(raw.encode()))
        shape = json.dumps(value, ensure_ascii=False, indent=1)
    except (ValueError, RecursionError):
        return f"({len(raw)})"
    return shape if len(shape) <= LONGEST_SHAPE else f"{shape[:LONGEST_SHAPE]}…"


def _redact(raw: bytes) -> tuple[str, str | None]:
    """Return a webhook's text without secrets (not even JSON: as it came), and perhaps a digest.

    Of a webhook that is too long to keep, that is the beginning, and the digest of the whole.
    """
    try:
        value, is_cut = redaction.strip_secrets_within(LONGEST, webhook_json.parse_json(raw))
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        is_cut = len(raw) > LONGEST
        text = redaction.strip_secrets_from_text(raw[:LONGEST].decode("utf-8", "replace"))
    return text, hashlib.sha256(raw).hexdigest() if is_cut else None
