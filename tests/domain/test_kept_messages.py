"""How facts about a message add up, in whatever order they were told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import content, kept_messages
from shared.domain.contacts import ContactKey, contact_of
from shared.domain.content import Kind
from shared.domain.kept_messages import Edit, KeptMessage, Reaction
from shared.domain.messages import Delivery, Message
from shared.store import compaction
from tests.cases import in_each

SAID = Message(
    id="3A1",
    kind=Kind.TEXT,
    text="um",
    contact=contact_of("5511988887777@s.whatsapp.net"),
    from_me=False,
    at=7,
)


def kept(**change: Any) -> KeptMessage:
    """The message as it is kept."""
    where = {"conversation": "c", "line": "default", "number": "5511999990001"}
    return KeptMessage.model_validate({**SAID.model_dump(), **where, **change})


def an_edit(text: str, at: int, by: str = "?") -> Edit:
    """Build an edit to this text."""
    return Edit(text=text, at=at, by={by: True})


def test_edited_message_shows_both_texts():
    edits = {"b": an_edit("três", 9), "a": an_edit("dois", 8)}

    assert kept(edits=edits).text_now == "três"
    assert kept(edits=edits).texts_before == ("um", "dois")
    assert kept_messages.preview_of(kept(edits=edits)).text == "três"


def test_unedited_message_shows_its_text():
    assert kept().text_now == "um"
    assert kept().texts_before == ()
    assert kept_messages.preview_of(SAID) == kept_messages.preview_of(kept())


def test_revoked_message_shows_no_text():
    revoked = kept(edits={"a": an_edit("dois", 8)}, revoked_by={"?": 0})

    assert revoked.text_now is None
    preview = kept_messages.preview_of(revoked)
    assert (preview.text, preview.revoked) == ("", True)


ANA, LID = "552177776666", "lid-111"
GROUP = {
    "contact": contact_of("120363000000000001@g.us"),
    "author": {"key": "551188887777", "number": "5511988887777"},
}


@in_each(
    ("message", "by", "may"),
    [
        pytest.param({}, "551188887777", True, id="whoever said it"),
        pytest.param({}, "?", True, id="somebody, of a contact's message"),
        pytest.param({}, LID, True, id="whoever knows its id"),
        pytest.param({}, "me", False, id="not we, of a contact's message"),
        pytest.param({"from_me": True}, "me", True, id="we"),
        pytest.param({"from_me": True}, "me@551188887777", True, id="our phone, in that chat"),
        pytest.param({"from_me": True}, f"me@{ANA}", False, id="our phone, in another chat"),
        pytest.param({"from_me": True}, "551188887777", False, id="the contact, of ours"),
        pytest.param({"from_me": True}, "?", False, id="somebody, of ours"),
        pytest.param(GROUP, "551188887777", True, id="whoever said it in a group"),
        pytest.param(GROUP, ANA, False, id="another member"),
        pytest.param(GROUP | {"author": None}, ANA, False, id="a member, of nobody's message"),
    ],
)
def test_only_author_changes_a_message(message: dict[str, Any], by: str, may: bool):
    edited = kept(**message, edits={"a": an_edit("dois", 8, by)})
    revoked = kept(**message, revoked_by={by: 9})

    assert (edited.edited, edited.text_now) == ((True, "dois") if may else (False, "um"))
    assert edited.texts_before == (("um",) if may else ())
    assert (revoked.revoked_at is not None) == (may or by == "me")


def test_our_revocation_counts_in_groups():
    assert kept(**GROUP, revoked_by={"me": 9, ANA: 10}).revoked_at == 9


def test_compaction_keeps_newest_edits_and_reactions():
    edits = {f"{at:02}": an_edit(f"texto {at}", at) for at in range(40)}
    reactions = {"me": {f"{at:02}": Reaction(emoji="👍", at=at) for at in range(40)}}

    left = compaction.compact(kept(edits=edits, reactions=reactions).model_dump())

    assert sorted(left["edits"]) == sorted(edits)[-compaction.EDITS_KEPT :]
    assert left["reactions"] == {"me": {"39": {"emoji": "👍", "at": 39}}}


def test_compaction_bounds_long_edits():
    edits = {str(at): an_edit("x" * 60_000, at) for at in range(9)}

    assert sorted(compaction.compact(kept(edits=edits).model_dump())["edits"]) == ["7", "8"]


def test_invalid_edits_displace_no_valid_ones():
    theirs = {str(at): an_edit("R$ 1", 100 + at) for at in range(40)}
    ours = {"ours": an_edit("R$ 900", 1, "me")}

    assert list(
        compaction.compact(kept(from_me=True, edits=theirs | ours).model_dump())["edits"]
    ) == ["ours"]


def test_stub_keeps_all_edits():
    assert compaction.compact({"edits": {"a": an_edit("R$ 1", 1, ANA).model_dump()}})["edits"]
    assert compaction.compact({"progress": 1}) == {"edits": {}}


def test_every_field_of_content_is_purged():
    assert set(content.FIELDS) - set(kept_messages.EMPTY_CONTENT) == {"kind", "view_once"}


def test_content_is_kept_until_purged():
    stored = kept().model_dump()

    assert not kept_messages.is_content_purged(stored)
    assert not kept_messages.is_content_purged(
        {**stored, **kept_messages.EMPTY_CONTENT, "edits": {"a": {}}}
    )
    assert kept_messages.is_content_purged({**stored, **kept_messages.EMPTY_CONTENT})


@given(st.permutations([("a", "👍", 1), ("b", "😂", 2), ("c", "🎉", 2)]))
def test_newest_reaction_counts(reactions: list[Any]):
    given_ = {key: Reaction(emoji=emoji, at=at) for key, emoji, at in reactions}

    assert kept(reactions={"me": given_, "x": {}}).reactions_now() == {"me": "🎉"}


def test_removed_reaction_is_not_shown():
    given_ = {"a": Reaction(emoji="👍", at=1), "b": Reaction(emoji=None, at=2)}

    assert kept(reactions={"me": given_}).reactions_now() == {}


@in_each(
    ("from_me", "progress", "refused", "outcome", "failed"),
    [
        (False, 0, False, None, False),
        (False, 4, False, None, False),
        (True, 0, False, None, False),
        (True, 1, True, Delivery.PENDING, True),
        (True, 2, True, Delivery.SENT, True),
        (True, 3, True, Delivery.DELIVERED, False),
        (True, 5, False, Delivery.PLAYED, False),
    ],
)
def test_only_our_own_messages_get_anywhere(
    from_me: bool, progress: int, refused: bool, outcome: Delivery | None, failed: bool
):
    message = kept(from_me=from_me, progress=progress, refused=refused)

    assert (message.outcome, message.failed) == (outcome, failed)


def test_a_stub_knows_only_news():
    assert kept_messages.is_stub({"progress": 3})
    assert not kept_messages.is_stub(kept().model_dump())


@in_each(
    ("change", "shown"),
    [
        ({"from_me": True, "progress": 1}, True),
        ({"from_me": True, "progress": 2}, False),
        ({"from_me": True, "progress": 1, "refused": True}, False),
        ({"from_me": False}, False),
    ],
)
def test_message_that_nobody_acknowledged_is_shown(change: dict[str, Any], shown: bool):
    message = kept(**change)

    assert message.unacknowledged(message.at + kept_messages.ACKNOWLEDGED_WITHIN_MS + 1) is shown
    assert not message.unacknowledged(message.at + kept_messages.ACKNOWLEDGED_WITHIN_MS)


def test_a_quote_shows_who_said_what():
    in_group = kept(**GROUP)

    assert kept_messages.quote_of(kept()).model_dump() == {
        "id": "3A1", "author": "551188887777", "kind": Kind.TEXT, "preview": "um",
    }  # fmt: skip
    assert kept_messages.quote_of(kept(from_me=True)).author is None
    assert kept_messages.quote_of(in_group).author == "551188887777"


def test_unnamed_group_edit_yields_to_named():
    unnamed = kept(**GROUP, edits={"a": an_edit("dois", 8)})
    named = kept(**GROUP, edits={"a": Edit(text="dois", at=8, by={"?": True, ANA: True})})

    assert (unnamed.text_now, named.text_now) == ("dois", "um")
    assert kept(**GROUP, revoked_by={"?": 9}).revoked_at is None


def test_every_authors_newest_edit_is_kept():
    true = {"true": an_edit("certo", 1, "551188887777")}
    forged = {f"{at:02}": an_edit("x" * 60_000, 10 + at, ANA) for at in range(40)}

    assert "true" in compaction.compact({"edits": true | forged})["edits"]


def test_our_order_carries_its_lid():
    assert kept_messages.lid_in(kept_messages.ours_in(ContactKey(LID))) == "111"
    assert kept_messages.lid_in(kept_messages.ours_in(ContactKey(ANA))) is None


def test_claimed_order_hides_but_never_purges():
    claim = kept_messages.ours_in(ContactKey("551188887777"))

    claimed = kept(from_me=True, revoked_by={claim: 9, "?": 9})
    forged = kept(from_me=True, revoked_by={claim: 9, "551188887777": 9})
    sure = kept(from_me=True, revoked_by={claim: 9, "551188887777": 9, "me": 8})

    assert (claimed.revoked_at, claimed.surely_revoked) == (9, False)
    assert (forged.revoked_at, forged.surely_revoked) == (None, False)
    assert (sure.revoked_at, sure.surely_revoked) == (8, True)


def test_group_member_revokes_in_its_group():
    here = kept_messages.member_of(contact_of("120363000000000001@g.us").key)
    there = kept_messages.member_of(contact_of("120363000000000002@g.us").key)
    hidden = GROUP | {"author": {"key": "lid-111", "lid": "111"}}

    assert kept(**GROUP, revoked_by={ANA: 9, here: 9}).surely_revoked
    assert kept(**GROUP, from_me=True, revoked_by={here: 9}).surely_revoked
    assert not kept(**GROUP, revoked_by={there: 9}).surely_revoked
    assert not kept(**hidden, revoked_by={there: 9}).surely_revoked
    assert not kept(revoked_by={here: 9}).surely_revoked
