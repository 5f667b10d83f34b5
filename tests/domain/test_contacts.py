"""One person is one contact, however an address is spelled."""

import re

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.contacts import (
    Contact,
    ContactKey,
    clean_name,
    contact_of,
    conversation_id,
    find_contact,
    fold,
    is_conversation_id,
    keys_of,
    lid_key,
    may_be,
    spellings_of,
    told_by,
)
from shared.domain.names import LineId
from tests.cases import in_each

MARIA = "5511988887777@s.whatsapp.net"
LID = "111222333444555@lid"

areas = st.from_regex(r"[1-9][1-9]", fullmatch=True)
mobiles = st.from_regex(r"[6-9][0-9]{7}", fullmatch=True)
ten_digits = st.from_regex(r"[2-9][0-9]{9}", fullmatch=True)


@given(areas, mobiles)
def test_brazilian_ninth_digit_is_folded(area, mobile):
    assert fold(f"55{area}9{mobile}") == fold(f"55{area}{mobile}") == f"55{area}{mobile}"


@given(ten_digits)
def test_mexican_and_argentine_spellings_fold(number):
    assert fold(f"521{number}") == fold(f"52{number}") == f"52{number}"
    assert fold(f"549{number}") == fold(f"54{number}") == f"54{number}"


def test_landline_differs_from_similar_mobile():
    assert fold("551133334444") != fold("5511933334444")


@given(areas, mobiles, mobiles)
def test_brazilian_mobiles_fold_by_eight_digits(area, one, two):
    assert (fold(f"55{area}9{one}") == fold(f"55{area}{two}")) == (one == two)


@in_each(
    "number",
    ["15551234567", "351912345678", "5511", "", "55119888877771", "5591912345678", "52155512345"],
)
def test_other_numbers_stay_as_they_are(number):
    folded = fold(number)

    assert folded in (number, "559112345678")


def test_punctuation_doesnt_count():
    assert fold("+55 (11) 98888-7777") == "551188887777"


@given(st.text() | st.text("0123456789", max_size=20))
def test_folding_is_total_and_idempotent(number):
    assert fold(fold(number)) == fold(number)
    assert re.fullmatch("[0-9]*", fold(number))


def test_a_number_is_its_own_address():
    assert contact_of(MARIA) == Contact(
        key=ContactKey("551188887777"), address=MARIA, number="5511988887777"
    )


@in_each(
    "jid",
    [
        "5511988887777:12@s.whatsapp.net",
        "5511988887777_1:12@s.whatsapp.net",
        "5511988887777@c.us",
        "5511988887777@hosted",
        "5511988887777",
        "+5511988887777",
        " 5511988887777@s.whatsapp.net ",
    ],
)
def test_device_and_old_spellings_are_ignored(jid):
    assert contact_of(jid) == contact_of(MARIA)


def test_lid_with_number_keeps_lid_address():
    contact = contact_of(LID, MARIA)

    assert contact.key == contact_of(MARIA).key
    assert (contact.address, contact.number) == (LID, "5511988887777")
    assert contact.lid == "111222333444555"


def test_number_with_lid_knows_both():
    contact = contact_of(MARIA, LID)

    assert (contact.address, contact.number) == (MARIA, "5511988887777")
    assert contact.lid == "111222333444555"


def test_a_bare_lid_has_no_number():
    contact = contact_of("111222333444555:3@lid")

    assert contact == contact_of(LID) == contact_of("111222333444555@hosted.lid")
    assert contact.key == lid_key("111222333444555") == lid_key(LID) == "lid-111222333444555"
    assert contact.number is None


@in_each("alt", ["", "nonsense", "status@broadcast", "120363000000000001@g.us"])
def test_unusable_alternative_is_ignored(alt):
    assert contact_of(LID, alt) == contact_of(LID)


def test_alternative_of_same_sort_changes_nothing():
    assert contact_of(MARIA, "15550000000@s.whatsapp.net") == contact_of(MARIA)
    assert contact_of(LID, "999@lid") == contact_of(LID)


@in_each("group", ["120363000000000001", "5511999990001-1430000000"])
def test_a_group_has_no_number(group):
    contact = contact_of(f"{group}@g.us", MARIA)

    assert contact == Contact(key=ContactKey(f"g-{group}"), address=f"{group}@g.us", group=True)


@in_each(
    "jid",
    [
        "status@broadcast",
        "1234567@broadcast",
        "120363000000000009@newsletter",
        "867051314767696@bot",
        "maria@s.whatsapp.net",
        "@s.whatsapp.net",
        "٣٤٥٦٧٨٩٠@s.whatsapp.net",
        "x@g.us",
        "1234",
        "",
        "@",
        "5511988887777@",
    ],
)
def test_other_addresses_are_no_contact(jid):
    assert contact_of(jid) is None


