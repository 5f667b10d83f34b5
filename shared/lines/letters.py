"""What nobody understood, or what is too large, becomes a dead letter: kept, without secrets."""

import hashlib
import json
import re
from datetime import datetime
from typing import Any

from shared import log, services
from shared.domain.names import InstanceName
from shared.evolution import redaction, webhooks
from shared.evolution.webhooks import Wire
from shared.lines.aside import run_aside
from shared.store.letters import LONGEST


async def bury(name: InstanceName, raw: bytes, reason: str, now: datetime) -> None:
    """The webhook is kept for replay, once. Raises StoreUnavailable."""
    log.refused("event.unreadable", instance=name, reason=reason)
    text, whole = await run_aside(len(raw), _kept, raw)
    await services.store().bury(name, text, reason, now, whole=whole)


def about(told: Wire, raw: bytes, items: list[Any]) -> bytes:
    """The webhook as it came, or as if it told only these items if it is too long to keep whole."""
    if len(raw) <= LONGEST:
        return raw
    alone = told.model_dump(mode="json", exclude={"data"}) | {"data": items}
    return json.dumps(alone, ensure_ascii=False).encode()


def _kept(raw: bytes) -> tuple[str, str | None]:
    """The webhook without secrets; what isn't even JSON as it came.

    Of what is too long to keep, only the beginning is written, and the digest of the whole told.
    """
    try:
        value, is_cut = redaction.strip_secrets_within(LONGEST, webhooks.parsed(raw))
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        is_cut = len(raw) > LONGEST
        text = _SECRET.sub(r'\1"…"', raw[:LONGEST].decode("utf-8", "replace"))
    return text, hashlib.sha256(raw).hexdigest() if is_cut else None


_SECRET = re.compile(r'("(?:api_?key|\w*token|destination|base64|mediaKey)"\s*:\s*)"[^"]*"?', re.I)
