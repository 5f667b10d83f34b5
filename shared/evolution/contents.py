"""Read what a message object contains (EVOLUTION.md §4, message object, by type)."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

from shared.domain.messages import THUMBNAIL_LIMIT, Content, Kind, Media, Place, Poll
from shared.evolution import json_values
from shared.evolution.cards import read_card
from shared.evolution.json_values import read_text

DEEPEST = 5
"""Wrappers in wrappers: WhatsApp itself needs three."""

Fields = dict[str, Any]


def unwrap_message(message: Fields) -> tuple[Fields, bool]:
    """Return what is inside the wrappers (`{message: {…}}`), and whether one is "view once"."""
    view_once = False
    for _ in range(DEEPEST):
        wrapper = None if _has_content(message) else _find_wrapper(message)
        if wrapper is None:
            break
        view_once = view_once or wrapper.startswith("viewOnce")
        message = message[wrapper]["message"]
    return message, view_once


def list_content_names(message: Fields) -> tuple[str, ...]:
    """Name the contents of an unwrapped message, without what only accompanies them."""
    return tuple(
        name for name, value in message.items() if value is not None and name not in _ASIDE
    )


def read_content(message: Fields, view_once: bool, message_type: Any = None) -> Content:
    """Read an unwrapped message; `message_type` is upstream's name of its kind."""
    for name, (kind, read) in _READERS.items():
        if isinstance(value := message.get(name), dict):
            return _mark_view_once(read(kind, value), view_once)
    if isinstance(text := message.get("conversation"), str):
        return Content(kind=Kind.TEXT, text=text)
    original = read_text(message_type) or next(iter(list_content_names(message)), "unknown")
    caption = next(_read_texts_at(message, *_CAPTIONS), None)
    return Content(kind=Kind.UNSUPPORTED, text=caption, original=original)


def read_context(message: Fields, outer: Any = None) -> Fields:
    """Merge the `contextInfo` beside (`outer`), in and around a message's content."""
    envelope = message.get("messageContextInfo")
    inner = envelope.get("contextInfo") if isinstance(envelope, dict) else None
    nested = [value.get("contextInfo") for value in message.values() if isinstance(value, dict)]
    merged: Fields = {}
    for context in (outer, inner, message.get("contextInfo"), *nested):
        if isinstance(context, dict):
            merged |= {name: value for name, value in context.items() if value}
    return merged


def _has_content(message: Fields) -> bool:
    has_reader = any(isinstance(message.get(name), dict) for name in _READERS)
    return has_reader or isinstance(message.get("conversation"), str)


def _find_wrapper(message: Fields) -> str | None:
    for name, value in message.items():
        if isinstance(value, dict) and isinstance(value.get("message"), dict):
            return name
    return None


def _mark_view_once(content: Content, view_once: bool) -> Content:
    if view_once and content.media:
        return content.model_copy(update={"view_once": True})
    return content


def _read_extended_text(kind: Kind, value: Fields) -> Content:
    return Content(kind=kind, text=read_text(value.get("text")) or "")


def _read_file(kind: Kind, value: Fields) -> Content:
    media = Media(
        mimetype=read_text(value.get("mimetype")),
        size=json_values.read_count(value.get("fileLength")),
        name=read_text(value.get("fileName")) or read_text(value.get("title")),
        seconds=json_values.read_count(value.get("seconds")),
        width=json_values.read_count(value.get("width")),
        height=json_values.read_count(value.get("height")),
        thumbnail=_read_thumbnail(value),
    )
    is_voice = kind is Kind.AUDIO and value.get("ptt") is True
    return Content(
        kind=Kind.VOICE if is_voice else kind,
        text=read_text(value.get("caption")),
        media=media,
        view_once=value.get("viewOnce") is True,
    )


def _read_thumbnail(value: Fields) -> str | None:
    for name in ("jpegThumbnail", "pngThumbnail"):
        if picture := json_values.read_bytes(value.get(name), THUMBNAIL_LIMIT):
            return b64encode(picture).decode()
    return None


def _read_location(kind: Kind, value: Fields) -> Content:
    return Content(kind=kind, text=read_text(value.get("caption")), place=_read_place(value))


