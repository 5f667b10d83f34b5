"""What a message is to a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.contacts import contact_of
from shared.domain.content import PREVIEW_LENGTH, Kind, preview
from shared.domain.content.cards import Card
from shared.domain.content.media_files import Media
from shared.domain.content.places import Place
from shared.domain.content.polls import Poll
from shared.domain.messages import AHEAD, Delivery, Message, heard_by
from tests.builders import a_content
from tests.cases import in_each


@in_each(
    ("content", "line"),
    [
        pytest.param(a_content(Kind.TEXT, text=" oi,\n\ttudo  bem? "), "oi, tudo bem?", id="text"),
        pytest.param(a_content(Kind.IMAGE, text="foto", media=Media()), "foto", id="caption"),
        pytest.param(a_content(Kind.IMAGE, media=Media(name="a.png")), "", id="bare image"),
        pytest.param(a_content(Kind.POLL, poll=Poll(question="Qual?")), "Qual?", id="poll"),
        pytest.param(
            a_content(Kind.LOCATION, place=Place(latitude=1, longitude=2, name="Praça")),
            "Praça",
            id="named place",
        ),
        pytest.param(
            a_content(Kind.LOCATION, place=Place(latitude=1, longitude=2, address="Rua X")),
            "Rua X",
            id="place with an address",
        ),
        pytest.param(
            a_content(Kind.LOCATION, place=Place(latitude=1, longitude=2)), "", id="bare place"
        ),
        pytest.param(
            a_content(Kind.CONTACTS, cards=(Card(name="João"), Card(name="Ana"))),
            "João, Ana",
            id="cards",
        ),
        pytest.param(a_content(Kind.UNSUPPORTED, original="x"), "", id="unsupported"),
    ],
)
def test_preview_reads_like_the_message(content, line):
    assert preview(content) == line


@given(st.text())
def test_a_preview_is_one_short_line(text):
    line = preview(a_content(Kind.TEXT, text=text))

    assert len(line) <= PREVIEW_LENGTH
    assert len(line.splitlines()) <= 1


def test_long_text_is_cut_in_preview():
    assert preview(a_content(Kind.TEXT, text="a" * 121)) == "a" * 119 + "…"


def test_delivery_is_ordered():
    stages = [Delivery.PENDING, Delivery.SENT, Delivery.DELIVERED, Delivery.READ, Delivery.PLAYED]

    assert sorted(Delivery) == stages


@in_each(
    ("dated", "stored"),
    [
        pytest.param(5_000, 5_000, id="in the past"),
        pytest.param(9_500 + AHEAD, 9_500 + AHEAD, id="by a clock that is a day ahead"),
        pytest.param(9_501 + AHEAD, 9_000, id="later than that"),
        pytest.param(8_640_000_000_000, 9_000, id="in 2243"),
    ],
)
def test_future_date_becomes_arrival_time(dated, stored):
    contact = contact_of("5511988887777@s.whatsapp.net")
    message = Message(id="3A1", kind=Kind.TEXT, contact=contact, from_me=False, at=dated)

    assert heard_by(9_500, message).at == stored
