"""Hold a file: a picture, a video, a sound, a document, a sticker."""

from typing import Annotated, Literal

from shared.domain.content.kinds import TECHNICAL, BaseContent, Kind, MaybeCode, Piece

THUMBNAIL_LIMIT = 8 * 1024
"""Bytes of a picture's thumbnail that we still keep with the message."""


FileKind = Literal[Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.VOICE, Kind.DOCUMENT, Kind.STICKER]


class Media(Piece):
    """What is known of a file without having it. `thumbnail` is plain base64."""

    mimetype: MaybeCode = None
    size: int | None = None
    name: MaybeCode = None
    seconds: int | None = None
    width: int | None = None
    height: int | None = None
    thumbnail: MaybeCode = None


MaybeMedia = Annotated[Media | None, TECHNICAL]
"""A file. Its name is no words: lists show the kind instead."""


class FileContent(BaseContent):
    """A file; `text` is its caption."""

    kind: FileKind
    media: MaybeMedia = None
    view_once: bool = False

    def fingerprint(self) -> tuple[object, ...]:
        """Add the name of a document: no other file keeps its name."""
        name = self.media.name if self.media and self.kind is Kind.DOCUMENT else None
        return (*super().fingerprint(), name)
