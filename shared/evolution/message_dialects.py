"""What differs between versions in the bodies of message and chat routes (EVOLUTION.md §5, §6)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import config
from shared.domain.outgoing import (
    Audio,
    Contact,
    Contacts,
    Location,
    Media,
    Options,
    Outgoing,
    Poll,
    Reaction,
    Sticker,
    Text,
)
from shared.domain.upstream import MessageKey

Body = dict[str, Any]

PAGE_SIZE = 50
OLD_PAGE_SIZE = 5_000
"""1.8 has no second page, so this is all it ever tells; some 10 MB of JSON."""


class MessageDialect:
    """2.x: the content and the options side by side."""

    edit_method = "POST"
    mark_read_method = "POST"

    def send(self, outgoing: Outgoing) -> tuple[str, Body]:
        """The last part of the route, and the body."""
        if isinstance(outgoing.content, Reaction):
            return "sendReaction", _reaction(outgoing.content)
        route, content = self._content(outgoing)
        return route, {"number": outgoing.to, **content, **self._options(outgoing)}

    def mark_read(self, keys: list[MessageKey]) -> Body:
        return {"readMessages": [key_fields(key) for key in keys]}

    def find(self, since: datetime, until: datetime, page: int) -> Body:
        """Both ends, or Evolution ignores them."""
        when = {"gte": _iso(since), "lte": _iso(until)}
        return {"where": {"messageTimestamp": when}, "page": page, "offset": PAGE_SIZE}

    def _content(self, outgoing: Outgoing) -> tuple[str, Body]:
        match outgoing.content:
            case Text(text):
                return "sendText", {"text": text}
            case Media() | Audio() | Sticker() as file:
                return self._file(file)
            case Location() as location:
                return "sendLocation", _location(location)
            case Contacts(contacts):
                return "sendContact", {"contact": [_contact(contact) for contact in contacts]}
            case Poll() as poll:
                return "sendPoll", _poll(poll)
            case Reaction() as reaction:
                return "sendReaction", _reaction(reaction)

    def _file(self, file: Media | Audio | Sticker) -> tuple[str, Body]:
        match file:
            case Media():
                return "sendMedia", _media(file)
            case Audio(source):
                return "sendWhatsAppAudio", {"audio": source}
            case Sticker(source):
                return "sendSticker", {"sticker": source}

    def _options(self, outgoing: Outgoing) -> Body:
        options = outgoing.options
        mentions = {"mentioned": _digits_of(options.mentions)} if options.mentions else {}
        everyone = {"mentionsEveryOne": True} if options.mention_everyone else {}
        return {**_common_options(options), **mentions, **everyone}


class OldMessageDialect(MessageDialect):
    """1.8: the content in an object named after it, the options in another [R v1]."""

    edit_method = "PUT"
    mark_read_method = "PUT"

    def send(self, outgoing: Outgoing) -> tuple[str, Body]:
        route, content = self._content(outgoing)
        wrapper = _WRAPPERS[route]
        wrapped = {wrapper: content["contact"] if route == "sendContact" else content}
        if isinstance(outgoing.content, Reaction):
            return route, wrapped
        options = self._options(outgoing)
        return route, {
            "number": outgoing.to,
            **({"options": options} if options else {}),
            **wrapped,
        }

    def mark_read(self, keys: list[MessageKey]) -> Body:
        return {"read_messages": [key_fields(key) for key in keys]}

    def find(self, since: datetime, until: datetime, page: int) -> Body:
        """1.8 filters by nothing that helps and has no pages: the newest, all at once."""
        return {"where": {}, "limit": OLD_PAGE_SIZE}

    def _file(self, file: Media | Audio | Sticker) -> tuple[str, Body]:
        if isinstance(file, Sticker):
            return "sendSticker", {"image": file.source}
        return super()._file(file)

    def _options(self, outgoing: Outgoing) -> Body:
        options = outgoing.options
        mentions: Body = {}
        if options.mention_everyone:
            mentions["everyOne"] = True
        if options.mentions:
            mentions["mentioned"] = _digits_of(options.mentions)
        typing = {"presence": "composing"} if options.typing_ms else {}
        return {
            **_common_options(options),
            **typing,
            **({"mentions": mentions} if mentions else {}),
        }


DIALECTS: Mapping[config.Dialect, MessageDialect] = {
    "2": MessageDialect(),
    "1.8": OldMessageDialect(),
}

_WRAPPERS = {
    "sendText": "textMessage",
    "sendMedia": "mediaMessage",
    "sendWhatsAppAudio": "audioMessage",
    "sendSticker": "stickerMessage",
    "sendLocation": "locationMessage",
    "sendContact": "contactMessage",
    "sendReaction": "reactionMessage",
    "sendPoll": "pollMessage",
}


def of(server: config.Server) -> MessageDialect:
    """The dialect that a server of that version speaks."""
    return DIALECTS[server.dialect]


def key_fields(key: MessageKey) -> Body:
    """A message's key as every version spells it."""
    return {"id": key.id, "remoteJid": key.jid, "fromMe": key.from_me}


def _common_options(options: Options) -> Body:
    return _present(
        delay=options.typing_ms or None,
        quoted={"key": {"id": options.quoted_id}} if options.quoted_id else None,
        linkPreview=options.link_preview,
    )


def _media(media: Media) -> Body:
    return {
        "mediatype": media.kind.value,
        "media": media.source,
        **_present(mimetype=media.mimetype, caption=media.caption, fileName=media.file_name),
    }


def _location(location: Location) -> Body:
    """Newer versions want a name and an address, if only empty ones."""
    return {
        "name": location.name or "",
        "address": location.address or "",
        "latitude": location.latitude,
        "longitude": location.longitude,
    }


def _contact(contact: Contact) -> Body:
    return {
        "fullName": contact.name,
        "wuid": re.sub(r"\D", "", contact.number),
        "phoneNumber": contact.number,
        **_present(organization=contact.organization, email=contact.email, url=contact.url),
    }


def _reaction(reaction: Reaction) -> Body:
    return {"key": key_fields(reaction.to), "reaction": reaction.emoji}


def _poll(poll: Poll) -> Body:
    return {
        "name": poll.question,
        "selectableCount": poll.selectable,
        "values": list(poll.answers),
    }


def _digits_of(numbers: tuple[str, ...]) -> list[str]:
    """Digits, each number once: the same number twice does not pass validation."""
    return list(dict.fromkeys(re.sub(r"\D", "", number) for number in numbers))


def _present(**fields: Any) -> Body:
    return {name: value for name, value in fields.items() if value is not None}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