@given(st.text(), st.none() | st.text())
def test_any_address_is_contact_or_none(jid, alt):
    contact = contact_of(jid, alt)

    assert contact is None or (contact.key and contact.address)


@given(areas, mobiles, st.sampled_from(["", LID]))
def test_person_has_one_key(area, mobile, lid):
    long, short = f"55{area}9{mobile}@s.whatsapp.net", f"55{area}{mobile}@s.whatsapp.net"

    keys = {contact_of(long, lid).key, contact_of(short).key, contact_of(LID, long).key}

    assert len(keys) == 1


def a_conversation(line: str = "default", number: str = "5511999990001", contact: str = "1") -> str:
    return conversation_id(LineId(line), number, ContactKey(contact))


def test_conversation_id_is_stable():
    assert a_conversation() == "vei5taovuaval76nlepestycmw"


def test_conversation_id_ignores_own_spelling():
    assert a_conversation(number="551199990001") == a_conversation(number="5511999990001")


parts = st.tuples(st.text(), st.text("0123456789-", max_size=20), st.text())


@given(parts, parts)
def test_two_conversations_have_two_ids(one, two):
    same = (one[0], fold(one[1]), one[2]) == (two[0], fold(two[1]), two[2])

    assert (a_conversation(*one) == a_conversation(*two)) == same


@given(parts)
def test_conversation_id_fits_url_and_document(one):
    assert re.fullmatch("[a-z2-7]{26}", a_conversation(*one))


def test_person_has_number_and_lid_keys():
    assert keys_of(contact_of(LID, MARIA)) == ("551188887777", "lid-111222333444555")
    assert keys_of(contact_of(LID)) == ("lid-111222333444555",)


@in_each(
    ("key", "person", "may"),
    [
        ("551188887777", contact_of(MARIA), True),
        ("552177776666", contact_of(MARIA), False),
        ("lid-111222333444555", contact_of(LID, MARIA), True),
        ("lid-9", contact_of(LID, MARIA), False),
        ("lid-9", contact_of(MARIA), True),
        ("551188887777", contact_of(LID), True),
    ],
    ids=["the number", "another", "the lid", "another lid", "an unknown lid", "an unknown number"],
)
def test_key_may_match_a_person(key, person, may):
    assert may_be(key, person) is may


def test_conversation_id_is_recognised():
    assert is_conversation_id(conversation_id(LineId("default"), "5511999990001", "x"))
    assert not is_conversation_id("../" * 9)


@in_each(
    ("number", "spellings"),
    [
        ("551188887777", ("551188887777", "5511988887777")),
        ("5511988887777", ("5511988887777", "551188887777")),
        ("525512345678", ("525512345678", "5215512345678")),
        ("5491112345678", ("5491112345678", "541112345678")),
        ("553133180029", ("553133180029",)),
        ("442079460026", ("442079460026",)),
    ],
)
def test_spellings_of_a_number_fold_together(number: str, spellings: tuple[str, ...]):
    assert spellings_of(number) == spellings
    assert {fold(spelling) for spelling in spellings} == {fold(number)}


@in_each(
    ("name", "may"),
    [
        ("551188887777", True),
        ("lid-111", True),
        ("551188887777+lid-111", True),
        ("552177776666", False),
        ("lid-222", False),
        ("551188887777+lid-222", False),
        ("552177776666+lid-111", False),
    ],
)
def test_number_and_lid_must_both_match(name: str, may: bool):
    maria = contact_of("5511988887777@s.whatsapp.net", "111@lid")

    assert may_be(name, maria) is may
    assert told_by(maria) == "551188887777+lid-111"


@in_each(
    ("text", "name"),
    [
        (" Maria  da\nSilva ", "Maria da Silva"),
        ("🌸", "🌸"),
        ("\u200eAna", "\u200eAna"),
        ("\u3164", None),
        ("\u200e\u2060 \u00ad", None),
        ("\u2800\ufe0f\uffa0", None),
        ("", None),
    ],
)
def test_name_needs_visible_characters(text: str, name: str | None):
    assert clean_name(text) == name


@in_each(
    ("shown", "address"),
    [
        ("lid-111222333444555", "111222333444555@lid"),
        ("g-120363000000000010", "120363000000000010@g.us"),
        ("5511988887777@s.whatsapp.net", "5511988887777@s.whatsapp.net"),
        ("lid-x", None),
        ("5511988887777", None),
        ("maria", None),
    ],
)
def test_contact_is_found_by_shown_key(shown: str, address: str | None):
    contact = find_contact(shown)

    assert (contact and contact.address) == address
