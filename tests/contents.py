"""Fill contents of every kind: every text in them is a word of its own."""

import itertools
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from shared.domain import content
from shared.domain.content import BaseContent, Kind

WORD = "PALAVRA"
"""What every text of a filled content begins with."""


def kinds_of(model: type[BaseContent]) -> tuple[Kind, ...]:
    """Return the kinds that a model has."""
    kinds: tuple[Kind, ...] = get_args(model.model_fields["kind"].annotation)
    return kinds


def every_kind() -> Iterator[tuple[Kind, type[BaseContent]]]:
    """List every kind with its model."""
    for model in content.MODELS:
        for kind in kinds_of(model):
            yield kind, model


def a_filled_content(kind: Kind) -> BaseContent:
    """Build a content of this kind in which nothing is empty."""
    (model,) = (model for key, model in every_kind() if key is kind)
    words = (f"{WORD}{number}" for number in itertools.count())
    filled: BaseContent = _fill_model(model, words, kind=kind)
    return filled


def any_content() -> st.SearchStrategy[BaseContent]:
    """Generate contents of every kind, filled as far as it comes."""
    return st.one_of([_strategy(model, kind=st.just(kind)) for kind, model in every_kind()])


def _fill_model(model: type[BaseModel], words: Iterator[str], **given: Any) -> Any:
    fields = {
        name: _fill(field.annotation, words)
        for name, field in model.model_fields.items()
        if name not in given
    }
    return model(**given, **fields)


def _fill(annotation: Any, words: Iterator[str]) -> Any:
    origin = get_origin(annotation)
    if origin in (types.UnionType, Union):
        return _fill(_without_none(annotation), words)
    if origin is tuple:
        return (_fill(get_args(annotation)[0], words),)
    if annotation is str:
        return next(words)
    if issubclass(annotation, Enum):
        return next(iter(annotation))
    if issubclass(annotation, BaseModel):
        return _fill_model(annotation, words)
    return annotation(1)


def _strategy(model: type[BaseModel], **given: Any) -> st.SearchStrategy[Any]:
    fields = {
        name: _values(field.annotation)
        for name, field in model.model_fields.items()
        if name not in given
    }
    return st.builds(model, **given, **fields)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    bool: st.booleans(),
    int: st.integers(0, 2**53 - 1),
    float: st.floats(-90, 90),
}


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if get_origin(annotation) in (types.UnionType, Union):
        return st.none() | st.deferred(lambda: _values(_without_none(annotation)))
    if get_origin(annotation) is tuple:
        return st.lists(_values(get_args(annotation)[0]), max_size=2).map(tuple)
    if issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    return _strategy(annotation)


def _without_none(annotation: Any) -> Any:
    (value,) = (part for part in get_args(annotation) if part is not type(None))
    return value
