"""What was asked to be said: as a server takes it, and as it will be shown."""

from shared.domain import outgoing
from shared.domain.messages import Card, Content, Kind, Media, Place, Poll
from shared.domain.outgoing import MediaKind
from shared.sending.files import Document, Picture
from shared.sending.requests import (
    CardAsked,
    PollAsked,
    Say,
    SayAudio,
    SayContacts,
    SayDocument,
    SayImage,
    SayLocation,
    SayMessage,
    SayPoll,
    SayReaction,
    SaySticker,
    SayText,
    SayVideo,
    Worded,
)


def options(asked: Say) -> outgoing.Options:
    """How it is said."""
    if isinstance(asked, SayReaction):
        return outgoing.Options()
    return outgoing.Options(
        quoted_id=asked.quoted,
        mentions=asked.mentions if isinstance(asked, Worded) else (),
        link_preview=asked.link_preview if isinstance(asked, SayText) else None,
        typing_ms=asked.typing_ms,
    )


def spoken(asked: SayMessage) -> outgoing.Content:
    """What is said, as a server takes it."""
    match asked:
        case SayText(text=text):
            return outgoing.Text(text)
        case SayImage(image=file):
            return _media(MediaKind.IMAGE, file)
        case SayVideo(video=file):
            return _media(MediaKind.VIDEO, file)
        case SayDocument(document=file):
            return _media(MediaKind.DOCUMENT, file)
        case SayAudio(audio=sound):
            return outgoing.Audio(sound.source)
        case SaySticker(sticker=picture):
            return outgoing.Sticker(picture.source)
        case SayLocation(location=place):
            return outgoing.Location(place.latitude, place.longitude, place.name, place.address)
        case SayContacts(contacts=cards):
            return outgoing.Contacts(tuple(map(_contact, cards)))
        case SayPoll(poll=poll):
            return outgoing.Poll(poll.question, poll.options, poll.selectable)


def shown(asked: SayMessage) -> Content:
    """What will be shown of it, until the server tells more."""
    match asked:
        case SayText(text=text):
            return Content(kind=Kind.TEXT, text=text)
        case SayImage() | SayVideo() | SayDocument() | SayAudio() | SaySticker():
            return _file(asked)
        case SayLocation(location=place):
            return Content(kind=Kind.LOCATION, place=Place.model_validate(place.model_dump()))
        case SayContacts(contacts=cards):
            introduced = tuple(Card(name=card.name, numbers=(card.number,)) for card in cards)
            return Content(kind=Kind.CONTACTS, cards=introduced)
        case SayPoll(poll=poll):
            return Content(kind=Kind.POLL, poll=_poll(poll))


def _media(kind: MediaKind, file: Picture) -> outgoing.Media:
    name = file.name if isinstance(file, Document) else None
    return outgoing.Media(kind, file.source, file.mimetype, file.caption, name)


def _contact(card: CardAsked) -> outgoing.Contact:
    return outgoing.Contact(card.name, card.number, card.organization, card.email, card.url)


def _file(asked: SayImage | SayVideo | SayDocument | SayAudio | SaySticker) -> Content:
    match asked:
        case SayImage(image=file):
            return _picture(Kind.IMAGE, file)
        case SayVideo(video=file):
            return _picture(Kind.VIDEO, file)
        case SayDocument(document=file):
            return _picture(Kind.DOCUMENT, file)
        case SayAudio():
            return Content(kind=Kind.VOICE, media=Media())
        case SaySticker():
            return Content(kind=Kind.STICKER, media=Media())


def _picture(kind: Kind, file: Picture) -> Content:
    name = file.name if isinstance(file, Document) else None
    return Content(kind=kind, text=file.caption, media=Media(mimetype=file.mimetype, name=name))


def _poll(asked: PollAsked) -> Poll:
    return Poll(question=asked.question, options=asked.options, selectable=asked.selectable)
