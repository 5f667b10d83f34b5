"""Read the answers of Meta AI, which come in parts."""

from collections.abc import Iterator

from shared.domain.content import Content, Kind
from shared.domain.content.rich_answers import Part, PartStyle, RichAnswer, RichAnswerContent
from shared.evolution.contents.fields import Fields, find, first_text, read_object, read_objects
from shared.evolution.json_values import read_text


def read_rich_answer(value: Fields) -> Content:
    """Read `richResponseMessage`."""
    parts = [part for item in read_objects(value.get("submessages")) for part in _read_parts(item)]
    return RichAnswerContent(kind=Kind.RICH_ANSWER, answer=RichAnswer(parts=tuple(parts)))


def _read_parts(value: Fields) -> Iterator[Part]:
    """Read whichever of its fields are filled: its type isn't always told."""
    if text := first_text(value, "messageText"):
        yield Part(text=text)
    blocks = read_objects(find(value, "codeMetadata", "codeBlocks"))
    if code := "".join(first_text(block, "codeContent") or "" for block in blocks):
        yield Part(style=PartStyle.CODE, text=code)
    yield from _read_table(read_object(value.get("tableMetadata")))
    if formula := read_text(find(value, "latexMetadata", "text")):
        yield Part(text=formula)
    yield from _read_pictures(value)
    for place in read_objects(find(value, "mapMetadata", "annotations")):
        words = " · ".join(filter(None, (first_text(place, "title"), first_text(place, "body"))))
        if words:
            yield Part(style=PartStyle.PLACE, text=words)
    for item in read_objects(find(value, "contentItemsMetadata", "itemsMetadata")):
        reel = read_object(item.get("reelItem"))
        if reel:
            title, url = first_text(reel, "title"), first_text(reel, "videoUrl")
            yield Part(style=PartStyle.PICTURE, text=title, url=url)


def _read_table(value: Fields) -> Iterator[Part]:
    rows = []
    for row in read_objects(value.get("rows")):
        cells = row.get("items")
        texts = [cell for cell in cells if isinstance(cell, str)] if isinstance(cells, list) else []
        rows.append(" | ".join(texts))
    if rows or value.get("title"):
        yield Part(style=PartStyle.TABLE, text=first_text(value, "title"), rows=tuple(rows))


def _read_pictures(value: Fields) -> Iterator[Part]:
    image = read_object(value.get("imageMetadata"))
    pictures = [(first_text(image, "imageText"), read_object(image.get("imageUrl")))]
    grid = read_objects(find(value, "gridImageMetadata", "imageUrls"))
    for text, picture in (*pictures, *((None, picture) for picture in grid)):
        url = first_text(picture, "sourceUrl", "imageHighResUrl", "imagePreviewUrl")
        if text or url:
            yield Part(style=PartStyle.PICTURE, text=text, url=url)
