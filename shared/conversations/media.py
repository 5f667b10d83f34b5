"""Fetch the file in a message from the server that carries its line."""

import base64
import binascii
import re
from typing import NamedTuple
from urllib.parse import quote

from shared import problems, services
from shared.domain.kept_messages import KeptMessage
from shared.domain.names import InstanceName
from shared.domain.upstream import ReceivedMedia

LIMIT = 32 * 1024 * 1024
"""Bytes that the platform lets through in one response."""

LONGEST_NAME = 200
"""Characters of a file's name, from its end: headers have limits."""

SHOWN = re.compile(r"image/(jpeg|png|webp|gif)|video/[\w.-]+|audio/[\w.-]+|application/pdf")
"""Types that a browser may show by itself. Others are downloaded: a document may hold scripts, and
so may any type that calls itself `+xml`."""

TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of reading: a name's ending could be read elsewhere."""

BYTES = "application/octet-stream"
MIMETYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;[ \w=.+-]*)?", re.ASCII)


class MediaFile(NamedTuple):
    """A message's file, and how a browser has to treat it."""

    content: bytes
    mimetype: str
    disposition: str


async def fetch_media(name: InstanceName, message: KeptMessage) -> MediaFile:
    """Fetch the file of a message. Raises MediaAbsent, MediaTooLarge, and the server's problems.

    Firestore: 1 read. Upstream: 1 call.
    """
    if message.media is None or message.revoked_at is not None:
        raise problems.MediaAbsent()
    _require_size(message.media.size or 0)
    instance = await services.store().instances.find(name)
    if instance is None:
        raise problems.MediaAbsent("The line was released.")
    media = await services.evolution(instance.server).fetch_media(name, message.id)
    if media is None:
        raise problems.MediaAbsent()
    return _file(media, message)


def _file(media: ReceivedMedia, message: KeptMessage) -> MediaFile:
    _require_size(len(media.base64) * 3 // 4 - 2)
    stored = message.media
    mimetype = (stored and stored.mimetype) or media.mimetype
    kind = mimetype if MIMETYPE.fullmatch(mimetype) else BYTES
    disposition = "inline" if SHOWN.fullmatch(kind.partition(";")[0]) else "attachment"
    name = (stored and stored.name) or media.file_name or message.id
    quoted = quote(TURNING.sub("", name)[-LONGEST_NAME:], safe="", errors="replace")
    return MediaFile(_decode(media.base64), kind, f"{disposition}; filename*=UTF-8''{quoted}")


def _decode(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=False)
    except (binascii.Error, ValueError):
        raise problems.EvolutionFailed("The file could not be read.") from None


def _require_size(size: int) -> None:
    if size > LIMIT:
        raise problems.MediaTooLarge(f"The limit is {LIMIT} bytes.")
