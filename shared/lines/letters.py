"""What nobody understood, or what is too large, becomes a dead letter: kept, without secrets."""

import json
import re
from datetime import datetime
from typing import Any

from shared import log, services
from shared.domain.names import InstanceName
from shared.evolution import redaction, webhooks
from shared.evolution.webhooks import Wire
from shared.store.letters import LONGEST


async def bury(name: InstanceName, raw: bytes, reason: str, now: datetime) -> None:
    """The webhook is kept for replay, once. Raises StoreUnavailable."""
    log.refused("event.unreadable", instance=name, reason=reason)
    await services.store().bury(name, _kept(raw), reason, now)


def about(told: Wire, raw: bytes, item: Any) -> bytes:
    """The webhook as it came, or as if it told only this item if it is too long to keep whole."""
    if len(raw) <= LONGEST:
        return raw
    alone = told.model_dump(mode="json", exclude={"data"}) | {"data": [item]}
    return json.dumps(alone, ensure_ascii=False).encode()


def _kept(raw: bytes) -> str:
    """The webhook without secrets; what isn't even JSON as it came."""
    try:
        return json.dumps(redaction.strip_secrets(webhooks.parsed(raw)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return _SECRET.sub(r'\1"…"', raw.decode("utf-8", "replace"))


_SECRET = re.compile(r'("(?:api_?key|\w*token|destination|base64|mediaKey)"\s*:\s*)"[^"]*"?', re.I)
