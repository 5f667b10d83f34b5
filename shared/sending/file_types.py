"""Compare what is said of a file, by its type, its name and how it is sent, with how it begins.

How files begin is in a library, which takes 15 ms to load: import this module where a file comes.
"""

import base64
from collections.abc import Iterable
from enum import StrEnum

import filetype

HEAD = 8 * 1024
"""Bytes of a file that are looked at; a signature lies within them."""

_ALIASES = (
    ("image/jpeg", "image/jpg", "image/pjpeg", "jpg", "jpeg", "jpe", "jfif"),
    ("image/png", "image/x-png", "image/apng", "png", "apng"),
    ("image/tiff", "tif", "tiff"),
    ("image/bmp", "image/x-ms-bmp", "image/x-bmp", "bmp"),
    ("image/heic", "image/heif", "heic", "heif"),
    (
        *("video/mp4", "audio/mp4", "audio/m4a", "audio/x-m4a", "video/x-m4v", "video/quicktime"),
        *("video/3gpp", "audio/3gpp", "video/3gpp2", "audio/aac", "audio/aacp"),
        *("mp4", "m4a", "m4v", "mov", "qt", "3gp", "3g2", "aac"),
    ),
    ("video/webm", "audio/webm", "video/x-matroska", "audio/x-matroska", "webm", "mkv", "mka"),
    ("video/x-msvideo", "video/avi", "video/msvideo", "avi"),
    ("video/x-ms-wmv", "audio/x-ms-wma", "video/x-ms-asf", "wmv", "wma", "asf"),
    (
        *("audio/ogg", "video/ogg", "application/ogg", "audio/opus", "audio/vorbis"),
        *("ogg", "oga", "ogv", "opus"),
    ),
    ("audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/mpeg3", "mp3", "mpga"),
    ("audio/x-wav", "audio/wav", "audio/wave", "audio/vnd.wave", "wav"),
    ("audio/amr", "audio/amr-wb", "amr"),
    ("application/zip", "application/x-zip-compressed", "application/x-zip", "zip"),
    ("application/x-rar-compressed", "application/vnd.rar", "application/x-rar", "rar"),
    ("application/gzip", "application/x-gzip", "gz", "tgz"),
    ("application/rtf", "text/rtf", "rtf"),
    (
        *("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"),
        *("doc", "xls", "ppt"),
    ),
)
"""Words for one format, that of the library first; a container holds either sound or pictures."""

_ALIAS = {word: words[0] for words in _ALIASES for word in words}
_ANYTHING = "application/octet-stream"
_FORMATS = {
    word: _ALIAS.get(known.mime, known.mime)
    for known in filetype.TYPES
    for word in (known.mime, known.extension)
    if known.mime != _ANYTHING
} | _ALIAS

_PDF, _MP4, _ZIP = "application/pdf", "video/mp4", "application/zip"
_OLD_OFFICE = "application/msword"
_PACKED = ("application/vnd.openxmlformats-", "application/vnd.oasis.", "application/epub", _ZIP)
_PROGRAMS = {"application/x-msdownload", "application/x-executable", "application/x-dosexec"}
_WRITTEN = (b"%PDF", b"{\\rtf", b"%!")
"""How formats begin that a person could type; of the others no file is all text."""

_TEXTS = {
    *("txt", "csv", "tsv", "md", "log", "xml", "json", "html", "htm", "svg", "ics", "vcf", "ofx"),
    *("application/json", "application/xml", "image/svg+xml"),
}
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_WIDE = (b"\xff\xfe", b"\xfe\xff")


class Shown(StrEnum):
    """How WhatsApp shows a file."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


def require_agreement(
    shown: Shown, mimetype: str | None, name: str | None, encoded: str | None
) -> None:
    """Check that a file is what it is said to be; of one at an address only the words count.

    `mimetype` may have parameters; `encoded`: the file as base64. Raises ValueError, in words for
    the caller.
    """
    kind = (mimetype or "").partition(";")[0].strip().lower()
    ending = (name or "").rpartition(".")[2].lower() if "." in (name or "") else ""
    words = [word for word in (kind, ending) if word]
    if not _may_be_shown(shown, kind) or not _is_one_format(words):
        raise ValueError("is said to be two things, by its type and by its name or kind")
    if encoded is None:
        return
    head = base64.b64decode(encoded[: HEAD // 3 * 4])
    found = _find_format(head)
    if not _begins_as_shown(shown, found, head):
        raise ValueError(f"doesn't begin like a file that is sent as {shown.value}")
    if not all(_begins_like(word, found, head) for word in words):
        raise ValueError("doesn't begin like its type or its name says")


def _may_be_shown(shown: Shown, kind: str) -> bool:
    """Tell whether a file of that type can be sent so."""
    if shown is Shown.DOCUMENT or kind in ("", _ANYTHING):
        return True
    return shown in _list_families(_FORMATS.get(kind, kind))


def _is_one_format(words: Iterable[str]) -> bool:
    """Tell whether the words that we know are for one format.

    (Browsers call an archive's contents an archive, and a table in text one of Excel's.)
    """
    formats = {_FORMATS.get(word, "text" if _is_text_word(word) else "") for word in words}
    return len(formats - {"", _ZIP, _OLD_OFFICE}) <= 1


def _is_text_word(word: str) -> bool:
    return word in _TEXTS or word.startswith("text/") or word.endswith(("+xml", "+json"))


def _find_format(head: bytes) -> str | None:
    """Find the format of a file by its beginning; None if that says nothing."""
    try:
        found = filetype.guess(head)
    except RecursionError:  # a thousand empty frames of Zstandard
        found = None
    if found and not (_is_text(head) and head[:3].isascii() and not head.startswith(_WRITTEN)):
        return _FORMATS.get(found.mime)
    if head[4:8] == b"ftyp":
        return _MP4
    return _PDF if b"%PDF-" in head[:1024] else None


def _begins_as_shown(shown: Shown, found: str | None, head: bytes) -> bool:
    if shown is Shown.DOCUMENT:
        return True
    if found is None:
        return shown is Shown.AUDIO and not _is_text(head)  # the server converts any sound
    return shown in _list_families(found)


def _list_families(known: str) -> set[str]:
    """List what a format may be shown as; sound can also be taken out of a video."""
    words = {known, *(word for word, other in _FORMATS.items() if other == known)}
    families = {word.partition("/")[0] for word in words}
    return families | {Shown.AUDIO} if Shown.VIDEO in families else families


def _begins_like(word: str, found: str | None, head: bytes) -> bool:
    """Tell whether a file may be what one word says of it."""
    said = _FORMATS.get(word)
    if said is None and _is_text_word(word):
        return found is None and (_is_text(head) or head.startswith(_WIDE))
    if said is None:
        return found not in _PROGRAMS or word == _ANYTHING
    if found is None:
        return said == _OLD_OFFICE or not (_is_always_marked(said) or _is_text(head))
    return said == found or (_is_packed(said) and _is_packed(found) and _ZIP in (said, found))


def _is_always_marked(said: str) -> bool:
    return said.startswith(("image/", "video/")) or said == _PDF or _is_packed(said)


def _is_packed(said: str) -> bool:
    return said.startswith(_PACKED)


def _is_text(head: bytes) -> bool:
    """Tell whether these bytes are text in a common encoding of one byte, or UTF-8."""
    return len(head.translate(None, _CONTROLS)) == len(head)
