"""Which failed sends surely sent nothing, told by their texts (EVOLUTION.md §5).

A 400 and a 500 both can mean "not connected", and both can come after the message went out (the
server writes its database then), so a status decides nothing and an unknown text is a doubt.
"""

import re
from typing import Any

from shared.domain.outgoing import Audio, Media, Outgoing, Sticker
from shared.domain.upstream import WhyNotSent
from shared.evolution import errors

_TELLING = {
    WhyNotSent.NOT_CONNECTED: (
        r"^(TypeError: )?Cannot read properties of undefined \(reading 'onWhatsApp'\)$"  # never was
        r"|^(Error: )?Connection Closed$"  # the socket is down
        r"|^(TypeError: )?Cannot read properties of undefined \(reading 'id'\)"  # waits for a scan
        r"|^Cannot read properties of undefined \(reading 'find'\)"  # the lookup wasn't answered
        r"|^(Error: )?SessionError: No sessions"  # nothing to encrypt with, so nothing was written
    ),
    WhyNotSent.RESTRICTED: r"^\W*(Error: )?(463\b|.{0,40}reach.?out|account.{0,20}restricted)",
    WhyNotSent.UNSUPPORTED: r"^Method not available on|^Cannot (POST|PUT|DELETE) /",
    WhyNotSent.TOO_BIG: r"request entity too large|payload too large",
    WhyNotSent.INVALID: (
        r"^File or buffer is undefined|JSON input|in JSON at|is not valid JSON"
        r"|^Message not compatible"
    ),
}
_PATTERNS = {reason: re.compile(text, re.IGNORECASE) for reason, text in _TELLING.items()}

_MEDIA_UNREACHABLE = re.compile(
    r"^Owned media must be a url or base64|^AxiosError|^(Error: )?Media upload failed on all hosts",
    re.IGNORECASE,
)

_GROUP_UNKNOWN = "[object Object]"


def reason_not_sent(status: int, body: Any, outgoing: Outgoing | None = None) -> WhyNotSent | None:
    """Why this failed answer surely sent nothing, or None: it may have.

    Without `outgoing`, of an edit or a deletion.
    """
    if status == 404 and errors.instance_missing(body):
        return WhyNotSent.INSTANCE_MISSING
    if errors.from_database(body):
        return None  # the database is written after the message was (§5)
    if status == 413:
        return WhyNotSent.TOO_BIG
    if errors.unknown_number(body):
        return WhyNotSent.NOT_ON_WHATSAPP
    if status == 400 and errors.invalid(body):
        return WhyNotSent.INVALID
    return _told(errors.texts(body), outgoing)


def _told(texts: list[str], outgoing: Outgoing | None) -> WhyNotSent | None:
    for reason, pattern in _PATTERNS.items():
        if any(pattern.search(text) for text in texts):
            return reason
    return _told_of(texts, outgoing) if outgoing else None


def _told_of(texts: list[str], outgoing: Outgoing) -> WhyNotSent | None:
    """What only means that nothing was sent when that was what was sent."""
    carries_media = isinstance(outgoing.content, Media | Audio | Sticker)
    if carries_media and any(_MEDIA_UNREACHABLE.search(text) for text in texts):
        return WhyNotSent.MEDIA_UNREACHABLE
    if outgoing.to.endswith("@g.us") and texts == [_GROUP_UNKNOWN]:
        return WhyNotSent.NOT_ON_WHATSAPP
    return None
