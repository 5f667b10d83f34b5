"""Read the file in a JSON answer while it comes: the answer is never in memory as a whole."""

import base64
import binascii
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from shared import untrusted
from shared.evolution.json_values import MalformedError

MOST_AROUND: Final = 256 * 1024
"""Bytes of an answer beside its file."""

PIECE: Final = 256 * 1024
"""Characters that are decoded at once; a multiple of 4."""

_OPENING: Final = re.compile(rb'"base64"\s*:\s*"')
"""Inside of a text its quotes would be escaped."""


class FileStream:
    """An answer whose `base64` is a file. `frame` is all the rest, known after the last piece."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._head, self._ahead = bytearray(), b""
        self.frame: Any = None

    async def find_file(self) -> bool:
        """Read on to where the file begins; False if the answer has none, or it isn't near."""
        async for piece in self._body:
            self._head += piece
            if opening := _OPENING.search(self._head):
                self._ahead = bytes(self._head[opening.end() :])
                del self._head[opening.end() :]
                return True
            if len(self._head) > MOST_AROUND:
                return False
        return False

    async def read_rest(self) -> bytes:
        """Return an answer without a file, as far as it is of a reasonable length."""
        async for piece in self._body:
            self._head += piece
            if len(self._head) > MOST_AROUND:
                break
        return bytes(self._head)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the file in pieces of at most 192 KiB.

        Raises MalformedError for one that isn't base64, or whose answer was cut: then what came
        isn't the whole file.
        """
        text, tail = self._ahead, b""
        size = 0
        while True:
            content, quote, tail = text.partition(b'"')
            usable = len(content) if quote else len(content) - len(content) % 4
            for start in range(0, usable, PIECE):
                piece = _decode(content[start : min(start + PIECE, usable)])
                size += len(piece)
                yield piece
            if quote:
                break
            text = content[usable:] + await self._read_on()
        if not size:
            raise MalformedError
        await self._read_frame(tail)

    async def _read_on(self) -> bytes:
        async for piece in self._body:
            return piece
        raise MalformedError

    async def _read_frame(self, tail: bytes) -> None:
        rest = bytearray(tail)
        async for piece in self._body:
            rest += piece
            if len(rest) > MOST_AROUND:
                raise MalformedError
        try:
            self.frame = untrusted.read_lenient(bytes(self._head) + b'"' + bytes(rest))
        except untrusted.NotJson:
            raise MalformedError from None


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError from None
