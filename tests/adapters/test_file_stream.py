"""A file is read out of an answer while it comes: whole, or not at all."""

import base64
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evolution import file_stream
from shared.evolution.file_stream import FileStream
from shared.evolution.json_values import MalformedError
from tests.cases import in_each

WORDS = 'a caption with "base64": "no file" in it'


async def in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read(body: bytes, size: int = 7) -> tuple[bytes, object]:
    """Read the file and the rest of an answer that comes in pieces."""
    stream = FileStream(in_pieces(body, size))
    assert await stream.find_file()
    content = b"".join([piece async for piece in stream.pieces()])
    return content, stream.frame


def an_answer(content: bytes, **fields: object) -> bytes:
    encoded = base64.b64encode(content).decode()
    return json.dumps({"caption": WORDS, **fields, "base64": encoded, "buffer": None}).encode()


@given(st.binary(min_size=1, max_size=300), st.integers(1, 400))
async def test_file_is_the_same_in_any_pieces(content: bytes, size: int):
    found, frame = await read(an_answer(content, mimetype="a/b"), size)

    assert found == content
    assert frame == {"caption": WORDS, "mimetype": "a/b", "base64": "", "buffer": None}


@in_each(
    "body",
    [
        b'{"base64":""}',
        b'{"base64":"AAA*"}',
        b'{"base64":"AAA"}',
        b'{"base64":"QQ==QQ=="}',
        b'{"base64":"AAAA',
        b'{"base64":"AAAA"',
        b'{"base64":"AAAA"} {',
        b'{"base64":"AA\\/A"}',
        b'{"base64":"AAAA","x":"' + b"x" * file_stream.MOST_AROUND + b'"}',
    ],
)
async def test_half_a_file_is_none(body: bytes):
    with pytest.raises(MalformedError):
        await read(body)


@in_each("body", [b"", b'{"error":true}', b"x" * (file_stream.MOST_AROUND + 100)])
async def test_answer_without_file_is_bounded(body: bytes):
    stream = FileStream(in_pieces(body, 64))

    assert not await stream.find_file()
    assert len(await stream.read_rest()) <= file_stream.MOST_AROUND + 128
