"""Error bodies are read in every shape, known and unknown."""

from hypothesis import given
from hypothesis import strategies as st

from shared.evolution import errors
from tests.cases import in_each

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
MESSAGES = st.one_of(
    JSON,
    st.fixed_dictionaries({"message": JSON}),
    st.fixed_dictionaries({"error": JSON, "response": st.fixed_dictionaries({"message": JSON})}),
)


@given(MESSAGES)
def test_json_texts_are_few_and_short(body):
    texts = errors.list_texts(body)

    assert len(texts) <= errors.MOST_TEXTS
    assert all(isinstance(text, str) and len(text) <= errors.LONGEST_TEXT for text in texts)


@in_each(
    ("body", "texts"),
    [
        ({"response": {"message": "Unauthorized"}}, ["Unauthorized"]),
        ({"response": {"message": ["a", "b"]}}, ["a", "b"]),
        ({"response": {"message": [["a"], ["b"]]}}, ["a", "b"]),
        ({"response": {"message": [{"why": "a", "exists": False}]}}, ["a"]),
        ({"message": ["a"]}, ["a"]),
        ({"error": True, "message": "a"}, ["a"]),
        ({"response": "a"}, ["a"]),
        ({}, []),
        ([{"message": "a"}], []),
    ],
)
def test_texts_are_found_in_every_shape(body, texts):
    assert errors.list_texts(body) == texts


def test_huge_texts_are_cut():
    body = {"response": {"message": ["x" * 1_000_000] * 1_000}}

    assert sum(map(len, errors.list_texts(body))) == errors.MOST_TEXTS * errors.LONGEST_TEXT
