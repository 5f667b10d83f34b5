"""Read what people chose and filled in. What a program wrote beside it isn't theirs."""

import re
from collections.abc import Iterator
from typing import Any

from shared.domain.content import Content, Kind
from shared.domain.content.replies import Choice, ChoiceContent, Form, FormAnswer, FormContent
from shared.evolution.contents import read_trade
from shared.evolution.contents.fields import (
    Fields,
    find,
    first_text,
    read_label,
    read_object,
    read_parameters,
)
from shared.evolution.json_values import read_text

_FORMS = frozenset({"flow", "galaxy_message", "address_message"})
_PAYMENTS = frozenset({"payment_method", "payment_status", "payment_type"})
_TECHNICAL = frozenset(
    {"flow_token", "flow_id", "flow_name", "wa_flow_response_params", "saved_address_id"}
)
_FLOW_FIELD = re.compile(r"screen_[0-9]+_(.+)_[0-9]+", re.DOTALL)
_FLOW_OPTION = re.compile(r"[0-9]+_(.+)", re.DOTALL)
"""How WhatsApp's form builder names fields (`screen_0_Nota_0`) and options (`0_Muito_bom`)."""

_DEEPEST = 8
_LONGEST_PATH = 200
"""Characters of the names around a field: every answer repeats them."""


def read_button_choice(value: Fields) -> Content:
    """Read `buttonsResponseMessage` and `templateButtonReplyMessage`."""
    chosen = read_label(value.get("selectedButtonId")) or read_label(value.get("selectedId"))
    return _build(Kind.BUTTON_REPLY, first_text(value, "selectedDisplayText"), chosen)


def read_list_choice(value: Fields) -> Content:
    """Read `listResponseMessage`."""
    chosen = read_label(find(value, "singleSelectReply", "selectedRowId"))
    description = first_text(value, "description")
    return _build(Kind.LIST_REPLY, first_text(value, "title") or description, chosen, description)


def read_flow_answer(value: Fields) -> Content:
    """Read `interactiveResponseMessage`: a choice, a filled form, or how a person will pay."""
    flow = read_object(value.get("nativeFlowResponseMessage"))
    name, fields = read_text(flow.get("name")), read_parameters(flow.get("paramsJson"))
    if name in _FORMS or "flow_token" in fields:
        return _read_form(fields)
    if _PAYMENTS & fields.keys():
        return read_trade.read_chosen(fields)
    chosen = read_label(fields.get("id")) or read_label(fields.get("selected_id"))
    title = first_text(fields, "title", "display_text")
    body = read_text(find(value, "body", "text"))
    words = title or (body if body not in (name, chosen) else None)
    if fields and not (chosen or title):
        return _read_form(fields)
    return _build(Kind.BUTTON_REPLY, words, chosen, first_text(fields, "description"))


def _build(
    kind: Any, text: str | None, chosen: str | None, description: str | None = None
) -> Content:
    below = description if description != text else None
    choice = Choice(id=chosen, description=below) if chosen or below else None
    return ChoiceContent(kind=kind, text=text, choice=choice)


def _read_form(fields: Fields) -> Content:
    values = fields.get("values")
    answered = {**fields, **values, "values": None} if isinstance(values, dict) else fields
    return FormContent(kind=Kind.FORM_REPLY, form=Form(answers=tuple(_read_answers(answered, ""))))


def _read_answers(fields: Fields, above: str, depth: int = _DEEPEST) -> Iterator[FormAnswer]:
    for name, value in fields.items():
        if name in _TECHNICAL:
            continue
        if isinstance(value, dict) and depth:
            yield from _read_answers(value, f"{above}{name}."[:_LONGEST_PATH], depth - 1)
        elif text := _read_value(value, is_of_flow=bool(_FLOW_FIELD.fullmatch(name))):
            yield FormAnswer(name=f"{above}{name}", label=_read_name(name), value=text)


def _read_name(name: str) -> str:
    field = _FLOW_FIELD.fullmatch(name)
    return (field[1] if field else name).replace("_", " ").strip()


def _read_value(value: Any, *, is_of_flow: bool) -> str | None:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            option = _FLOW_OPTION.fullmatch(value) if is_of_flow else None
            return option[1].replace("_", " ") if option else value
        case list():
            items = (item for item in value if not isinstance(item, list))
            texts = (_read_value(item, is_of_flow=is_of_flow) for item in items)
            return ", ".join(filter(None, texts))
        case dict():
            return first_text(value, "title", "name", "value", "id")
        case _:
            return None
