"""Find values in the nested objects of a message."""

from collections.abc import Iterator
from typing import Any

from shared.domain.content.trade import Money, money
from shared.evolution import json_values, webhook_json
from shared.evolution.json_values import read_text

Fields = dict[str, Any]

LONGEST_PARAMETERS = 256 * 1024
"""Characters of the JSON that stands in a text field of a message."""


def read_object(value: Any) -> Fields:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def read_objects(value: Any) -> list[Fields]:
    """Return the objects in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def find(value: Any, *path: str) -> Any:
    """Return what is at a path of names, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def find_texts(value: Fields, *paths: tuple[str, ...]) -> Iterator[str]:
    """Yield the texts that are at these paths."""
    return (text for path in paths if (text := read_text(find(value, *path))))


def first_text(value: Fields, *names: str) -> str | None:
    """Return the first text among these fields."""
    return next(find_texts(value, *((name,) for name in names)), None)


def read_parameters(value: Any) -> Fields:
    """Parse the object that stands as JSON in a text; an empty one for anything else."""
    text = read_text(value)
    if text is None or len(text) > LONGEST_PARAMETERS:
        return {}
    try:
        return read_object(webhook_json.parse_json(text.encode("utf-8", "replace")))
    except ValueError:
        return {}


def read_label(value: Any) -> str | None:
    """Return a text, or the digits of a number."""
    count = json_values.read_count(value)
    return read_text(value) or (str(count) if count is not None else None)


def read_enum(value: Any, names: tuple[str, ...]) -> str | None:
    """Return the name of a protocol buffer's value, which leaves JavaScript as name or number."""
    if isinstance(value, str) and value in names:
        return value
    index = json_values.read_count(value)
    return names[index] if index is not None and index < len(names) else None


def read_thousandths(value: Any, currency: Any) -> Money | None:
    """Read an amount in thousandths of a currency (`priceAmount1000`)."""
    return _build_money(json_values.read_integer(value), 1000, currency)


def read_amount(value: Any, currency: Any) -> Money | None:
    """Read an amount `{value, offset}`, of which `offset` make one whole of the currency."""
    fields = read_object(value)
    units = json_values.read_count(fields.get("offset")) or 1
    own_currency = first_text(fields, "currencyCode", "currency") or currency
    return _build_money(json_values.read_count(fields.get("value")), units, own_currency)


def _build_money(value: int | None, units: int, currency: Any) -> Money | None:
    code = read_text(currency)
    if value is None or not code or not 0 < value <= json_values.GREATEST:
        return None
    return money(value, units, code.upper()[:8])
