"""Validate what callers wrote as our models, and say in few words what doesn't fit."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

from shared import config, problems, untrusted
from shared.domain.contacts import LONGEST_SPELLING

MOST_FAULTS = 20
LONGEST_FAULT = 200
"""Characters of a fault's place, and of its message: callers choose some of them."""

WORDS = {
    "dict_type": "Input should be an object",
    "list_type": "Input should be an array",
    "model_type": "Input should be an object",
    "tuple_type": "Input should be an array",
}
"""Messages for callers, who write JSON and not Python."""

Model = TypeVar("Model", bound=BaseModel)


def validate_body(model: type[Model], raw: bytearray, bounds: untrusted.Bounds) -> Model:
    """Return the model that a JSON text says; `raw` is empty afterwards if it held a large file.

    Raises BodyTooLarge, BodyMalformed, RequestInvalid.
    """
    try:
        value = untrusted.read(raw, bounds)
    except untrusted.TooMuch as error:
        raise problems.BodyTooLarge(f"The limit is {error}.") from None
    except untrusted.NotJson:
        raise problems.BodyMalformed() from None
    return _validate(model, value)


def validate_query(model: type[Model], fields: Mapping[str, str]) -> Model:
    """Return the model that a query's fields say. Raises RequestInvalid."""
    return _validate(model, dict(fields))


def read_number(value: Any) -> Any:
    """Return the digits of a phone number in any spelling, with its country code.

    A validator of a model's field; what is no text, or longer than any spelling, is left for the
    field to refuse. Raises ValueError.
    """
    if not isinstance(value, str) or len(value) > LONGEST_SPELLING:
        return value
    from shared import phone_numbers  # loads a library that most requests don't need

    return phone_numbers.parse_number(value, config.settings().default_region)


def _validate(model: type[Model], value: Any) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _invalid(error, tagged=issubclass(model, RootModel)) from None


def _invalid(error: ValidationError, *, tagged: bool) -> problems.RequestInvalid:
    """Name the first faults. `tagged`: of several models in one; a place begins with which."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return problems.RequestInvalid(
        errors=[
            {
                "field": ".".join(map(str, fault["loc"][tagged:]))[:LONGEST_FAULT],
                "message": WORDS.get(fault["type"], fault["msg"])[:LONGEST_FAULT],
            }
            for fault in faults[:MOST_FAULTS]
        ]
    )
