"""Hold the cards of people."""

from typing import Annotated, Literal

from shared.domain.content.kinds import TECHNICAL, BaseContent, Kind, Piece


class Card(Piece):
    """A person whom a message introduces; `numbers` are digits."""

    name: str
    numbers: Annotated[tuple[str, ...], TECHNICAL] = ()


class CardsContent(BaseContent):
    """Cards of one or more people."""

    kind: Literal[Kind.CONTACTS]
    cards: tuple[Card, ...] = ()

    def headlines(self) -> tuple[str | None, ...]:
        """List the names together."""
        return (self.text, ", ".join(filter(None, (card.name for card in self.cards))))

    def fingerprint(self) -> tuple[object, ...]:
        """Add the names."""
        return (*super().fingerprint(), tuple(card.name for card in self.cards))
