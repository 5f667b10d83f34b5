"""Find conversations by any word of a name, or by any part of a number of four digits or more.

A conversation keeps tokens, of which a query asks for one; what it finds is compared with the
names and the number themselves.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from shared.domain.contacts import spellings_of

PART = 4
"""Digits of a number that are a token: fewer find too many."""

MOST_TOKENS = 2
"""Tokens of a search of which the store takes the rarer one."""

MOST_WORDS, LONGEST_BEGINNING = 8, 8
"""Words of a name that are tokens, and letters of each: a document holds 40,000 index entries."""

_WORD = re.compile(r"[^\W_]+")


class Search(NamedTuple):
    """A search: words, the beginning of each is enough, or the digits of a part of a number."""

    words: tuple[str, ...]
    digits: str | None = None

    @property
    def tokens(self) -> tuple[str, ...]:
        """List tokens that a conversation has if it may fit: two, those that are likely rarest."""
        if self.digits:
            return (self.digits[-PART:],)
        rarest = sorted(self.words, key=_guess_rarity, reverse=True)
        return tuple(dict.fromkeys(word[:LONGEST_BEGINNING] for word in rarest))[:MOST_TOKENS]

    def fits(self, number: str | None, names: Iterable[str | None]) -> bool:
        """Tell whether a person, or a group, with this number and these names was searched."""
        known = [word for name in names if name for word in _list_words(name)]
        numbers = [*(spellings_of(number) if number else ()), *filter(str.isdecimal, known)]
        if self.digits:
            bare = self.digits.lstrip("0")
            parts = (self.digits, bare) if len(bare) >= PART else (self.digits,)
            return any(part in spelling for spelling in numbers for part in parts)
        return all(any(word.startswith(begun) for word in known) for begun in self.words)


def parse_search(text: str) -> Search | None:
    """Read what a person typed; None if there is nothing to search for.

    Digits with signs between them are a number, in any spelling; zeros before it may not be its.
    """
    words = _list_words(text.replace("(0)", ""))
    digits = "".join(words)
    if len(digits) >= PART and digits.isdecimal():
        return Search(words, digits)
    return Search(words) if words else None


@lru_cache(maxsize=4096)
def tokens_of(number: str | None, *names: str | None) -> tuple[str, ...]:
    """List the tokens of a person or a group: some 15 for a number and 20 for a name.

    Those of the number come first: whether a name is added later or at once, the list is the same.
    """
    words = [word for name in names if name for word in _list_words(name)[:MOST_WORDS]]
    beginnings = {word[:length] for word in words for length in range(1, LONGEST_BEGINNING + 1)}
    of_names = beginnings.union(*map(_list_parts, filter(str.isdecimal, words)))
    of_number = set[str]().union(*map(_list_parts, spellings_of(number) if number else ()))
    return (*sorted(of_number), *sorted(of_names - of_number))


def _guess_rarity(word: str) -> tuple[int, bool]:
    return min(len(word), LONGEST_BEGINNING), any(map(str.isdecimal, word))


def _list_parts(digits: str) -> set[str]:
    return {digits[end - PART : end] for end in range(PART, len(digits) + 1)}


def _list_words(text: str) -> tuple[str, ...]:
    """List the words of a text without accents, capitals and invisible characters."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    seen = (letter for letter in plain if unicodedata.category(letter) not in ("Mn", "Me", "Cf"))
    return tuple(_WORD.findall("".join(map(_write_digit, seen))))


def _write_digit(letter: str) -> str:
    """Write a digit of any script as ours."""
    return str(unicodedata.decimal(letter)) if letter.isdecimal() else letter
