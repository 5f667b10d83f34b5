"""A thumbnail is made of what is a picture, within bounds, and of nothing else."""

import base64
from io import BytesIO
from typing import Any

from PIL import Image

from shared.domain.content.media_files import THUMBNAIL_LIMIT
from shared.media import thumbnails
from tests.cases import in_each


def a_picture(kind: str, size: tuple[int, int], mode: str = "RGB", **options: Any) -> bytes:
    content = BytesIO()
    Image.effect_noise(size, 80).convert(mode).save(content, kind, **options)
    return content.getvalue()


@in_each(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGBA")],
)
def test_picture_is_made_small(kind: str, mode: str):
    encoded = thumbnails.make_thumbnail(BytesIO(a_picture(kind, (300, 150), mode)))

    assert encoded
    content = base64.b64decode(encoded)
    assert len(content) <= THUMBNAIL_LIMIT
    with Image.open(BytesIO(content)) as small:
        assert (small.format, small.size) == ("JPEG", (thumbnails.SIDE, thumbnails.SIDE // 2))


def test_photo_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter

    encoded = thumbnails.make_thumbnail(BytesIO(a_picture("JPEG", (300, 150), exif=exif)))

    with Image.open(BytesIO(base64.b64decode(encoded or ""))) as small:
        assert small.size == (thumbnails.SIDE // 2, thumbnails.SIDE)


@in_each(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n and so on",
        a_picture("PNG", (40, 40))[:100],
        a_picture("GIF", (40, 40), "P"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_other_files_get_none(content: bytes):
    assert thumbnails.make_thumbnail(BytesIO(content)) is None


def test_picture_of_too_many_pixels_gets_none():
    bomb = BytesIO()
    Image.new("1", (5_000, 4_000)).save(bomb, "PNG")
    bomb.seek(0)

    assert thumbnails.make_thumbnail(bomb) is None
