"""Hold a pack of stickers."""

from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, Piece


class StickerPack(Piece):
    """A pack: its name, who made it, how many stickers are in it."""

    name: str | None = None
    publisher: str | None = None
    description: str | None = None
    count: int | None = None


class StickerPackContent(BaseContent):
    """A pack of stickers; `text` is the caption."""

    kind: Literal[Kind.STICKER_PACK]
    pack: StickerPack | None = None
