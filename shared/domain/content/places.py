"""Hold a place, or where a person is on the way."""

from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, Piece


class Place(Piece):
    """A point on the map."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class PlaceContent(BaseContent):
    """A place; the `text` of a live location is its caption."""

    kind: Literal[Kind.LOCATION, Kind.LIVE_LOCATION]
    place: Place | None = None

    def fingerprint(self) -> tuple[object, ...]:
        """Add the point, as precise as WhatsApp keeps it."""
        point = self.place and (round(self.place.latitude, 5), round(self.place.longitude, 5))
        return (*super().fingerprint(), point)
