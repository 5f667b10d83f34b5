"""Tell from its texts whether a failed send surely sent nothing (EVOLUTION.md §5).

A 400 and a 500 both can mean "not connected", and a 400 can come after the message went out: the
server writes its database then, and answers with the text of whatever exception that raised
("TypeError: …", "[object Object]"). So a status decides nothing, and an exception of unknown text
leaves a doubt. What Evolution refuses in a sentence of its own, it refuses before it sends.
"""

import re
from typing import Any

from shared.domain.outgoing import Audio, Outgoing, OutgoingMedia, Sticker
from shared.domain.upstream import WhyNotSent
from shared.evolution import errors

_TEXTS = {
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
_PATTERNS = {reason: re.compile(text, re.IGNORECASE) for reason, text in _TEXTS.items()}

_UPLOAD_FAILED = re.compile(r"^(Error: )?Media upload failed on all hosts", re.IGNORECASE)
_NOT_A_FILE = re.compile(r"^Owned media must be a url", re.IGNORECASE)
_NOT_FETCHED = re.compile(r"^Request failed with status code", re.IGNORECASE)
"""An uncaught exception, with the status of the server that was asked for the file."""
_FETCH_FAILED = re.compile(r"^AxiosError", re.IGNORECASE)
"""Comes with a 500 while a file is prepared; with a 400 perhaps from a transcription after it."""

_GROUP = "@g.us"
_THROWN_OBJECT = "[object Object]"

_THROWN = re.compile(
    r"^\W*[\w$.]*(error|exception|boom)\b|^\[object |\bE[A-Z]{5,}\b|\btime(d |-)?out\b|\bclosed\b",
    re.IGNORECASE,
)
"""Texts of something that broke, at whatever moment, and not of a refusal."""

_TOO_LATE = 408
"""A status that proxies answer too; it says nothing about what was done."""


def find_refusal(status: int, body: Any, outgoing: Outgoing | None = None) -> WhyNotSent | None:
    """Find why a failed answer surely sent nothing; None if it may have sent something.

    `outgoing` is None for an edit or a deletion.
    """
    if status == 404 and errors.says_instance_missing(body):
        return WhyNotSent.INSTANCE_MISSING
    if errors.says_database_failed(body):
        return None  # the database is written after the message was (§5)
    if status == 413:
        return WhyNotSent.TOO_BIG
    if errors.says_number_unknown(body):
        group = outgoing is not None and outgoing.to.endswith(_GROUP)
        return WhyNotSent.GROUP_UNKNOWN if group else WhyNotSent.NOT_ON_WHATSAPP
    if status == 400 and errors.says_invalid(body):
        return WhyNotSent.INVALID
    reason = _match_texts(errors.list_texts(body))
    return reason or (_match_content(status, body, outgoing) if outgoing else None)


def _match_texts(texts: list[str]) -> WhyNotSent | None:
    for reason, pattern in _PATTERNS.items():
        if any(pattern.search(text) for text in texts):
            return reason
    return None


def _match_content(status: int, body: Any, outgoing: Outgoing) -> WhyNotSent | None:
    """Find a reason in texts that only prove it for the content that was sent.

    An edit or a deletion can be refused in a sentence after it went out (`Message not found`).
    """
    texts = errors.list_texts(body)
    if outgoing.to.endswith(_GROUP) and texts == [_THROWN_OBJECT]:
        return WhyNotSent.GROUP_UNKNOWN
    match outgoing.content:
        case OutgoingMedia(source=source) | Audio(source=source) | Sticker(source=source):
            reason = _find_file_refusal(status, texts, source)
        case _:
            reason = None
    return reason or (WhyNotSent.INVALID if _is_refusal(status, body) else None)


def _find_file_refusal(status: int, texts: list[str], source: str) -> WhyNotSent | None:
    """Find why a file wasn't sent; only a file with an address can fail to be fetched."""

    def says(pattern: re.Pattern[str]) -> bool:
        return any(pattern.search(text) for text in texts)

    has_address = "://" in source
    if says(_UPLOAD_FAILED):
        return WhyNotSent.UPLOAD_FAILED
    if says(_NOT_A_FILE):
        return WhyNotSent.MEDIA_UNREACHABLE if has_address else WhyNotSent.INVALID
    if says(_NOT_FETCHED) or (status >= 500 and says(_FETCH_FAILED)):
        return WhyNotSent.MEDIA_UNREACHABLE if has_address else WhyNotSent.UPLOAD_FAILED
    return None


def _is_refusal(status: int, body: Any) -> bool:
    """Tell whether Evolution itself refuses, in sentences, before it sends anything."""
    refused = (
        400 <= status < 500 and status != _TOO_LATE and errors.comes_from_evolution(body, status)
    )
    return refused and not any(_THROWN.search(text) for text in errors.list_texts(body))
