"""Names are derived, reversible and fit for URLs, columns and document ids."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.domain import names
from shared.domain.names import LineId, LineKey, TenantId
from tests.builders import PREFIX, a_key
from tests.cases import in_each

ANY_TEXT = st.text(st.characters(exclude_categories=()))
TENANTS = st.one_of(st.text(), st.text("._~-a0é")).filter(names.usable)
LINES = st.from_regex(names.LINE_PATTERN.replace("$", r"\Z")).map(LineId)
KEYS = st.builds(LineKey, TENANTS.map(TenantId), LINES)
RESERVED = re.compile(r"\.|\.\.|__.*__")


def test_default_line_is_tenant_behind_prefix():
    assert names.instance_name(PREFIX, a_key("acme")) == "instance_acme"


def test_other_line_follows_two_tildes():
    assert names.instance_name(PREFIX, a_key("acme", "vendas")) == "instance_acme~~vendas"


@in_each(
    ("tenant", "spelled"),
    [
        pytest.param("Acme_1.b-c", "Acme_1.b-c", id="plain characters stand for themselves"),
        pytest.param("a b", "a~20b", id="a space"),
        pytest.param("a/b", "a~2fb", id="a slash"),
        pytest.param("a~b", "a~7eb", id="the escape itself"),
        pytest.param("ção", "~c3~a7~c3~a3o", id="each byte of an accent"),
        pytest.param(".", "~2e", id="one dot"),
        pytest.param("..", "~2e.", id="two dots"),
        pytest.param("__x__", "~5f_x__", id="between double underscores"),
        pytest.param(".a", ".a", id="a dot before a letter is plain"),
    ],
)
def test_a_tenant_is_spelled(tenant: str, spelled: str):
    assert names.spell(TenantId(tenant)) == spelled


@given(TENANTS)
@example("a~7eb")
@example("\x00")
@example("é" * 34)
def test_every_spelling_reads_back(tenant: str):
    assert names.unspell(names.spell(TenantId(tenant))) == tenant


@given(TENANTS, TENANTS)
@example("__", "~5f_")
@example("é", "~c3~a9")
def test_two_tenants_are_never_spelled_alike(one: str, other: str):
    assume(one != other)

    assert names.spell(TenantId(one)) != names.spell(TenantId(other))


@given(TENANTS)
def test_spelling_fits_urls_and_ids(tenant: str):
    spelled = names.spell(TenantId(tenant))

    assert re.fullmatch(r"[A-Za-z0-9._~-]+", spelled)
    assert not RESERVED.fullmatch(spelled)


@given(KEYS)
def test_every_name_reads_back(key: LineKey):
    assert names.line_key(PREFIX, names.instance_name(PREFIX, key)) == key


@given(KEYS, KEYS)
@example(a_key("a", "b"), a_key("a~~b"))
@example(a_key("a"), a_key("a~~default"))
def test_two_lines_never_share_a_name(one: LineKey, other: LineKey):
    assume(one != other)

    assert names.instance_name(PREFIX, one) != names.instance_name(PREFIX, other)


@given(KEYS)
def test_name_fits_urls_and_columns(key: LineKey):
    name = names.instance_name("p" * names.PREFIX_LIMIT, key)

    assert re.fullmatch(r"[A-Za-z0-9._~-]+", name)
    assert len(name) <= names.NAME_LIMIT
    assert not RESERVED.fullmatch(name)


@given(KEYS, st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,15}\Z"))
@example(a_key("b__"), "a__")
def test_no_prefix_makes_reserved_name(key: LineKey, prefix: str):
    assert not RESERVED.fullmatch(names.instance_name(prefix, key))


@given(ANY_TEXT)
@example("")
@example("\ud800")
@example("x" * (names.SPELLING_LIMIT + 1))
def test_usable_text_is_short_enough(text: str):
    try:
        spelled = names.spell(TenantId(text))
    except UnicodeEncodeError:
        spelled = ""

    assert names.usable(text) == (0 < len(spelled) <= names.SPELLING_LIMIT)


def test_tenant_length_counts_its_spelling():
    plain, escaped = names.SPELLING_LIMIT, names.SPELLING_LIMIT // 3

    assert names.usable("x" * plain)
    assert not names.usable("x" * (plain + 1))
    assert names.usable(" " * escaped)
    assert not names.usable(" " * (escaped + 1))


@given(ANY_TEXT)
def test_line_key_reads_back_its_name(name: str):
    key = names.line_key(PREFIX, PREFIX + name)

    assert key is None or names.instance_name(PREFIX, key) == PREFIX + name


@in_each(
    "name",
    [
        pytest.param("", id="nothing"),
        pytest.param("acme", id="no prefix"),
        pytest.param("Instance_acme", id="another case of the prefix"),
        pytest.param("instance_", id="no tenant"),
        pytest.param("instance_~~vendas", id="a line of nobody"),
        pytest.param("instance_acme~~default", id="the default line said aloud"),
        pytest.param("instance_acme~~", id="an empty line"),
        pytest.param("instance_acme~~Vendas", id="a line in capitals"),
        pytest.param("instance_acme~~a~~b", id="two lines"),
        pytest.param("instance_acme~~vendas\n", id="a line break at the end"),
        pytest.param("instance_a~61", id="an escape that wasn't needed"),
        pytest.param("instance_a~2F", id="an escape in capitals"),
        pytest.param("instance_a~2", id="half an escape"),
        pytest.param("instance_a b", id="a space that should be escaped"),
        pytest.param("instance_é", id="an accent that should be escaped"),
        pytest.param("instance_~ff", id="bytes that aren't UTF-8"),
        pytest.param("instance_~ed~a0~80", id="half a surrogate in bytes"),
        pytest.param("instance_\ud800", id="half a surrogate"),
        pytest.param("instance___x", id="reserved underscores unescaped"),
    ],
)
def test_uncanonical_name_is_nobodys(name: str):
    assert names.line_key(PREFIX, name) is None


def test_no_tenant_is_spelled_as_nothing():
    assert names.unspell("") is None


@in_each("line", ["default", "a", "a-b", "0", "x" * 32])
def test_a_line_is_short_and_plain(line: str):
    assert names.is_line(line)


@in_each("line", ["", "-a", "a-", "A", "a_b", "a b", "a\n", "é", "٣", "x" * 33])
def test_anything_else_is_no_line(line: str):
    assert not names.is_line(line)
