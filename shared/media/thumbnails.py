"""Make the small picture that is shown before a file is there, where WhatsApp sent none."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final

from shared import log, services
from shared.domain.content import Kind
from shared.domain.content.media_files import THUMBNAIL_LIMIT
from shared.domain.media_state import MediaCopy
from shared.media.first_frame import write_first_frame
from shared.media.object_names import name_file

if TYPE_CHECKING:
    from shared.bucket import Bucket
    from shared.store.media_copies import MediaTask

MIB: Final = 1024 * 1024
MOST_BYTES: Final = {Kind.IMAGE: 8 * MIB, Kind.STICKER: 8 * MIB, Kind.VIDEO: 32 * MIB}
"""Bytes of a file that is looked at. One is, at a time: a function's files are in its memory."""

FORMATS: Final = ("JPEG", "PNG", "WEBP")

MOST_PIXELS: Final = 16_000_000
"""Pixels that are unpacked, 64 MB. A photo of any camera has fewer, as JPEG unpacks a small one."""

TURN_SECONDS: Final = 120.0
"""How long a file waits for its turn: far less than a copy may take."""

SIDE: Final = 96
QUALITY: Final = 60
WHITE: Final = (255, 255, 255)


async def make_missing_thumbnail(
    bucket: "Bucket", task: "MediaTask", copy: MediaCopy
) -> str | None:
    """Return a thumbnail (JPEG, base64) of a stored picture or video without one, if it gets one.

    None too if it would have to wait for long, or this machine can't: its file is stored, and isn't
    copied again and given up in the end for want of a thumbnail. Raises BucketUnavailable,
    BucketRefused.
    """
    message = task.message
    has_one = message.media is None or message.media.thumbnail
    if has_one or message.kind not in MOST_BYTES or copy.size > MOST_BYTES[message.kind]:
        return None
    make = make_poster if message.kind is Kind.VIDEO else make_thumbnail
    try:
        async with _take_turn():
            return await _make_of_stored(bucket, name_file(task.tenant, copy.sha256), make)
    except OSError as error:
        log.notice("media.no_thumbnail", failure=type(error).__name__)
        return None


def make_poster(video: IO[bytes]) -> str | None:
    """Return the first frame of a video (a file of the system) made small; None if it has none."""
    with TemporaryFile() as frame:
        if not write_first_frame(video, frame):
            return None
        frame.seek(0)
        return make_thumbnail(frame)


def make_thumbnail(file: IO[bytes]) -> str | None:
    """Return a picture made small, as JPEG in base64; None for what is no picture, or too large."""
    from PIL import Image, ImageOps

    try:
        with Image.open(file, formats=FORMATS) as picture:
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


@asynccontextmanager
async def _take_turn() -> AsyncIterator[None]:
    """Wait for one's turn. Raises TimeoutError."""
    turns: asyncio.Semaphore = services.once("thumbnails", partial(asyncio.Semaphore, 1))
    async with asyncio.timeout(TURN_SECONDS):
        await turns.acquire()
    try:
        yield
    finally:
        turns.release()


async def _make_of_stored(
    bucket: "Bucket", name: str, make: Callable[[IO[bytes]], str | None]
) -> str | None:
    stream = await bucket.read(name)
    if stream is None:
        return None
    with TemporaryFile() as file:
        async with stream:
            async for chunk in stream.chunks:
                file.write(chunk)
        file.seek(0)
        return await asyncio.to_thread(make, file)
