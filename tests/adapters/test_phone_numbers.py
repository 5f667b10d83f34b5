"""A phone number is read as people paste it, or refused in words that say why."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.contacts import fold
from shared.phone_numbers import parse_number
from tests.cases import in_each

ROOT = Path(__file__).parent.parent.parent
NUMBER = "5511911110020"

PASTED = {
    "digits": "5511911110020",
    "as we show it": "+55 11 91111-0020",
    "between direction marks": "\u202a+55 11 91111\u20110020\u202c",
    "after a mark": "\u200e+5511911110020",
    "with a soft hyphen": "+55\u00ad11911110020",
    "with blanks that don't break": "+55\u00a011\u202f91111\u20090020",
    "with a zero width": "\ufeff+55\u200b11\u206091111\u200d0020",
    "with dashes": "55\u201311\u201491111\u22120020",
    "full width": "\uff0b" + "".join(chr(0xFF10 + int(digit)) for digit in NUMBER),
    "Arabic digits": "".join(chr(0x660 + int(digit)) for digit in NUMBER),
    "keycaps": "".join(f"{digit}\ufe0f\u20e3" for digit in NUMBER),
    "on two lines": "+55 11\n91111-0020\t",
    "a link": "tel:+55-11-91111-0020",
    "a link of a page": "TEL:+55%2011%2091111-0020",
    "a link in its context": "tel:91111-0020;phone-context=+55-11",
    "two zeros": "005511911110020",
    "two zeros, apart": "00 55 (11) 91111-0020",
    "code in brackets": "(+55) (11) 91111.0020",
    "an area code with its zero": "+55 (011) 91111-0020",
    "as in the region": "(11) 91111-0020",
    "as in the region, with its zero": "011 91111-0020",
    "through a carrier": "0 15 11 91111-0020",
    "digits of the region": "11911110020",
}  # fmt: skip


@in_each("pasted", PASTED.values(), ids=PASTED)
def test_number_is_read_as_pasted(pasted: str):
    assert parse_number(pasted, "BR") == NUMBER


@in_each(
    ("pasted", "number"),
    [
        ("+44 (0)20 7946 0026", "442079460026"),
        ("+39 06 1234567", "39061234567"),
        ("1 (650) 253-0000", "16502530000"),
        ("+55 31 3318-0029", "553133180029"),
        ("0800 123 4567", "558001234567"),
        ("551188887777", "551188887777"),
        ("5215512345678", "5215512345678"),
        ("4733221122", "4733221122"),
        ("(47) 3322-1122", "554733221122"),
    ],
)
def test_every_plan_has_its_ways(pasted: str, number: str):
    assert parse_number(pasted, "BR") == number


def test_region_is_that_of_the_deployment():
    assert parse_number("020 7946 0026", "GB") == "442079460026"
    assert parse_number("011 55 11 91111-0020", "US") == NUMBER


@in_each(
    "pasted",
    [
        "+55 11 91111-0020 ramal 12",
        "+1 650 253 0000 ext. 5",
        "+1 650 253 0000 x5",
        "+1 650 253 0000 #5",
        "tel:+5511911110020;ext=3",
        "maria",
    ],
)
def test_extension_is_refused(pasted: str):
    with pytest.raises(ValueError, match="extension"):
        parse_number(pasted, "BR")


@in_each(
    "pasted",
    ["", "+", "12", "91111-0020", "+55 91111-0020", "+999 1234 56789", f"{NUMBER} / {NUMBER}"],
)
def test_number_that_cannot_exist_is_refused(pasted: str):
    with pytest.raises(ValueError, match="can exist"):
        parse_number(pasted, "BR")


@given(st.text(max_size=80))
def test_text_is_parsed_or_refused(text: str):
    try:
        number = parse_number(text, "BR")
    except ValueError:
        return
    assert fold(number) == fold(parse_number(number, "BR"))


def test_heavy_libraries_are_loaded_late():
    names = ["receive_webhook", "conversations", "send_message", "ensure_instance", "store_media"]
    late = {"phonenumbers", "filetype", "PIL", "av"}
    look = f"if loaded := {late} & sys.modules.keys(): sys.exit(f'{{name}} loads {{loaded}}')"
    code = f"import importlib, sys\nfor name in {names}:\n"
    code += f" importlib.import_module(f'functions.{{name}}')\n {look}"

    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)

    assert (ran.returncode, ran.stderr) == (0, "")
