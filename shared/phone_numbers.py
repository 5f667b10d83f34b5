"""Read phone numbers as people paste them: out of an address book, a PDF or a `tel:` link.

Which spellings are one number is ours to say, and in `shared.domain.contacts`. The numbering plans
of the world are a library's, which takes 25 ms to load: import this module where a number is read.
"""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

from shared.domain.contacts import spellings_of

_PLAIN = {"Zs": " ", "Zl": " ", "Zp": " ", "Cc": " ", "Pd": "-", "Cf": "", "Mn": "", "Me": ""}
"""How a character of a category is written: direction marks and soft hyphens not at all."""

_MINUS = "\N{MINUS SIGN}"
_STRANGE = re.compile(r"[^-+0-9 ().\[\]/\\~_·•:]")
_LINK = re.compile(r"\s*tel:", re.IGNORECASE)
_EXTENSION = re.compile(r";(?:ext|isub)=", re.IGNORECASE)
_CONTEXT = re.compile(r";phone-context=(\+[0-9-]+)", re.IGNORECASE)


def parse_number(text: str, region: str) -> str:
    """Return the digits of a number, with its country code, whatever its spelling.

    `region`: where a number without country code is dialled (`BR`). Digits alone are read with a
    country code first, since we show numbers so; digits with signs between them are read as people
    of the region write them. Raises ValueError, in words for the caller.
    """
    spelled = _unwrap_link(_write_plainly(text))
    if _STRANGE.search(spelled):
        raise ValueError("has an extension or letters: WhatsApp reaches whole numbers only")
    possible = [digits for digits in _list_readings(spelled, region) if _is_possible(digits)]
    valid = filter(_is_valid, possible)
    if not possible:
        raise ValueError("is no number that can exist, with its country code or its area code")
    return next(valid, possible[0])


def _write_plainly(text: str) -> str:
    """Write every digit, dash and blank in its plain form, and nothing invisible."""
    plain = map(_write_character, unicodedata.normalize("NFKC", text))
    return "".join(plain).strip()


def _write_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return "-" if character == _MINUS else _PLAIN.get(category, character)


def _unwrap_link(text: str) -> str:
    """Return the number of a `tel:` link (RFC 3966), or the text if it is none."""
    link = _LINK.match(text)
    if link is None:
        return text
    number = unquote(text[link.end() :])
    bare = number if _EXTENSION.search(number) else number.partition(";")[0]
    context = _CONTEXT.search(number)
    return f"{context[1]}{bare}" if context and "+" not in bare else bare


def _list_readings(spelled: str, region: str) -> Iterator[str]:
    """List the digits that may be meant, with the country code, the likeliest first."""
    bare = re.sub(r"[^0-9]", "", spelled)
    with_code, in_region = (f"+{bare}", None), (bare, region)
    readings: tuple[tuple[str, str | None], ...] = (in_region, with_code)
    if spelled.lstrip(" ([").startswith("+"):
        readings = (with_code,)
    elif bare.startswith("00"):
        readings = ((f"+{bare[2:]}", None), in_region)
    elif spelled == bare:
        readings = (with_code, in_region)
    numbers = (_parse(digits, where) for digits, where in readings)
    return (_write_digits(number) for number in numbers if number)


def _parse(digits: str, region: str | None = None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None


def _write_digits(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")


def _is_possible(digits: str) -> bool:
    """Tell whether the number, in one of its spellings, is in use or as long as its country's are.

    (Not every country tells at once what it gives out.)
    """
    return _is_valid(digits) or any(
        phonenumbers.is_possible_number_for_type_with_reason(number, kind)
        == ValidationResult.IS_POSSIBLE
        for number in _parse_spellings(digits)
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
    )


def _is_valid(digits: str) -> bool:
    """Tell whether the number, in one of its spellings, belongs to a range that is in use."""
    return any(map(phonenumbers.is_valid_number, _parse_spellings(digits)))


def _parse_spellings(digits: str) -> list[PhoneNumber]:
    return [number for spelling in spellings_of(digits) if (number := _parse(f"+{spelling}"))]
