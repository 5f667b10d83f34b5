"""Read what a person did to a message, or said about a status."""

from shared.domain.content import Content, Kind
from shared.domain.content.notices import Notice, NoticeContent, NoticeTopic
from shared.domain.content.texts import TextContent
from shared.evolution.contents.fields import Fields, first_text, read_enum

_PINS = ("UNKNOWN_TYPE", "PIN_FOR_ALL", "UNPIN_FOR_ALL")
_KEEPS = ("UNKNOWN", "KEEP_FOR_ALL", "UNDO_KEEP_FOR_ALL")


def read_pin(value: Fields) -> Content:
    """Read `pinInChatMessage`."""
    undone = read_enum(value.get("type"), _PINS) == "UNPIN_FOR_ALL"
    return build_notice(NoticeTopic.UNPINNED if undone else NoticeTopic.PINNED)


def read_keep(value: Fields) -> Content:
    """Read `keepInChatMessage`."""
    undone = read_enum(value.get("keepType"), _KEEPS) == "UNDO_KEEP_FOR_ALL"
    return build_notice(NoticeTopic.UNKEPT if undone else NoticeTopic.KEPT)


def read_call_cancelled(value: Fields) -> Content:
    """Read `scheduledCallEditMessage`, whose only change is to cancel."""
    return build_notice(NoticeTopic.CALL_CANCELLED)


def read_number_asked(value: Fields) -> Content:
    """Read `requestPhoneNumberMessage`."""
    return build_notice(NoticeTopic.NUMBER_ASKED)


def read_status_sticker(value: Fields) -> Content:
    """Read `statusStickerInteractionMessage`."""
    return build_notice(NoticeTopic.STATUS_REACTION)


def read_status_notification(value: Fields) -> Content:
    """Read `statusNotificationMessage`."""
    return build_notice(NoticeTopic.STATUS_SHARED)


def read_words(value: Fields) -> Content:
    """Read what is a text under another name: an answer to a question, a quote of a status."""
    return TextContent(kind=Kind.TEXT, text=first_text(value, "text") or "")


def build_notice(topic: NoticeTopic) -> Content:
    return NoticeContent(kind=Kind.NOTICE, notice=Notice(topic=topic))
