"""Read files, and what stands at the head of offers."""

from base64 import b64encode

from shared.domain.content import Content, Kind
from shared.domain.content.media_files import THUMBNAIL_LIMIT, FileContent, FileKind, Media
from shared.evolution import json_values
from shared.evolution.contents.fields import Fields, first_text
from shared.evolution.json_values import read_text


def read_image(value: Fields) -> Content:
    return _read_file(Kind.IMAGE, value)


def read_video(value: Fields) -> Content:
    return _read_file(Kind.VIDEO, value)


def read_audio(value: Fields) -> Content:
    return _read_file(Kind.VOICE if value.get("ptt") is True else Kind.AUDIO, value)


def read_document(value: Fields) -> Content:
    return _read_file(Kind.DOCUMENT, value)


def read_sticker(value: Fields) -> Content:
    return _read_file(Kind.STICKER, value)


def read_media(value: Fields) -> Media:
    """Read what is known of a file."""
    return Media(
        mimetype=read_text(value.get("mimetype")),
        size=json_values.read_count(value.get("fileLength")),
        name=first_text(value, "fileName", "title"),
        seconds=json_values.read_count(value.get("seconds")),
        width=json_values.read_count(value.get("width")),
        height=json_values.read_count(value.get("height")),
        thumbnail=_read_thumbnail(value),
    )


def find_media(value: Fields) -> Media | None:
    """Find the file at the head of an offer."""
    for name in ("imageMessage", "videoMessage", "documentMessage", "audioMessage", "productImage"):
        if isinstance(file := value.get(name), dict):
            return read_media(file)
    return None


def _read_file(kind: FileKind, value: Fields) -> Content:
    return FileContent(
        kind=kind,
        text=read_text(value.get("caption")),
        media=read_media(value),
        view_once=value.get("viewOnce") is True,
    )


def _read_thumbnail(value: Fields) -> str | None:
    for name in ("jpegThumbnail", "pngThumbnail"):
        if picture := json_values.read_bytes(value.get(name), THUMBNAIL_LIMIT):
            return b64encode(picture).decode()
    return None
