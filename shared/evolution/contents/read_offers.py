"""Read what a business offers: buttons, lists, templates, native flows, carousels."""

from typing import Any

from shared.domain.content import Content, Kind
from shared.domain.content.offers import (
    Button,
    ButtonAction,
    Entry,
    Offer,
    OfferContent,
    Section,
    Slide,
)
from shared.evolution.contents import read_trade
from shared.evolution.contents.fields import (
    Fields,
    find,
    find_texts,
    first_text,
    read_label,
    read_object,
    read_objects,
    read_parameters,
)
from shared.evolution.contents.read_files import find_media
from shared.evolution.contents.read_places import read_place
from shared.evolution.json_values import read_text


def read_buttons(value: Fields) -> Content:
    """Read `buttonsMessage`."""
    buttons = [_read_plain_button(button) for button in read_objects(value.get("buttons"))]
    title, footer = first_text(value, "text"), first_text(value, "footerText")
    offer = Offer(title=title, footer=footer, buttons=tuple(buttons))
    return _build(value, first_text(value, "contentText"), offer)


def read_list(value: Fields) -> Content:
    """Read `listMessage`, also one of products, whose entries WhatsApp itself looks up."""
    products = read_objects(find(value, "productListInfo", "productSections"))
    titles = [Section(title=first_text(section, "title")) for section in products]
    offer = Offer(
        title=read_text(value.get("title")),
        footer=read_text(value.get("footerText")),
        opens=read_text(value.get("buttonText")),
        sections=(*_read_sections(value.get("sections")), *titles),
    )
    return OfferContent(kind=Kind.LIST, text=read_text(value.get("description")), offer=offer)


def read_template(value: Fields) -> Content:
    """Read `templateMessage`, in any of the forms that it has had."""
    interactive = find(value, "interactiveMessageTemplate")
    if isinstance(interactive, dict):
        return read_interactive(interactive)
    for name in ("hydratedTemplate", "hydratedFourRowTemplate"):
        if isinstance(hydrated := value.get(name), dict):
            return _read_hydrated(hydrated)
    return _read_four_rows(read_object(value.get("fourRowTemplate")))


def read_structured(value: Fields) -> Content:
    """Read `highlyStructuredMessage`: a template whose words are on the phone, or are hydrated."""
    if isinstance(template := value.get("hydratedHsm"), dict):
        return read_template(template)
    return OfferContent(kind=Kind.BUTTONS, text=_read_structured_text(value), offer=Offer())


def read_interactive(value: Fields) -> Content:
    """Read `interactiveMessage`: native flows, carousels, shops; what asks for money is trade."""
    header, flow = read_object(value.get("header")), read_object(value.get("nativeFlowMessage"))
    flow_buttons = [
        (read_text(button.get("name")) or "", read_parameters(button.get("buttonParamsJson")))
        for button in read_objects(flow.get("buttons"))
    ]
    text = read_text(find(value, "body", "text"))
    asking = next((fields for _, fields in flow_buttons if read_trade.asks_for_money(fields)), None)
    if asking is not None:
        title = first_text(header, "title", "subtitle")
        return read_trade.read_asked(asking, text or title, find_media(header))
    if isinstance(product := header.get("productMessage"), dict):
        return read_trade.read_product(product | ({"body": text} if text else {}))
    listing = [fields for _, fields in flow_buttons if _has_rows(fields)]
    more = _read_limited_offer(read_parameters(flow.get("messageParamsJson")))
    buttons = [_read_flow_button(name, fields) for name, fields in flow_buttons]
    offer = Offer(
        title=read_text(header.get("title")),
        subtitle=read_text(header.get("subtitle")),
        footer=read_text(find(value, "footer", "text")),
        buttons=tuple(button for button in (*more, *buttons) if button),
        opens=next(map(_find_label, listing), None),
        sections=tuple(
            section for fields in listing for section in _read_sections(fields["sections"])
        ),
        slides=tuple(
            _read_slide(card) for card in read_objects(find(value, "carouselMessage", "cards"))
        ),
    )
    place = read_place(header.get("locationMessage"))
    kind = Kind.LIST if offer.sections else Kind.BUTTONS
    return OfferContent(kind=kind, text=text, media=find_media(header), place=place, offer=offer)


def _build(head: Fields, text: str | None, offer: Offer) -> Content:
    media, place = find_media(head), read_place(head.get("locationMessage"))
    return OfferContent(kind=Kind.BUTTONS, text=text, media=media, place=place, offer=offer)


def _read_plain_button(value: Fields) -> Button:
    name = read_text(find(value, "nativeFlowInfo", "name"))
    if name:
        fields = read_parameters(find(value, "nativeFlowInfo", "paramsJson"))
        return _read_flow_button(name, fields) or Button()
    return Button(
        label=read_text(find(value, "buttonText", "displayText")) or "",
        action=ButtonAction.REPLY,
        id=read_label(value.get("buttonId")),
    )


