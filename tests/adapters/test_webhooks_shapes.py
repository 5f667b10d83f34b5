"""Numbers, bytes and times in every shape that JavaScript leaves them in."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from shared.evolution import json_values
from tests.cases import in_each

safe = st.integers(0, json_values.GREATEST)


def split(number: int, unsigned: bool = False) -> dict:
    """Write a 64-bit number as Long.js does: two signed halves."""
    low, high = number & 0xFFFFFFFF, number >> 32
    return {"low": low - 2**32 if low >= 2**31 else low, "high": high, "unsigned": unsigned}


@given(safe, st.booleans())
def test_number_is_same_in_every_shape(number: int, unsigned: bool):
    for shape in (number, str(number), split(number, unsigned), float(number)):
        assert json_values.read_count(shape) == (number if shape == shape else None)


@in_each(
    "value",
    [
        None,
        True,
        "",
        "1.5",
        "-1",
        "٣",
        -1,
        1.5,
        float("nan"),
        float("inf"),
        2**53,
        10**30,
        {"low": 1},
        {"low": "1", "high": 0},
        split(-1),
        [],
    ],
)
def test_what_is_no_count_is_none(value):
    assert json_values.read_count(value) is None


@given(st.integers(1, 10**11 - 1))
def test_seconds_become_milliseconds_and_milliseconds_stay(seconds: int):
    assert (
        json_values.read_millis(seconds)
        == json_values.read_millis(split(seconds))
        == seconds * 1000
    )
    if seconds >= 10**8:
        assert json_values.read_millis(seconds * 1000) == seconds * 1000


@in_each("value", [0, None, "", -5, 10**14, "soon"])
def test_what_is_no_moment_is_none(value):
    assert json_values.read_millis(value) is None


@given(st.binary(max_size=64))
def test_bytes_are_same_in_every_shape(value: bytes):
    written = base64.b64encode(value).decode()
    shapes_of_it = [
        {str(index): byte for index, byte in enumerate(value)},
        dict(reversed([(str(index), byte) for index, byte in enumerate(value)])),
        list(value),
        written,
        {"type": "Buffer", "data": list(value)},
        {"type": "Buffer", "data": written},
    ]

    assert {json_values.read_bytes(shape, 64) for shape in shapes_of_it} == {value}


@given(st.binary(min_size=9, max_size=64))
def test_more_bytes_than_wanted_are_none(value: bytes):
    many = {str(index): byte for index, byte in enumerate(value)}
    written = base64.b64encode(value).decode()

    assert {json_values.read_bytes(shape, 8) for shape in (many, list(value), written)} == {None}


@in_each(
    "value",
    [
        None,
        7,
        "não",
        "abc",
        [256],
        [-1],
        ["1"],
        [10**30],
        {"0": 1, "2": 3},
        {"0": "1"},
        {"type": "Buffer", "data": {"type": "Buffer", "data": []}},
    ],
)
def test_what_is_no_bytes_is_none(value):
    assert json_values.read_bytes(value, 8) is None


@in_each(
    ("value", "number"),
    [(-23.5, -23.5), (0, 0.0), (True, None), ("1", None), (float("nan"), None), (10**400, None)],
)
def test_a_coordinate_is_a_finite_number(value, number):
    assert json_values.read_float(value) == number
