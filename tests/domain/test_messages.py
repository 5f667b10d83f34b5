"""What a message is to a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.contacts import contact_of
from shared.domain.messages import (
    AHEAD,
    PREVIEW_LENGTH,
    Card,
    Content,
    Delivery,
    Kind,
    Media,
    Message,
    Place,
    Poll,
    heard_by,
    preview,
)
from tests.cases import in_each


@in_each(
    ("content", "line"),
    [
        pytest.param(
            Content(kind=Kind.TEXT, text=" oi,\n\ttudo  bem? "), "oi, tudo bem?", id="text"
        ),
        pytest.param(Content(kind=Kind.IMAGE, text="foto", media=Media()), "foto", id="caption"),
        pytest.param(Content(kind=Kind.IMAGE, media=Media(name="a.png")), "", id="bare image"),
        pytest.param(Content(kind=Kind.POLL, poll=Poll(question="Qual?")), "Qual?", id="poll"),
        pytest.param(
            Content(kind=Kind.LOCATION, place=Place(latitude=1, longitude=2, name="Praça")),
            "Praça",
            id="named place",
        ),
        pytest.param(
            Content(kind=Kind.LOCATION, place=Place(latitude=1, longitude=2, address="Rua X")),
            "Rua X",
            id="place with an address",
        ),
        pytest.param(
            Content(kind=Kind.LOCATION, place=Place(latitude=1, longitude=2)), "", id="bare place"
        ),
        pytest.param(
            Content(kind=Kind.CONTACTS, cards=(Card(name="João"), Card(name="Ana"))),
            "João, Ana",
            id="cards",
        ),
        pytest.param(Content(kind=Kind.UNSUPPORTED, original="x"), "", id="unsupported"),
    ],
)
def test_preview_is_what_person_would_read(content, line):
    assert preview(content) == line


@given(st.text())
def test_a_preview_is_one_short_line(text):
    line = preview(Content(kind=Kind.TEXT, text=text))

    assert len(line) <= PREVIEW_LENGTH
    assert len(line.splitlines()) <= 1


def test_a_long_text_is_cut_where_it_shows():
    assert preview(Content(kind=Kind.TEXT, text="a" * 121)) == "a" * 119 + "…"


def test_delivery_is_ordered():
    stages = [Delivery.PENDING, Delivery.SENT, Delivery.DELIVERED, Delivery.READ, Delivery.PLAYED]

    assert sorted(Delivery) == stages


@in_each(
    ("dated", "said"),
    [
        pytest.param(5_000, 5_000, id="in the past"),
        pytest.param(9_500 + AHEAD, 9_500 + AHEAD, id="by a clock that is a day ahead"),
        pytest.param(9_501 + AHEAD, 9_000, id="later than that"),
        pytest.param(8_640_000_000_000, 9_000, id="in 2243"),
    ],
)
def test_what_is_dated_days_ahead_was_said_when_it_was_heard(dated, said):
    contact = contact_of("5511988887777@s.whatsapp.net")
    message = Message(id="3A1", kind=Kind.TEXT, contact=contact, from_me=False, at=dated)

    assert heard_by(9_500, message).at == said
