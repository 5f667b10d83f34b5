"""Make the small picture that is shown before a file is there, where WhatsApp sent none."""

import asyncio
import base64
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Final

from shared import log, services
from shared.domain.content import Kind
from shared.domain.content.media_files import THUMBNAIL_LIMIT
from shared.domain.media_state import MediaCopy
from shared.media.object_names import name_file
from shared.store.media_copies import MediaTask

if TYPE_CHECKING:
    from shared.bucket import Bucket

KINDS: Final = frozenset({Kind.IMAGE, Kind.STICKER})
FORMATS: Final = ("JPEG", "PNG", "WEBP")
MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of a picture that is read into memory. One is, at a time."""

MOST_PIXELS: Final = 16_000_000
"""Pixels that are unpacked, 64 MB. A photo of any camera has fewer, as JPEG unpacks a small one."""

SIDE: Final = 96
QUALITY: Final = 60
WHITE: Final = (255, 255, 255)


async def make_missing_thumbnail(bucket: "Bucket", task: MediaTask, copy: MediaCopy) -> str | None:
    """Return a thumbnail (JPEG, base64) of a stored picture without one; None if it gets none.

    Raises BucketUnavailable, BucketRefused.
    """
    message = task.message
    has_one = message.media is None or message.media.thumbnail
    if message.kind not in KINDS or has_one or copy.size > MOST_BYTES:
        return None
    turns: asyncio.Semaphore = services.once("thumbnails", partial(asyncio.Semaphore, 1))
    async with turns:
        stream = await bucket.read(name_file(task.tenant, copy.sha256))
        if stream is None:
            return None
        async with stream:
            content = b"".join([chunk async for chunk in stream.chunks])
        return await asyncio.to_thread(make_thumbnail, content)


def make_thumbnail(content: bytes) -> str | None:
    """Return a picture made small, as JPEG in base64; None for what is no picture, or too large."""
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            picture.draft("RGB", (2 * SIDE, 2 * SIDE))
            if picture.width * picture.height > MOST_PIXELS:
                return None
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((SIDE, SIDE))
            flat = Image.new("RGB", upright.size, WHITE)
            layers = upright.convert("RGBA")
            flat.paste(layers, mask=layers)
            small = BytesIO()
            flat.save(small, "JPEG", quality=QUALITY)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's picture does to its readers
        log.notice("media.no_picture", failure=type(error).__name__)
        return None
    if small.tell() > THUMBNAIL_LIMIT:
        return None
    return base64.b64encode(small.getvalue()).decode()
