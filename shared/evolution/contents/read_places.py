"""Read places."""

from typing import Any

from shared.domain.content import Content, Kind
from shared.domain.content.places import Place, PlaceContent
from shared.evolution import json_values
from shared.evolution.contents.fields import Fields, read_object
from shared.evolution.json_values import read_text


def read_location(value: Fields) -> Content:
    text, place = read_text(value.get("caption")), read_place(value)
    return PlaceContent(kind=Kind.LOCATION, text=text, place=place)


def read_live_location(value: Fields) -> Content:
    text, place = read_text(value.get("caption")), read_place(value)
    return PlaceContent(kind=Kind.LIVE_LOCATION, text=text, place=place)


def read_place(value: Any) -> Place | None:
    """Read a point on the map; None if it is nowhere."""
    fields = read_object(value)
    latitude = json_values.read_float(fields.get("degreesLatitude"))
    longitude = json_values.read_float(fields.get("degreesLongitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    name, address = read_text(fields.get("name")), read_text(fields.get("address"))
    return Place(latitude=latitude, longitude=longitude, name=name, address=address)