def _read_place(value: Fields) -> Place | None:
    latitude = json_values.read_float(value.get("degreesLatitude"))
    longitude = json_values.read_float(value.get("degreesLongitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Place(
        latitude=latitude,
        longitude=longitude,
        name=read_text(value.get("name")),
        address=read_text(value.get("address")),
    )


def _read_contact(kind: Kind, value: Fields) -> Content:
    return Content(kind=kind, cards=(read_card(value),))


def _read_contacts(kind: Kind, value: Fields) -> Content:
    contacts = value.get("contacts")
    cards = contacts if isinstance(contacts, list) else []
    return Content(
        kind=kind, cards=tuple(read_card(card) for card in cards if isinstance(card, dict))
    )


def _read_poll(kind: Kind, value: Fields) -> Content:
    options = value.get("options")
    rows = options if isinstance(options, list) else []
    names = [row.get("optionName") for row in rows if isinstance(row, dict)]
    poll = Poll(
        question=read_text(value.get("name")) or "",
        options=tuple(name for name in names if isinstance(name, str)),
        selectable=json_values.read_count(value.get("selectableOptionsCount")),
    )
    return Content(kind=kind, poll=poll)


def _read_choice(kind: Kind, value: Fields) -> Content:
    """Read the words on a button or row, or its id when only that came."""
    return Content(kind=kind, text=next(_read_texts_at(value, *_CHOICES), None))


def _read_texts_at(value: Fields, *paths: tuple[str, ...]) -> Iterator[str]:
    """Yield the texts that are at these paths."""
    for path in paths:
        node: Any = value
        for step in path:
            node = node.get(step) if isinstance(node, dict) else None
        if text := read_text(node):
            yield text


_Reader = Callable[[Kind, Fields], Content]

_READERS: dict[str, tuple[Kind, _Reader]] = {
    "extendedTextMessage": (Kind.TEXT, _read_extended_text),
    "imageMessage": (Kind.IMAGE, _read_file),
    "videoMessage": (Kind.VIDEO, _read_file),
    "ptvMessage": (Kind.VIDEO, _read_file),
    "audioMessage": (Kind.AUDIO, _read_file),
    "documentMessage": (Kind.DOCUMENT, _read_file),
    "stickerMessage": (Kind.STICKER, _read_file),
    "locationMessage": (Kind.LOCATION, _read_location),
    "liveLocationMessage": (Kind.LIVE_LOCATION, _read_location),
    "contactMessage": (Kind.CONTACTS, _read_contact),
    "contactsArrayMessage": (Kind.CONTACTS, _read_contacts),
    "pollCreationMessage": (Kind.POLL, _read_poll),
    "pollCreationMessageV2": (Kind.POLL, _read_poll),
    "pollCreationMessageV3": (Kind.POLL, _read_poll),
    "pollCreationMessageV5": (Kind.POLL, _read_poll),
    "buttonsResponseMessage": (Kind.BUTTON_REPLY, _read_choice),
    "templateButtonReplyMessage": (Kind.BUTTON_REPLY, _read_choice),
    "interactiveResponseMessage": (Kind.BUTTON_REPLY, _read_choice),
    "listResponseMessage": (Kind.LIST_REPLY, _read_choice),
}

_CHOICES = (
    ("selectedDisplayText",),
    ("title",),
    ("body", "text"),
    ("selectedButtonId",),
    ("selectedId",),
    ("singleSelectReply", "selectedRowId"),
    ("nativeFlowResponseMessage", "name"),
)

_CAPTIONS = (
    ("interactiveMessage", "body", "text"),
    ("templateMessage", "hydratedTemplate", "hydratedContentText"),
    ("templateMessage", "hydratedFourRowTemplate", "hydratedContentText"),
    ("templateMessage", "interactiveMessageTemplate", "body", "text"),
    ("buttonsMessage", "contentText"),
    ("listMessage", "description"),
    ("listMessage", "title"),
    ("productMessage", "product", "title"),
    ("orderMessage", "message"),
    ("eventMessage", "name"),
    ("groupInviteMessage", "caption"),
    ("groupInviteMessage", "groupName"),
    ("description",),
    ("title",),
)
"""Where a message of an unsupported kind has words for a person to read."""

_ASIDE = frozenset({"messageContextInfo", "contextInfo", "base64", "mediaUrl", "speechToText"})
