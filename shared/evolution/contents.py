"""What a message says, in our words (EVOLUTION.md §4, message object, by type)."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

from shared.domain.messages import THUMBNAIL_LIMIT, Content, Kind, Media, Place, Poll
from shared.evolution import cards, shapes
from shared.evolution.reading import text

DEEPEST = 5
"""Wrappers in wrappers: WhatsApp itself needs three."""

Fields = dict[str, Any]


def unwrapped(message: Fields) -> tuple[Fields, bool]:
    """What is inside the wrappers (`{message: {…}}`), and whether one says "view once"."""
    once = False
    for _ in range(DEEPEST):
        wrapper = None if _plain(message) else _wrapper(message)
        if wrapper is None:
            break
        once = once or wrapper.startswith("viewOnce")
        message = message[wrapper]["message"]
    return message, once


def names(message: Fields) -> tuple[str, ...]:
    """What an unwrapped message holds, without what only accompanies it."""
    return tuple(
        name for name, value in message.items() if value is not None and name not in _ASIDE
    )


def content_of(message: Fields, once: bool, original: Any = None) -> Content:
    """What an unwrapped message says; `original` is its `messageType`."""
    for name, (kind, read) in _READERS.items():
        if isinstance(value := message.get(name), dict):
            return _seen_once(read(kind, value), once)
    if isinstance(spoken := message.get("conversation"), str):
        return Content(kind=Kind.TEXT, text=spoken)
    word = text(original) or next(iter(names(message)), "unknown")
    return Content(kind=Kind.UNSUPPORTED, text=next(_words(message), None), original=word)


def context_of(message: Fields, outer: Any = None) -> Fields:
    """What a message says about itself: `contextInfo` beside, in or around its content."""
    told = message.get("messageContextInfo")
    inner = told.get("contextInfo") if isinstance(told, dict) else None
    held = [value.get("contextInfo") for value in message.values() if isinstance(value, dict)]
    found: Fields = {}
    for context in (outer, inner, message.get("contextInfo"), *held):
        if isinstance(context, dict):
            found |= {name: value for name, value in context.items() if value}
    return found


def _plain(message: Fields) -> bool:
    known = any(isinstance(message.get(name), dict) for name in _READERS)
    return known or isinstance(message.get("conversation"), str)


def _wrapper(message: Fields) -> str | None:
    for name, value in message.items():
        if isinstance(value, dict) and isinstance(value.get("message"), dict):
            return name
    return None


def _seen_once(content: Content, once: bool) -> Content:
    return content.model_copy(update={"view_once": True}) if once and content.media else content


def _said(kind: Kind, value: Fields) -> Content:
    return Content(kind=kind, text=text(value.get("text")) or "")


def _file(kind: Kind, value: Fields) -> Content:
    media = Media(
        mimetype=text(value.get("mimetype")),
        size=shapes.whole(value.get("fileLength")),
        name=text(value.get("fileName")) or text(value.get("title")),
        seconds=shapes.whole(value.get("seconds")),
        width=shapes.whole(value.get("width")),
        height=shapes.whole(value.get("height")),
        thumbnail=_thumbnail(value),
    )
    voice = kind is Kind.AUDIO and value.get("ptt") is True
    return Content(
        kind=Kind.VOICE if voice else kind,
        text=text(value.get("caption")),
        media=media,
        view_once=value.get("viewOnce") is True,
    )


def _thumbnail(value: Fields) -> str | None:
    for name in ("jpegThumbnail", "pngThumbnail"):
        if found := shapes.raw(value.get(name), THUMBNAIL_LIMIT):
            return b64encode(found).decode()
    return None


def _location(kind: Kind, value: Fields) -> Content:
    return Content(kind=kind, text=text(value.get("caption")), place=_place(value))


def _place(value: Fields) -> Place | None:
    latitude = shapes.number(value.get("degreesLatitude"))
    longitude = shapes.number(value.get("degreesLongitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Place(
        latitude=latitude,
        longitude=longitude,
        name=text(value.get("name")),
        address=text(value.get("address")),
    )


def _contact(kind: Kind, value: Fields) -> Content:
    return Content(kind=kind, cards=(cards.card(value),))


def _contacts(kind: Kind, value: Fields) -> Content:
    listed = value.get("contacts")
    several = listed if isinstance(listed, list) else []
    return Content(
        kind=kind, cards=tuple(cards.card(one) for one in several if isinstance(one, dict))
    )


def _poll(kind: Kind, value: Fields) -> Content:
    options = value.get("options")
    listed = options if isinstance(options, list) else []
    named = [one.get("optionName") for one in listed if isinstance(one, dict)]
    poll = Poll(
        question=text(value.get("name")) or "",
        options=tuple(name for name in named if isinstance(name, str)),
        selectable=shapes.whole(value.get("selectableOptionsCount")),
    )
    return Content(kind=kind, poll=poll)


def _chosen(kind: Kind, value: Fields) -> Content:
    """The words on the button or row, or its id when only that came."""
    return Content(kind=kind, text=next(_at(value, *_CHOICES), None))


def _at(value: Fields, *paths: tuple[str, ...]) -> Iterator[str]:
    """The texts that are at these paths."""
    for path in paths:
        found: Any = value
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if words := text(found):
            yield words


def _words(message: Fields) -> Iterator[str]:
    """What a message we don't support has for a person to read."""
    return _at(message, *_WORDED)


_Reader = Callable[[Kind, Fields], Content]

_READERS: dict[str, tuple[Kind, _Reader]] = {
    "extendedTextMessage": (Kind.TEXT, _said),
    "imageMessage": (Kind.IMAGE, _file),
    "videoMessage": (Kind.VIDEO, _file),
    "ptvMessage": (Kind.VIDEO, _file),
    "audioMessage": (Kind.AUDIO, _file),
    "documentMessage": (Kind.DOCUMENT, _file),
    "stickerMessage": (Kind.STICKER, _file),
    "locationMessage": (Kind.LOCATION, _location),
    "liveLocationMessage": (Kind.LIVE_LOCATION, _location),
    "contactMessage": (Kind.CONTACTS, _contact),
    "contactsArrayMessage": (Kind.CONTACTS, _contacts),
    "pollCreationMessage": (Kind.POLL, _poll),
    "pollCreationMessageV2": (Kind.POLL, _poll),
    "pollCreationMessageV3": (Kind.POLL, _poll),
    "pollCreationMessageV5": (Kind.POLL, _poll),
    "buttonsResponseMessage": (Kind.BUTTON_REPLY, _chosen),
    "templateButtonReplyMessage": (Kind.BUTTON_REPLY, _chosen),
    "interactiveResponseMessage": (Kind.BUTTON_REPLY, _chosen),
    "listResponseMessage": (Kind.LIST_REPLY, _chosen),
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

_WORDED = (
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

_ASIDE = frozenset({"messageContextInfo", "contextInfo", "base64", "mediaUrl", "speechToText"})
