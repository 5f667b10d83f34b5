"""What people type finds whom they mean: by words without accents, and by parts of numbers."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.contacts import spellings_of
from shared.domain.search import LONGEST_BEGINNING, MOST_WORDS, parse_search, tokens_of
from tests.cases import in_each

NUMBER = "5511977770019"
NAMES = ("Dona João", "Joãozinho d'Araújo Ｌｔｄａ. 2026")


def finds(text: str, number: str | None, *names: str) -> bool:
    """Search as the store does: by a token first, then by the whole."""
    search = parse_search(text)
    tokens = tokens_of(number, *names)
    return bool(search and {*search.tokens} <= {*tokens} and search.fits(number, names))


@in_each(
    "text",
    ["João", "joao", "JOAOZ", "araujo", "ltda", "dona araujo", "2026", "Joa\u0303o", "jo\u200bao",
     "+55 11 97777-0019", "(11) 97777-0019", "11977770019", "0019", "7777", "1177770019", "9777",
     "０１１ ９７７７７", "00 55 11 97777 0019"],
)  # fmt: skip
def test_search_finds_its_contact(text: str):
    assert finds(text, NUMBER, *NAMES)


@in_each("text", ["", "!?", "oão", "019", "joao maria", "+55 21 97777-0019", "0018", "\u200b"])
def test_search_finds_nobody_else(text: str):
    assert not finds(text, NUMBER, *NAMES)


@given(st.from_regex(r"55[1-9][1-9]9?[6-9][0-9]{7}", fullmatch=True), st.integers(4, 13))
def test_last_digits_find_both_spellings(number: str, length: int):
    for spelling in spellings_of(number):
        for other in spellings_of(number):
            assert finds(spelling[-length:], other)


@given(st.text(max_size=60), st.lists(st.text(max_size=200), max_size=2))
def test_every_word_finds_its_name(text: str, names: list[str]):
    tokens = tokens_of(NUMBER, *names)

    assert len(tokens) < 50 + 2 * MOST_WORDS * LONGEST_BEGINNING + 400
    assert len(set(tokens)) == len(tokens)
    assert tokens[: len(tokens_of(NUMBER))] == tokens_of(NUMBER)
    if parse_search(text):
        assert finds(text, None, text) or len(text.split()) > 1 or not text.isalpha()
