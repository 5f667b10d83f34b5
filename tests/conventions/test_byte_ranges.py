"""Which part of a file a browser gets."""

import pytest

from shared import problems
from shared.byte_ranges import ByteSpan, find_span
from tests.cases import in_each

ETAG = '"a"'


@in_each(
    ("asked", "span"),
    [
        (None, None),
        ("bytes=0-", ByteSpan(0, 9)),
        ("bytes=2-4", ByteSpan(2, 4)),
        ("bytes=2-99", ByteSpan(2, 9)),
        ("bytes=-3", ByteSpan(7, 9)),
        ("bytes=-99", ByteSpan(0, 9)),
        ("bytes=-", None),
        ("bytes=4-2", None),
        ("bytes=0-1,3-4", None),
        ("lines=1-2", None),
        ("bytes=1-" + "9" * 16, None),
    ],
)
def test_part_is_read_as_the_standard_says(asked: str | None, span: ByteSpan | None):
    assert find_span(asked, None, 10, ETAG) == span


@in_each("asked", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_part_outside_is_refused(asked: str):
    with pytest.raises(problems.RangeOutside):
        find_span(asked, None, 10, ETAG)


def test_part_of_another_content_is_the_whole():
    assert find_span("bytes=0-1", ETAG, 10, ETAG) == ByteSpan(0, 1)
    assert find_span("bytes=0-1", '"b"', 10, ETAG) is None
