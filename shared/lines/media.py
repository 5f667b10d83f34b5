"""The file in a message, fetched from the server that carries its line when somebody asks."""

import base64
import binascii
import re
from typing import NamedTuple
from urllib.parse import quote

from shared import problems, services
from shared.domain.names import InstanceName
from shared.domain.threads import KeptMessage
from shared.domain.upstream import Media

LIMIT = 32 * 1024 * 1024
"""Bytes: what the platform lets through in one response."""

LONGEST_NAME = 200
"""Characters of a file's name, from its end: headers have limits."""

SHOWN = re.compile(r"image/(jpeg|png|webp|gif)|video/[\w.-]+|audio/[\w.-]+|application/pdf")
"""What a browser may show by itself; the rest is downloaded (a document may hold scripts, and
so may whatever calls itself `+xml`)."""

TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of reading: a name's ending could be read elsewhere."""

BYTES = "application/octet-stream"
MIMETYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;[ \w=.+-]*)?", re.ASCII)


class File(NamedTuple):
    """What is sent to a browser, and how it has to treat it."""

    content: bytes
    mimetype: str
    disposition: str


async def fetch(name: InstanceName, message: KeptMessage) -> File:
    """The file, if the message has one. Raises MediaAbsent, MediaTooLarge.

    Firestore: 1 read.
    """
    if message.media is None or message.revoked_at is not None:
        raise problems.MediaAbsent()
    _check(message.media.size or 0)
    instance = await services.store().instance(name)
    if instance is None:
        raise problems.MediaAbsent("The line was released.")
    found = await services.evolution(instance.server).media(name, message.id)
    if found is None:
        raise problems.MediaAbsent()
    return _file(found, message)


def _file(found: Media, message: KeptMessage) -> File:
    _check(len(found.base64) * 3 // 4 - 2)
    told = message.media
    mimetype = (told and told.mimetype) or found.mimetype
    kind = mimetype if MIMETYPE.fullmatch(mimetype) else BYTES
    shown = "inline" if SHOWN.fullmatch(kind.partition(";")[0]) else "attachment"
    name = (told and told.name) or found.file_name or message.id
    quoted = quote(TURNING.sub("", name)[-LONGEST_NAME:], safe="", errors="replace")
    return File(_decoded(found.base64), kind, f"{shown}; filename*=UTF-8''{quoted}")


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=False)
    except (binascii.Error, ValueError):
        raise problems.EvolutionFailed("The file could not be read.") from None


def _check(size: int) -> None:
    if size > LIMIT:
        raise problems.MediaTooLarge(f"The limit is {LIMIT} bytes.")
