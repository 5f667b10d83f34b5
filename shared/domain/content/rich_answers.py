"""Hold an answer of an assistant: texts, code, tables, pictures and places in one message."""

from enum import StrEnum
from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, Piece


class PartStyle(StrEnum):
    """How a part of an answer is shown."""

    TEXT = "text"
    CODE = "code"
    TABLE = "table"
    PICTURE = "picture"
    PLACE = "place"


class Part(Piece):
    """A part of an answer: a text, or the rows of a table; `url` leads to a picture or a page."""

    style: PartStyle = PartStyle.TEXT
    text: str | None = None
    rows: tuple[str, ...] = ()
    url: str | None = None


class RichAnswer(Piece):
    """The parts of an answer, in their order."""

    parts: tuple[Part, ...] = ()


class RichAnswerContent(BaseContent):
    """An answer in parts."""

    kind: Literal[Kind.RICH_ANSWER]
    answer: RichAnswer | None = None
