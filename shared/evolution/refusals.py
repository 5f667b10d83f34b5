"""Which failed sends surely sent nothing, told by their texts (EVOLUTION.md §5).

A 400 and a 500 both can mean "not connected", and a 400 can come after the message went out: the
server writes its database then, and whatever breaks is told as that exception is spelled
("TypeError: …", "[object Object]"). So a status decides nothing and an exception of unknown text is
a doubt. What Evolution refuses in a sentence of its own, it refuses before it sends.
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

_UPLOAD_FAILED = re.compile(r"^(Error: )?Media upload failed on all hosts", re.IGNORECASE)
_NOT_A_FILE = re.compile(r"^Owned media must be a url", re.IGNORECASE)
_NOT_FETCHED = re.compile(r"^Request failed with status code", re.IGNORECASE)
"""An exception that nobody caught, and that has the status of whoever was asked for the file."""
_BROKE_FETCHING = re.compile(r"^AxiosError", re.IGNORECASE)
"""While a file is prepared, if the status is 500. A 400 may tell of a transcription afterwards."""

_GROUP = "@g.us"
_THROWN_OBJECT = "[object Object]"

_THROWN = re.compile(
    r"^\W*[\w$.]*(error|exception|boom)\b|^\[object |\bE[A-Z]{5,}\b|\btime(d |-)?out\b|\bclosed\b",
    re.IGNORECASE,
)
"""Reads like something that broke, at whatever moment, not like a refusal."""

_TOO_LATE = 408
"""Also a proxy's word, and it says nothing of what was done."""


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
        group = outgoing is not None and outgoing.to.endswith(_GROUP)
        return WhyNotSent.GROUP_UNKNOWN if group else WhyNotSent.NOT_ON_WHATSAPP
    if status == 400 and errors.invalid(body):
        return WhyNotSent.INVALID
    return _told(errors.texts(body)) or (_told_of(status, body, outgoing) if outgoing else None)


def _told(texts: list[str]) -> WhyNotSent | None:
    for reason, pattern in _PATTERNS.items():
        if any(pattern.search(text) for text in texts):
            return reason
    return None


def _told_of(status: int, body: Any, outgoing: Outgoing) -> WhyNotSent | None:
    """Return what only means that nothing was sent when that was what was sent.

    An edit or a deletion can be refused in a sentence after it went out (`Message not found`).
    """
    texts = errors.texts(body)
    if outgoing.to.endswith(_GROUP) and texts == [_THROWN_OBJECT]:
        return WhyNotSent.GROUP_UNKNOWN
    match outgoing.content:
        case Media(source=source) | Audio(source=source) | Sticker(source=source):
            reason = _why_no_file(status, texts, source)
        case _:
            reason = None
    return reason or (WhyNotSent.INVALID if _refuses(status, body) else None)


def _why_no_file(status: int, texts: list[str], source: str) -> WhyNotSent | None:
    """Return why the file wasn't sent; only one with an address can fail to be fetched."""

    def says(pattern: re.Pattern[str]) -> bool:
        return any(pattern.search(text) for text in texts)

    has_address = "://" in source
    if says(_UPLOAD_FAILED):
        return WhyNotSent.UPLOAD_FAILED
    if says(_NOT_A_FILE):
        return WhyNotSent.MEDIA_UNREACHABLE if has_address else WhyNotSent.INVALID
    if says(_NOT_FETCHED) or (status >= 500 and says(_BROKE_FETCHING)):
        return WhyNotSent.MEDIA_UNREACHABLE if has_address else WhyNotSent.UPLOAD_FAILED
    return None


def _refuses(status: int, body: Any) -> bool:
    """Tell whether Evolution itself says no, in sentences, before it sends anything."""
    refused = 400 <= status < 500 and status != _TOO_LATE and errors.by_evolution(body, status)
    return refused and not any(_THROWN.search(text) for text in errors.texts(body))
