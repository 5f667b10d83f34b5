"""Serve the file in a message: from the bucket, or from the server that carries its line."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from msgspec import Struct
from pydantic import AwareDatetime, Field

from shared import problems, services
from shared.byte_ranges import ByteSpan
from shared.domain.kept_messages import KeptMessage
from shared.domain.media_state import MediaCopy, MediaLoss, MediaState
from shared.domain.names import InstanceName, TenantId
from shared.domain.record import Record
from shared.media.object_names import name_file

if TYPE_CHECKING:
    from shared.bucket import ObjectStream

LIMIT: Final = 32 * 1024 * 1024
"""Bytes of a file that is fetched from a server: it is in memory as a whole, as its length has to
be known before its first byte is answered."""

PIECE: Final = 256 * 1024
LINK_TIME: Final = timedelta(minutes=15)
LONGEST_NAME: Final = 200
"""Characters of a file's name, from its end: headers have limits, and so have links."""

LONGEST_TYPE: Final = 200

SHOWN = re.compile(r"image/(jpeg|png|webp|gif)|video/[\w.-]+|audio/[\w.-]+|application/pdf")
"""Types that a browser may show by itself. Others are downloaded: a document may hold scripts, and
so may any type that calls itself `+xml`."""

TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of reading: a name's ending could be read elsewhere."""

BYTES = "application/octet-stream"
MIMETYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;[ \w=.+-]*)?", re.ASCII)


class MediaFile(Struct, frozen=True):
    """A message's file, or a part of it, and how a browser has to treat it."""

    chunks: AsyncIterator[bytes]
    size: int
    mimetype: str
    disposition: str
    etag: str | None = None
    span: ByteSpan | None = None


class MediaLink(Record):
    """An address of a file that needs no token, for a short while."""

    url: str = Field(description="It is all that a download needs")
    expires_at: AwareDatetime


def require_file(message: KeptMessage) -> None:
    """Check that a message has a file that may be shown. Raises MediaAbsent."""
    is_gone = message.revoked_at is not None or message.media_lost is MediaLoss.DELETED
    if message.media is None or is_gone:
        raise problems.MediaAbsent()


def find_copy(message: KeptMessage) -> MediaCopy | None:
    """Return the copy of a message's file, if the bucket has one and it may be shown.

    Raises MediaAbsent.
    """
    require_file(message)
    return message.media_copy if services.bucket() else None


def etag_of(copy: MediaCopy) -> str:
    """Return the mark of a file's content."""
    return f'"{copy.sha256}"'


async def open_copy(
    tenant: TenantId, message: KeptMessage, copy: MediaCopy, span: ByteSpan | None
) -> MediaFile | None:
    """Open a file in the bucket; None if it isn't there (yet). Firestore: 0."""
    bucket = services.bucket()
    assert bucket
    first, last = (span.first, span.last) if span else (0, None)
    stream = await bucket.read(name_file(tenant, copy.sha256), first, last)
    if stream is None:
        return None
    mimetype, disposition = _choose_treatment(message, copy.mimetype, None)
    return MediaFile(_drain(stream), copy.size, mimetype, disposition, etag_of(copy), span)


async def fetch_from_server(name: InstanceName, message: KeptMessage) -> MediaFile:
    """Fetch a file from the server. Raises MediaAbsent, MediaTooLarge, and the server's problems.

    Firestore: 1 read. Upstream: 1 call.
    """
    require_file(message)
    _require_size((message.media and message.media.size) or 0)
    instance = await services.store().instances.find(name)
    if instance is None:
        raise problems.MediaAbsent("The line was released.")
    content = bytearray()
    async with services.evolution(instance.server).open_media(name, message.id) as media:
        if media is None:
            raise problems.MediaAbsent()
        async for chunk in media.chunks:
            content += chunk
            _require_size(len(content))
    mimetype, disposition = _choose_treatment(message, media.mimetype, media.file_name)
    return MediaFile(_split(content), len(content), mimetype, disposition)


async def sign_link(tenant: TenantId, message: KeptMessage) -> MediaLink:
    """Sign a link to the file. Raises MediaAbsent, MediaNotStored, BucketUnavailable."""
    copy, bucket = find_copy(message), services.bucket()
    if copy is None or bucket is None or message.media_state is not MediaState.STORED:
        raise problems.MediaNotStored()
    mimetype, disposition = _choose_treatment(message, copy.mimetype, None)
    url = await bucket.sign(
        name_file(tenant, copy.sha256),
        seconds=int(LINK_TIME.total_seconds()),
        content_type=mimetype,
        download_name=None if disposition.startswith("inline") else _choose_name(message, None),
    )
    return MediaLink(url=url, expires_at=services.now() + LINK_TIME)


def _choose_treatment(
    message: KeptMessage, mimetype: str | None, file_name: str | None
) -> tuple[str, str]:
    """Return type and disposition of a file; what the server says counts only without ours."""
    words = (message.media and message.media.mimetype) or mimetype or BYTES
    kind = words if len(words) <= LONGEST_TYPE and MIMETYPE.fullmatch(words) else BYTES
    disposition = "inline" if SHOWN.fullmatch(kind.partition(";")[0]) else "attachment"
    quoted = quote(_choose_name(message, file_name), safe="", errors="replace")
    return kind, f"{disposition}; filename*=UTF-8''{quoted}"


def _choose_name(message: KeptMessage, file_name: str | None) -> str:
    name = (message.media and message.media.name) or file_name or message.id
    return TURNING.sub("", name)[-LONGEST_NAME:]


def _require_size(size: int) -> None:
    if size > LIMIT:
        raise problems.MediaTooLarge(f"The limit is {LIMIT} bytes.")


async def _drain(stream: "ObjectStream") -> AsyncIterator[bytes]:
    async with stream:
        async for chunk in stream.chunks:
            yield chunk


async def _split(content: bytearray) -> AsyncIterator[bytes]:
    for start in range(0, len(content), PIECE):
        yield bytes(content[start : start + PIECE])
