"""Write the bodies of message and chat routes as each version wants them (EVOLUTION.md §5, §6)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import config
from shared.domain.outgoing import (
    Audio,
    ContactCard,
    Contacts,
    Location,
    Options,
    Outgoing,
    OutgoingMedia,
    OutgoingPoll,
    OutgoingReaction,
    Sticker,
    Text,
)
from shared.domain.upstream import MessageKey

Body = dict[str, Any]

PAGE_SIZE = 50
OLD_PAGE_SIZE = 5_000
"""The only page that 1.8 has; some 10 MB of JSON."""


class MessageDialect:
    """The dialect of 2.x: the content and the options side by side."""

    edit_method = "POST"
    mark_read_method = "POST"

    def build_send(self, outgoing: Outgoing) -> tuple[str, Body]:
        """Return the last part of the route, and the body."""
        if isinstance(outgoing.content, OutgoingReaction):
            return "sendReaction", _write_reaction(outgoing.content)
        route, content = self._write_content(outgoing)
        return route, {"number": outgoing.to, **content, **self._write_options(outgoing)}

    def build_mark_read(self, keys: list[MessageKey]) -> Body:
        return {"readMessages": [write_key(key) for key in keys]}

    def build_search(self, since: datetime, until: datetime, page: int) -> Body:
        """Search between two moments: Evolution ignores a bound that comes alone."""
        when = {"gte": _format_moment(since), "lte": _format_moment(until)}
        return {"where": {"messageTimestamp": when}, "page": page, "offset": PAGE_SIZE}

    def _write_content(self, outgoing: Outgoing) -> tuple[str, Body]:
        match outgoing.content:
            case Text(text):
                return "sendText", {"text": text}
            case OutgoingMedia() | Audio() | Sticker() as file:
                return self._write_file(file)
            case Location() as location:
                return "sendLocation", _write_location(location)
            case Contacts(contacts):
                return "sendContact", {"contact": [_write_contact(contact) for contact in contacts]}
            case OutgoingPoll() as poll:
                return "sendPoll", _write_poll(poll)
            case OutgoingReaction() as reaction:
                return "sendReaction", _write_reaction(reaction)

    def _write_file(self, file: OutgoingMedia | Audio | Sticker) -> tuple[str, Body]:
        match file:
            case OutgoingMedia():
                return "sendMedia", _write_media(file)
            case Audio(source):
                return "sendWhatsAppAudio", {"audio": source}
            case Sticker(source):
                return "sendSticker", {"sticker": source}

    def _write_options(self, outgoing: Outgoing) -> Body:
        options = outgoing.options
        mentions = {"mentioned": _list_mentions(options.mentions)} if options.mentions else {}
        everyone = {"mentionsEveryOne": True} if options.mention_everyone else {}
        return {**_write_common_options(options), **mentions, **everyone}


class OldMessageDialect(MessageDialect):
    """The dialect of 1.8: content and options each in an object of its own [R v1]."""

    edit_method = "PUT"
    mark_read_method = "PUT"

    def build_send(self, outgoing: Outgoing) -> tuple[str, Body]:
        route, content = self._write_content(outgoing)
        wrapper = _WRAPPERS[route]
        wrapped = {wrapper: content["contact"] if route == "sendContact" else content}
        if isinstance(outgoing.content, OutgoingReaction):
            return route, wrapped
        options = self._write_options(outgoing)
        return route, {
            "number": outgoing.to,
            **({"options": options} if options else {}),
            **wrapped,
        }

    def build_mark_read(self, keys: list[MessageKey]) -> Body:
        return {"read_messages": [write_key(key) for key in keys]}

    def build_search(self, since: datetime, until: datetime, page: int) -> Body:
        """Search for the newest, all at once: 1.8 has neither pages nor a filter by time."""
        return {"where": {}, "limit": OLD_PAGE_SIZE}

    def _write_file(self, file: OutgoingMedia | Audio | Sticker) -> tuple[str, Body]:
        if isinstance(file, Sticker):
            return "sendSticker", {"image": file.source}
        return super()._write_file(file)

    def _write_options(self, outgoing: Outgoing) -> Body:
        options = outgoing.options
        mentions: Body = {}
        if options.mention_everyone:
            mentions["everyOne"] = True
        if options.mentions:
            mentions["mentioned"] = _list_mentions(options.mentions)
        typing = {"presence": "composing"} if options.typing_ms else {}
        return {
            **_write_common_options(options),
            **typing,
            **({"mentions": mentions} if mentions else {}),
        }


DIALECTS: Mapping[config.DialectName, MessageDialect] = {
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


def find_message_dialect(server: config.Server) -> MessageDialect:
    """Return the dialect that a server of that version speaks."""
    return DIALECTS[server.dialect]


def write_key(key: MessageKey) -> Body:
    """Write a message's key as every version spells it."""
    return {"id": key.id, "remoteJid": key.jid, "fromMe": key.from_me}


def _write_common_options(options: Options) -> Body:
    return _drop_absent(
        delay=options.typing_ms or None,
        quoted={"key": {"id": options.quoted_id}} if options.quoted_id else None,
        linkPreview=options.link_preview,
    )


def _write_media(media: OutgoingMedia) -> Body:
    return {
        "mediatype": media.kind.value,
        "media": media.source,
        **_drop_absent(mimetype=media.mimetype, caption=media.caption, fileName=media.file_name),
    }


def _write_location(location: Location) -> Body:
    """Write a place; newer versions want a name and an address, if only empty ones."""
    return {
        "name": location.name or "",
        "address": location.address or "",
        "latitude": location.latitude,
        "longitude": location.longitude,
    }


def _write_contact(contact: ContactCard) -> Body:
    return {
        "fullName": contact.name,
        "wuid": re.sub(r"\D", "", contact.number),
        "phoneNumber": contact.number,
        **_drop_absent(organization=contact.organization, email=contact.email, url=contact.url),
    }


def _write_reaction(reaction: OutgoingReaction) -> Body:
    return {"key": write_key(reaction.to), "reaction": reaction.emoji}


def _write_poll(poll: OutgoingPoll) -> Body:
    return {
        "name": poll.question,
        "selectableCount": poll.selectable,
        "values": list(poll.answers),
    }


def _list_mentions(people: tuple[str, ...]) -> list[str]:
    """List people without repetitions, which do not pass validation; a lid's address stays."""
    digits = (who if who.endswith("@lid") else re.sub(r"\D", "", who) for who in people)
    return list(dict.fromkeys(digits))


def _drop_absent(**fields: Any) -> Body:
    return {name: value for name, value in fields.items() if value is not None}


def _format_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
