"""Translate the content of a request: for the server, and for the stored message."""

from typing import Literal

from shared.domain import outgoing
from shared.domain.content import Content, Kind
from shared.domain.content.cards import Card, CardsContent
from shared.domain.content.media_files import FileContent, Media
from shared.domain.content.places import Place, PlaceContent
from shared.domain.content.polls import Poll, PollContent
from shared.domain.content.texts import TextContent
from shared.domain.outgoing import MediaKind
from shared.sending.files import Document, Picture
from shared.sending.requests import (
    CardAsked,
    MessageRequest,
    PollAsked,
    SayAudio,
    SayContacts,
    SayDocument,
    SayImage,
    SayLocation,
    SayPoll,
    SayReaction,
    SaySticker,
    SayText,
    SayVideo,
    SendRequest,
    TextFields,
)

Shown = Literal[Kind.IMAGE, Kind.VIDEO, Kind.DOCUMENT]


def build_options(request: SendRequest) -> outgoing.Options:
    """Build the options of a message: quote, mentions, link preview and typing time."""
    if isinstance(request, SayReaction):
        return outgoing.Options()
    return outgoing.Options(
        quoted_id=request.quoted,
        mentions=request.mentions if isinstance(request, TextFields) else (),
        mention_everyone=isinstance(request, TextFields) and request.mention_everyone,
        link_preview=request.link_preview if isinstance(request, SayText) else None,
        typing_ms=request.typing_ms,
    )


def build_outgoing(request: MessageRequest) -> outgoing.Content:
    """Build the content as a server takes it."""
    match request:
        case SayText(text=text):
            return outgoing.Text(text)
        case SayImage(image=file):
            return _build_media(MediaKind.IMAGE, file)
        case SayVideo(video=file):
            return _build_media(MediaKind.VIDEO, file)
        case SayDocument(document=file):
            return _build_media(MediaKind.DOCUMENT, file)
        case SayAudio(audio=sound):
            return outgoing.Audio(sound.source)
        case SaySticker(sticker=picture):
            return outgoing.Sticker(picture.source)
        case SayLocation(location=place):
            return outgoing.Location(place.latitude, place.longitude, place.name, place.address)
        case SayContacts(contacts=cards):
            return outgoing.Contacts(tuple(map(_build_contact, cards)))
        case SayPoll(poll=poll):
            return outgoing.OutgoingPoll(poll.question, poll.options, poll.selectable)


def build_content(request: MessageRequest) -> Content:
    """Build the content as it is stored and shown until the server reports more."""
    match request:
        case SayText(text=text):
            return TextContent(kind=Kind.TEXT, text=text)
        case SayImage() | SayVideo() | SayDocument() | SayAudio() | SaySticker():
            return _build_file_content(request)
        case SayLocation(location=place):
            return PlaceContent(kind=Kind.LOCATION, place=Place.model_validate(place.model_dump()))
        case SayContacts(contacts=cards):
            stored = tuple(Card(name=card.name, numbers=(card.number,)) for card in cards)
            return CardsContent(kind=Kind.CONTACTS, cards=stored)
        case SayPoll(poll=poll):
            return PollContent(kind=Kind.POLL, poll=_build_poll(poll))


def _build_media(kind: MediaKind, file: Picture) -> outgoing.OutgoingMedia:
    name = file.name if isinstance(file, Document) else None
    return outgoing.OutgoingMedia(kind, file.source, file.mimetype, file.caption, name)


def _build_contact(card: CardAsked) -> outgoing.ContactCard:
    return outgoing.ContactCard(card.name, card.number, card.organization, card.email, card.url)


def _build_file_content(
    request: SayImage | SayVideo | SayDocument | SayAudio | SaySticker,
) -> Content:
    match request:
        case SayImage(image=file):
            return _build_picture_content(Kind.IMAGE, file)
        case SayVideo(video=file):
            return _build_picture_content(Kind.VIDEO, file)
        case SayDocument(document=file):
            return _build_picture_content(Kind.DOCUMENT, file)
        case SayAudio():
            return FileContent(kind=Kind.VOICE, media=Media())
        case SaySticker():
            return FileContent(kind=Kind.STICKER, media=Media())


def _build_picture_content(kind: Shown, file: Picture) -> Content:
    name = file.name if isinstance(file, Document) else None
    return FileContent(kind=kind, text=file.caption, media=Media(mimetype=file.mimetype, name=name))


def _build_poll(poll: PollAsked) -> Poll:
    return Poll(question=poll.question, options=poll.options, selectable=poll.selectable)
