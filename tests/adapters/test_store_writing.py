"""Our own encoding of the hot path's writes equals the client's."""

from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.types import Write
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conversations import SeenAd
from shared.evolution.events.ad_origin import read_ad_origin
from shared.store import writing
from shared.store.base import Unfit
from shared.store.messages.documents import ADS_KEPT
from tests.cases import in_each

INTEGERS = st.integers(-(2**63), 2**63 - 1)
LETTERS = st.characters(codec="utf-8", exclude_characters="`\\")
NAMES = st.text(LETTERS, min_size=1, max_size=8)
PLAIN = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False) | st.text(max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
NUMBERS = INTEGERS | st.floats(allow_nan=False)
NESTED = st.dictionaries(NAMES, INTEGERS.map(firestore.Increment), min_size=1, max_size=3)
TRANSFORMS = NUMBERS.map(firestore.Maximum) | INTEGERS.map(firestore.Increment)
TRANSFORMS |= st.just(firestore.SERVER_TIMESTAMP)
TRANSFORMS |= st.lists(st.text(max_size=9), min_size=1, max_size=3).map(firestore.ArrayUnion)


@pytest.fixture(scope="module")
def client() -> firestore.AsyncClient:
    return firestore.AsyncClient(project="never-called", credentials=AnonymousCredentials())


@given(fields=st.dictionaries(NAMES, VALUES | TRANSFORMS | NESTED, min_size=1, max_size=5))
def test_writes_equal_the_clients(client: firestore.AsyncClient, fields: dict[str, Any]):
    reference, ours, theirs = client.document("tenants/a/b/c"), client.batch(), client.batch()
    writing.create(ours, reference, fields)
    writing.merge(ours, reference, fields)
    theirs.create(reference, fields)
    theirs.set(reference, fields, merge=True)

    assert [said(write) for write in ours._write_pbs] == [
        said(write) for write in theirs._write_pbs
    ]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_oversized_number_is_unfit(client: firestore.AsyncClient, number: int):
    with pytest.raises(Unfit):
        writing.create(client.batch(), client.document("a/b"), {"at": number})


def said(write: Write) -> tuple[Any, ...]:
    """A write, whatever the order of its transforms and paths."""
    raw = Write.pb(write)
    transforms = sorted(str(transform) for transform in raw.update_transforms)
    paths = sorted(raw.update_mask.field_paths)
    document = dict(raw.update.fields)
    return raw.update.name, document, transforms, paths, raw.HasField("current_document")


@in_each("letter", ["a", "\N{PARTY POPPER}"])
def test_conversation_has_room_for_every_advertisement(letter: str):
    names = ("sourceType", "sourceId", "title", "body", "sourceUrl", "ctwaClid", "thumbnailUrl")
    ad = {name: letter * 1_000 for name in (*names, "sourceApp")}
    context = {"externalAdReply": ad, "quotedAd": {"advertiserName": letter * 1_000}}
    origin = read_ad_origin(context)
    assert origin

    seen = SeenAd(**origin.model_dump(), message="x" * 128, at=1.5).model_dump()

    assert ADS_KEPT * writing.size({"ads": seen}) < writing.LARGEST - 16 * writing.ROOM
