"""Hold what a business offers to choose from: buttons, lists, templates, forms, carousels."""

from enum import StrEnum
from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, MaybeCode, Piece
from shared.domain.content.media_files import MaybeMedia
from shared.domain.content.places import Place


class ButtonAction(StrEnum):
    """What a button does when it is tapped."""

    REPLY = "reply"
    LINK = "link"
    CALL = "call"
    COPY = "copy"
    FORM = "form"
    LOCATION = "location"
    OTHER = "other"


class Button(Piece):
    """A button: what is on it, and the link, number or code behind it."""

    label: str = ""
    action: ButtonAction = ButtonAction.OTHER
    id: MaybeCode = None
    url: str | None = None
    phone: str | None = None
    copies: str | None = None


class Entry(Piece):
    """One entry of a list."""

    title: str = ""
    description: str | None = None
    id: MaybeCode = None


class Section(Piece):
    """Entries of a list that belong together."""

    title: str | None = None
    rows: tuple[Entry, ...] = ()


class Slide(Piece):
    """One card of a carousel."""

    title: str | None = None
    text: str | None = None
    footer: str | None = None
    buttons: tuple[Button, ...] = ()


class Offer(Piece):
    """What is around the text of an offer. `opens` is on the button that opens the list."""

    title: str | None = None
    subtitle: str | None = None
    footer: str | None = None
    buttons: tuple[Button, ...] = ()
    opens: str | None = None
    sections: tuple[Section, ...] = ()
    slides: tuple[Slide, ...] = ()

    def find_label(self, choice_id: str) -> str | None:
        """Find what is on the button or entry with this id."""
        slides = [button for slide in self.slides for button in slide.buttons]
        labels = [(button.id, button.label) for button in (*self.buttons, *slides)]
        labels += [(row.id, row.title) for section in self.sections for row in section.rows]
        return next((label for name, label in labels if name == choice_id and label), None)


class OfferContent(BaseContent):
    """An offer; `text` is its body. A file or a place may stand at its head."""

    kind: Literal[Kind.BUTTONS, Kind.LIST]
    media: MaybeMedia = None
    place: Place | None = None
    offer: Offer | None = None

    def words(self) -> tuple[str, ...]:
        """Put the title before the body."""
        offer = self.offer or Offer()
        head = Offer(title=offer.title, subtitle=offer.subtitle).words()
        place = self.place.words() if self.place else ()
        body = (self.text,) if self.text else ()
        rest = offer.model_copy(update={"title": None, "subtitle": None}).words()
        return (*head, *place, *body, *rest)