def _read_hydrated(value: Fields) -> Content:
    buttons = [_read_hydrated_button(row) for row in read_objects(value.get("hydratedButtons"))]
    title, footer = first_text(value, "hydratedTitleText"), first_text(value, "hydratedFooterText")
    offer = Offer(title=title, footer=footer, buttons=tuple(buttons))
    return _build(value, first_text(value, "hydratedContentText"), offer)


def _read_hydrated_button(value: Fields) -> Button:
    reply, link, call = (
        read_object(value.get(name)) for name in ("quickReplyButton", "urlButton", "callButton")
    )
    return Button(
        label=next(find_texts(reply | link | call, ("displayText",)), ""),
        action=_find_action(link.get("url"), call.get("phoneNumber"), None, ButtonAction.REPLY),
        id=read_label(reply.get("id")),
        url=read_text(link.get("url")),
        phone=read_text(call.get("phoneNumber")),
    )


def _read_four_rows(value: Fields) -> Content:
    buttons = [
        _read_hydrated_button(
            {
                name: {
                    inner: _read_structured_text(part) if isinstance(part, dict) else part
                    for inner, part in read_object(row.get(name)).items()
                }
                for name in ("quickReplyButton", "urlButton", "callButton")
            }
        )
        for row in read_objects(value.get("buttons"))
    ]
    title = _read_structured_text(value.get("highlyStructuredMessage"))
    footer = _read_structured_text(value.get("footer"))
    offer = Offer(title=title, footer=footer, buttons=tuple(buttons))
    return _build(value, _read_structured_text(value.get("content")), offer)


def _read_structured_text(value: Any) -> str | None:
    """Read the words of a template that only the phone has: what was filled into it."""
    fields = read_object(value)
    filled = fields.get("params")
    texts = [text for text in filled if read_text(text)] if isinstance(filled, list) else []
    localized = read_objects(fields.get("localizableParams"))
    defaults = [default for item in localized if (default := first_text(item, "default"))]
    return " · ".join(texts or defaults) or None


def _read_flow_button(name: str, fields: Fields) -> Button | None:
    """Read one button of a native flow, by what its parameters hold rather than by its name."""
    if _has_rows(fields):
        return None
    url = first_text(fields, "url", "merchant_url") or read_text(find(fields, "link", "url"))
    phone = first_text(fields, "phone_number", "phoneNumber")
    copies = first_text(fields, "copy_code", "code")
    if "call" in name and not phone:
        phone = first_text(fields, "id")
    other = next((action for word, action in _ACTIONS.items() if word in name), ButtonAction.OTHER)
    return Button(
        label=_find_label(fields) or "",
        action=_find_action(url, phone, copies, other),
        id=read_label(fields.get("id")),
        url=url,
        phone=phone,
        copies=copies,
    )


_LABELS = ("display_text", "displayText", "flow_cta", "title", "button_text", "text")
_ACTIONS = {
    "reply": ButtonAction.REPLY,
    "flow": ButtonAction.FORM,
    "galaxy": ButtonAction.FORM,
    "address": ButtonAction.FORM,
    "location": ButtonAction.LOCATION,
    "url": ButtonAction.LINK,
    "webview": ButtonAction.LINK,
    "call": ButtonAction.CALL,
    "copy": ButtonAction.COPY,
}
"""What buttons do, by a word in their technical name."""


def _find_action(url: Any, phone: Any, copies: Any, other: ButtonAction) -> ButtonAction:
    if url:
        return ButtonAction.LINK
    if phone:
        return ButtonAction.CALL
    return ButtonAction.COPY if copies else other


def _find_label(fields: Fields) -> str | None:
    return first_text(fields, *_LABELS)


def _has_rows(fields: Fields) -> bool:
    return bool(read_objects(fields.get("sections")))


def _read_sections(value: Any) -> tuple[Section, ...]:
    return tuple(
        Section(
            title=first_text(section, "title"),
            rows=tuple(_read_row(row) for row in read_objects(section.get("rows"))),
        )
        for section in read_objects(value)
    )


def _read_row(row: Fields) -> Entry:
    return Entry(
        title=first_text(row, "title", "header") or "",
        description=first_text(row, "description"),
        id=read_label(row.get("rowId")) or read_label(row.get("id")),
    )


def _read_slide(card: Fields) -> Slide:
    content = read_interactive({**card, "carouselMessage": None})
    if isinstance(content, OfferContent) and content.offer:
        offer = content.offer
        rows = tuple(
            Button(label=row.title, action=ButtonAction.REPLY, id=row.id)
            for section in offer.sections
            for row in section.rows
        )
        title = offer.title or offer.subtitle
        buttons = (*offer.buttons, *rows)
        return Slide(title=title, text=content.text, footer=offer.footer, buttons=buttons)
    return Slide(text=" · ".join(content.words()) or None)


def _read_limited_offer(fields: Fields) -> list[Button]:
    """Read the offer for a time that may stand above the buttons."""
    offer = read_object(fields.get("limited_time_offer"))
    text, url, code = (first_text(offer, name) for name in ("text", "url", "copy_code"))
    if not (text or url or code):
        return []
    action = _find_action(url, None, code, ButtonAction.OTHER)
    return [Button(label=text or "", action=action, url=url, copies=code)]
