"""Every kind of content: its words, what is stored of it, and what a revocation leaves."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from shared.conversations.conversation_views import message_view
from shared.domain import content, kept_messages
from shared.domain.contacts import contact_of
from shared.domain.content import FIELDS, Kind, preview, read_content
from shared.domain.content.calls import CallOutcome, PhoneCall, outcome_of_rank
from shared.domain.content.notices import GROUP_TOPICS, NoticeTopic
from shared.domain.content.polls import mark_option
from shared.domain.content.texts import TextContent
from shared.domain.content.trade import money
from shared.domain.content.unreadable import UnsupportedContent
from shared.domain.conversations import Conversation, Preview, SeenAd
from shared.domain.kept_messages import Edit, KeptMessage, Vote
from shared.domain.messages import AdOrigin, Message, Quoted
from tests.cases import in_each
from tests.contents import WORD, a_filled_content, any_content, every_kind

MARIA = contact_of("5511988887777@s.whatsapp.net")
ABOUT = {"id": "3A1", "contact": MARIA, "from_me": False, "at": 1000}
PLACE = {"conversation": "c", "line": "default", "number": "5511999990001"}


def a_message(said) -> Message:
    return Message(content=said, **ABOUT)


def test_every_kind_has_one_model():
    assert sorted(kind for kind, _ in every_kind()) == sorted(Kind)


def test_field_has_one_type_everywhere():
    for _, model in every_kind():
        for name, field in model.model_fields.items():
            assert name == "kind" or field.annotation == FIELDS[name].annotation, (model, name)


def test_content_and_message_share_no_field():
    assert not set(FIELDS) & (set(KeptMessage.model_fields) - {"content"})


@given(any_content())
def test_stored_content_reads_back(said):
    stored = {**a_message(said).model_dump(), **PLACE, "told": 3}

    assert KeptMessage.model_validate(stored).content == said
    assert read_content(stored) == said


@in_each("kind", [kind for kind in Kind if kind is not Kind.UNSUPPORTED])
def test_view_shows_a_content_as_the_content_shows_itself(kind: Kind):
    said = a_filled_content(kind)
    message = KeptMessage(content=said, **ABOUT, **PLACE)

    view = message_view(message, datetime.now(UTC)).model_dump(mode="json", exclude_none=True)

    alone = said.model_dump(mode="json", exclude_none=True, exclude={"raw"})
    own = {name: view[name] for name in view if name in type(said).model_fields}
    assert own == alone


@given(any_content())
def test_a_content_is_json_and_back(said):
    dumped = json.loads(a_message(said).model_dump_json())

    assert Message.model_validate(dumped).content == said


@given(any_content())
def test_whatever_has_words_has_a_preview(said):
    has_words = any(word.strip() for word in said.words())

    assert len(preview(said)) <= content.PREVIEW_LENGTH
    assert len(preview(said).splitlines()) <= 1
    assert preview(said) or not has_words


@given(any_content())
def test_revoked_message_keeps_no_content(said):
    quoted, origin = Quoted(id="3A0", preview="x"), AdOrigin(title="x", url="y")
    stored = a_message(said).model_copy(update={"quoted": quoted, "origin": origin}).model_dump()

    stored |= kept_messages.content_to_purge(stored)

    left = KeptMessage.model_validate({**stored, **PLACE})
    assert kept_messages.is_content_purged(stored)
    assert (left.kind, left.content.words(), left.quoted) == (said.kind, (), None)


@in_each("kind", Kind)
def test_purge_removes_every_text(kind: Kind):
    stored = a_message(a_filled_content(kind)).model_dump()

    assert WORD in str(stored)
    assert WORD not in str(stored | kept_messages.content_to_purge(stored))


@in_each("kind", Kind)
def test_empty_content_is_readable(kind: Kind):
    empty = read_content({"kind": kind.value})

    assert (empty.kind, preview(empty)) == (kind, "")
    assert read_content({**empty.model_dump(), "text": None}).fingerprint() == empty.fingerprint()


def test_earlier_document_is_still_read():
    fields = {
        "kind": "unsupported", "text": "Promoção", "original": "templateMessage", "media": None,
        "place": None, "cards": [], "poll": None, "view_once": False,
    }  # fmt: skip

    message = KeptMessage.model_validate({**fields, **ABOUT, **PLACE})

    assert message.content == UnsupportedContent(
        kind=Kind.UNSUPPORTED, text="Promoção", original="templateMessage"
    )


def test_newer_kind_reads_as_unsupported():
    fields = {"kind": "hologram", "text": "oi", "hologram": {"x": 1}, **ABOUT, **PLACE}

    message = KeptMessage.model_validate(fields)

    assert (message.kind, message.text, message.content.original) == (
        Kind.UNSUPPORTED,
        "oi",
        "hologram",
    )
    assert Preview(message="3A1", at=1, kind="hologram").kind is Kind.UNSUPPORTED
    assert Quoted(id="3A1", kind="hologram").kind is Kind.UNSUPPORTED


@in_each("part", [{"topic": "teleported"}, ["odd"], 7])
def test_odd_part_reads_as_unsupported(part: object):
    fields = {"kind": "notice", "text": "oi", "notice": part, **ABOUT, **PLACE}

    content = KeptMessage.model_validate(fields).content

    assert content == UnsupportedContent(kind=Kind.UNSUPPORTED, text="oi", original="notice")


@in_each(
    ("value", "units", "currency", "amount"),
    [
        pytest.param(19900, 1000, "BRL", 1990, id="thousandths"),
        pytest.param(1990, 100, "BRL", 1990, id="hundredths"),
        pytest.param(20, 1, "BRL", 2000, id="whole"),
        pytest.param(1500000, 1000, "JPY", 1500, id="no decimals"),
        pytest.param(1234, 1000, "KWD", 1234, id="three decimals"),
        pytest.param(1999, 1000, "BRL", 200, id="rounded"),
    ],
)
def test_money_is_in_minor_units(value, units, currency, amount):
    assert money(value, units, currency).amount == amount


def test_clearer_content_ranks_higher():
    kinds = [Kind.TEXT, Kind.WAITING, Kind.UNSUPPORTED]

    ranked = sorted(kinds, key=lambda kind: content.clarity(read_content({"kind": kind})))

    assert ranked == [Kind.WAITING, Kind.UNSUPPORTED, Kind.TEXT]


def test_poll_counts_the_last_vote_of_each():
    poll = read_content({"kind": Kind.POLL, "poll": {"question": "?", "options": ["A", "B"]}})
    a, b = (mark_option("3A1", option) for option in "AB")
    votes = {
        "me": {"x": Vote(options=(a, b), at=1), "y": Vote(options=(b,), at=2)},
        "551188887777": {"z": Vote(options=(b, b, "strange"), at=1)},
        "lid-1": {},
    }

    shown = a_kept(poll, votes=votes).content_now.poll

    assert [(row.option, row.count) for row in shown.results] == [("A", 0), ("B", 2)]
    assert a_kept(poll).content_now == poll


def test_log_joins_the_nearest_call():
    calls = [a_call("far", 4_000), a_call("near", 1_000), a_call("log", 0, logged=True, seconds=9)]
    others = [a_call("late", 20_000, logged=True), a_kept(read_content({"kind": "text"}))]

    joined = kept_messages.join_calls([*calls, *others])

    assert [message.id for message in joined] == ["far", "near", "late", "3A1"]
    assert [message.content_now.call.seconds for message in joined[:2]] == [None, 9]
    assert joined[1].content_now.call.outcome is CallOutcome.MISSED


def a_call(name: str, at: int, **fields):
    call = read_content({"kind": Kind.CALL, "call": {"outcome": "missed", **fields}})
    return a_kept(call).model_copy(update={"id": name, "at": 1_000_000 + at})


@in_each("outcome", CallOutcome)
def test_call_that_was_taken_is_an_answer(outcome: CallOutcome):
    message = a_message(read_content({"kind": Kind.CALL, "call": {"outcome": outcome}}))

    assert message.is_answer == (not message.counts_unread) == (outcome is CallOutcome.ANSWERED)
    assert not a_message(read_content({"kind": Kind.CALL})).is_answer


@in_each("topic", NoticeTopic)
def test_notices_of_groups_are_asides(topic: NoticeTopic):
    fields = {"kind": Kind.NOTICE, "text": "Vendas", "notice": {"topic": topic}}

    message = a_message(read_content(fields))

    assert message.is_aside == (topic in GROUP_TOPICS)
    assert message.new_subject == ("Vendas" if topic is NoticeTopic.RENAMED else None)


def test_furthest_report_decides_the_call():
    call = read_content({"kind": Kind.CALL, "call": {"outcome": "ringing", "video": True}})
    answered = a_kept(call, call_progress=CallOutcome.ANSWERED.rank)

    assert a_kept(call).content_now == call
    assert answered.content_now.call == PhoneCall(outcome=CallOutcome.ANSWERED, video=True)
    assert [outcome_of_rank(rank) for rank in (0, 9)] == [CallOutcome.RINGING, CallOutcome.ANSWERED]


def test_unseen_edit_leaves_the_text():
    text = TextContent(kind=Kind.TEXT, text="às 14h")
    hidden = Edit(text=None, at=2, unseen=True, by={MARIA.key: True})
    seen = Edit(text="às 15h", at=3, by={MARIA.key: True})

    before = a_kept(text, edits={"a": hidden})
    after = a_kept(text, edits={"a": hidden, "b": seen})

    assert (before.text_now, before.edited, before.edited_out_of_sight) == ("às 14h", True, True)
    assert before.texts_before == ()
    assert (after.text_now, after.edited_out_of_sight) == ("às 15h", False)
    assert not a_kept(text).edited_out_of_sight


def test_conversation_keeps_first_and_last_advertisement():
    ads = {f"m{at}": SeenAd(source_id=str(at), message=f"3A{at}", at=at) for at in (2, 1, 3)}
    with_ads, without = (
        Conversation(id="c", line="default", number="55", contact=MARIA.key, ads=seen_ads)
        for seen_ads in (ads, {})
    )

    assert (with_ads.first_ad.source_id, with_ads.last_ad.source_id) == ("1", "3")
    assert (without.first_ad, without.last_ad) == (None, None)


def test_only_contact_messages_count_unread():
    notice, image = a_filled_content(Kind.NOTICE), a_filled_content(Kind.IMAGE)

    assert a_message(image).counts_unread
    assert not a_message(notice).counts_unread
    assert not a_message(image).model_copy(update={"from_me": True}).counts_unread
    assert (a_message(image).media, a_message(notice).media) == (image.media, None)


def a_kept(said, **more) -> KeptMessage:
    return KeptMessage.model_validate({"content": said, **ABOUT, **PLACE, **more})
