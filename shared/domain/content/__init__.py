"""What a message can say: the closed union of all kinds of content, and what follows from it.

A kind is one model, which knows its words. What is stored and shown, what lists preview, what a
revocation leaves and how an echo is recognised are derived from these models.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, get_args

from pydantic import GetCoreSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from shared.domain.content.appointments import EventContent
from shared.domain.content.calls import CallContent
from shared.domain.content.cards import CardsContent
from shared.domain.content.invites import InviteContent
from shared.domain.content.kinds import BaseContent as BaseContent
from shared.domain.content.kinds import Kind as Kind
from shared.domain.content.media_files import FileContent
from shared.domain.content.notices import NoticeContent
from shared.domain.content.offers import OfferContent
from shared.domain.content.places import PlaceContent
from shared.domain.content.polls import PollContent
from shared.domain.content.replies import ChoiceContent, FormContent
from shared.domain.content.rich_answers import RichAnswerContent
from shared.domain.content.sticker_packs import StickerPackContent
from shared.domain.content.texts import TextContent
from shared.domain.content.trade import OrderContent, PaymentContent, ProductContent
from shared.domain.content.unreadable import UnsupportedContent, WaitingContent


class _OfItsKind:
    """Validate a content by the model of its kind: the others are never built for it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return core_schema.no_info_plain_validator_function(_validate_content)


Content = Annotated[
    TextContent
    | FileContent
    | PlaceContent
    | CardsContent
    | PollContent
    | OfferContent
    | ChoiceContent
    | FormContent
    | ProductContent
    | OrderContent
    | PaymentContent
    | EventContent
    | CallContent
    | InviteContent
    | StickerPackContent
    | RichAnswerContent
    | NoticeContent
    | WaitingContent
    | UnsupportedContent,
    _OfItsKind(),
]

MODELS: tuple[type[BaseContent], ...] = get_args(get_args(Content)[0])
"""Every model of a content."""

FIELDS: Mapping[str, FieldInfo] = {
    name: field for model in MODELS for name, field in model.model_fields.items()
}
"""Every field that some kind has; one name means the same in every kind that has it."""

PREVIEW_LENGTH = 120

_MODEL_OF_KIND: Mapping[Any, type[BaseContent]] = {
    kind: model for model in MODELS for kind in get_args(model.model_fields["kind"].annotation)
}
_STAYS = frozenset({"kind", "view_once"})
"""Fields that say nothing of a content's words."""

EMPTY_FIELDS: Mapping[str, Any] = {
    name: field.get_default() for name, field in FIELDS.items() if name not in _STAYS
}
"""What is left of a content that was taken back. Derived from the models: nothing is forgotten."""


def read_content(fields: Mapping[str, Any]) -> Content:
    """Read a content from flat fields, among which there may be others.

    What this version can't read is unsupported, so that it is shown, and purged if it is revoked.
    Raises ValueError for fields without a kind.
    """
    kind, text = fields.get("kind"), fields.get("text")
    if not isinstance(kind, str):
        raise ValueError("no kind")
    try:
        return _validate_content({name: fields[name] for name in FIELDS if name in fields})
    except ValueError:
        words = text if isinstance(text, str) else None
        return UnsupportedContent(kind=Kind.UNSUPPORTED, text=words, original=kind)


def _validate_content(value: Any) -> Content:
    if isinstance(value, MODELS):
        return value  # type: ignore[return-value]  # one of the union's
    kind = value.get("kind") if isinstance(value, Mapping) else None
    model = _MODEL_OF_KIND.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise ValueError("no content of a known kind")
    return model.model_validate(value)  # type: ignore[return-value]


def preview(content: BaseContent) -> str:
    """Show a content in one line of at most 120 characters, for lists.

    Empty for a file without a caption: its kind (and its name) say the rest.
    """
    line = next(filter(None, _lines(content.headlines())), "")
    return line if len(line) <= PREVIEW_LENGTH else f"{line[: PREVIEW_LENGTH - 1].rstrip()}…"


def _lines(texts: Iterable[str | None]) -> Iterable[str]:
    return (" ".join((text or "").split()) for text in texts)


def clarity(content: BaseContent) -> int:
    """Rank how far a content is understood, by its kind."""
    return clarity_of(content.kind)


def clarity_of(kind: Kind) -> int:
    """Rank how far a kind is understood: waiting, unsupported, or all the others.

    What is reported again and is clearer takes the place of what was less clear.
    """
    return {Kind.WAITING: 0, Kind.UNSUPPORTED: 1}.get(kind, 2)
