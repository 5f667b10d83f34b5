"""Read what a message object contains (EVOLUTION.md §4, message object, by type)."""

import json
from collections.abc import Callable
from typing import Any

from shared import untrusted
from shared.domain.content import Content, Kind
from shared.domain.content.media_files import FileContent
from shared.domain.content.texts import TextContent
from shared.domain.content.unreadable import RAW_LIMIT, UnsupportedContent
from shared.evolution import redaction
from shared.evolution.contents import (
    read_appointments,
    read_cards,
    read_files,
    read_invites,
    read_notices,
    read_offers,
    read_places,
    read_polls,
    read_replies,
    read_rich_answers,
    read_trade,
)
from shared.evolution.contents.fields import Fields, find_texts, read_object
from shared.evolution.json_values import read_text

READERS: dict[str, Callable[[Fields], Content]] = {
    "extendedTextMessage": read_notices.read_words,
    "imageMessage": read_files.read_image,
    "videoMessage": read_files.read_video,
    "ptvMessage": read_files.read_video,
    "audioMessage": read_files.read_audio,
    "documentMessage": read_files.read_document,
    "stickerMessage": read_files.read_sticker,
    "locationMessage": read_places.read_location,
    "liveLocationMessage": read_places.read_live_location,
    "contactMessage": read_cards.read_contact,
    "contactsArrayMessage": read_cards.read_contacts,
    "pollCreationMessage": read_polls.read_poll,
    "pollCreationMessageV2": read_polls.read_poll,
    "pollCreationMessageV3": read_polls.read_poll,
    "pollCreationMessageV5": read_polls.read_poll,
    "pollResultSnapshotMessage": read_polls.read_poll_results,
    "pollResultSnapshotMessageV3": read_polls.read_poll_results,
    "buttonsMessage": read_offers.read_buttons,
    "listMessage": read_offers.read_list,
    "templateMessage": read_offers.read_template,
    "highlyStructuredMessage": read_offers.read_structured,
    "interactiveMessage": read_offers.read_interactive,
    "buttonsResponseMessage": read_replies.read_button_choice,
    "templateButtonReplyMessage": read_replies.read_button_choice,
    "listResponseMessage": read_replies.read_list_choice,
    "interactiveResponseMessage": read_replies.read_flow_answer,
    "productMessage": read_trade.read_product,
    "orderMessage": read_trade.read_order,
    "requestPaymentMessage": read_trade.read_request,
    "sendPaymentMessage": read_trade.read_sent,
    "declinePaymentRequestMessage": read_trade.read_declined,
    "cancelPaymentRequestMessage": read_trade.read_cancelled,
    "paymentInviteMessage": read_trade.read_payment_invite,
    "invoiceMessage": read_trade.read_invoice,
    "eventMessage": read_appointments.read_event,
    "scheduledCallCreationMessage": read_appointments.read_scheduled_call,
    "callLogMesssage": read_appointments.read_call_log,
    "bcallMessage": read_appointments.read_broadcast_call,
    "call": read_appointments.read_call,
    "groupInviteMessage": read_invites.read_group_invite,
    "newsletterAdminInviteMessage": read_invites.read_admin_invite,
    "newsletterFollowerInviteMessageV2": read_invites.read_channel_invite,
    "stickerPackMessage": read_invites.read_sticker_pack,
    "richResponseMessage": read_rich_answers.read_rich_answer,
    "scheduledCallEditMessage": read_notices.read_call_cancelled,
    "requestPhoneNumberMessage": read_notices.read_number_asked,
    "pinInChatMessage": read_notices.read_pin,
    "keepInChatMessage": read_notices.read_keep,
    "statusStickerInteractionMessage": read_notices.read_status_sticker,
    "statusNotificationMessage": read_notices.read_status_notification,
    "statusQuestionAnswerMessage": read_notices.read_words,
    "statusQuotedMessage": read_notices.read_words,
    "questionResponseMessage": read_notices.read_words,
}
"""The reader of every content that a person sees, by upstream's name."""

DEEPEST = 5
"""Wrappers in wrappers: WhatsApp itself needs three."""

_ASIDE = frozenset({"messageContextInfo", "contextInfo", "base64", "mediaUrl", "speechToText"})
_WORDS = ("text", "contentText", "caption", "title", "description")
"""Where a content that has no reader may have words of a person."""


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
    for name, read in READERS.items():
        if isinstance(value := message.get(name), dict):
            return _mark_view_once(read(value), view_once)
    if isinstance(text := message.get("conversation"), str):
        return TextContent(kind=Kind.TEXT, text=text)
    return _read_unsupported(message, message_type)


def read_raw(raw: str) -> Content | None:
    """Read a content that was kept as it came; None if this version can't either."""
    try:
        message = read_object(untrusted.read_lenient(raw))
    except untrusted.NotJson:
        return None
    said = read_content(*unwrap_message(message))
    return None if isinstance(said, UnsupportedContent) else said


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
    has_reader = any(isinstance(value, dict) and name in READERS for name, value in message.items())
    return has_reader or isinstance(message.get("conversation"), str)


def _find_wrapper(message: Fields) -> str | None:
    for name, value in message.items():
        if isinstance(value, dict) and isinstance(value.get("message"), dict):
            return name
    return None


def _mark_view_once(content: Content, view_once: bool) -> Content:
    if view_once and isinstance(content, FileContent):
        return content.model_copy(update={"view_once": True})
    return content


def _read_unsupported(message: Fields, message_type: Any) -> Content:
    names = list_content_names(message)
    contents = [message[name] for name in names if isinstance(message[name], dict)]
    paths = [(name,) for name in _WORDS] + [(name, "text") for name in ("body", "header")]
    texts = (text for content in contents for text in find_texts(content, *paths))
    return UnsupportedContent(
        kind=Kind.UNSUPPORTED,
        text=next(texts, None),
        original=read_text(message_type) or next(iter(names), "unknown"),
        raw=_keep_raw(message),
    )


def _keep_raw(message: Fields) -> str | None:
    """Return the message as JSON without keys, files and quotes, shortened until it fits."""
    own, room = _without_context(message), RAW_LIMIT
    while own and room:
        raw = json.dumps(redaction.strip_secrets_within(room, own)[0], ensure_ascii=False)
        if len(raw) <= RAW_LIMIT:
            return raw
        room //= 2
    return None


def _without_context(value: Any, depth: int = redaction.DEEPEST) -> Any:
    """Leave out contexts: they quote others, whose words they would keep after a revocation."""
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [_without_context(item, depth - 1) for item in value]
    kept = ((name, item) for name, item in value.items() if name not in _ASIDE)
    return {name: _without_context(item, depth - 1) for name, item in kept}
