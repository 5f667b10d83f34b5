"""Read what happens to a group: members who come and go, and its new subject."""

from typing import Any

import pytest

from shared.domain.content.notices import Member
from shared.domain.events import Ignored, Said, Unreadable
from shared.domain.messages import Message
from tests.adapters import posted
from tests.adapters.posted import GROUP, LID, MARIA, OWN, an_event, read_events
from tests.cases import in_each

BIA = "5511966665555@s.whatsapp.net"
BIA_KEY = "551166665555"


def a_change(action: str = "add", *members: Any, **change: Any) -> dict[str, Any]:
    told = {"id": GROUP, "author": MARIA, "participants": list(members or [BIA]), "action": action}
    return told | change


def read_notice(event: str, data: Any) -> Message:
    (said,) = read_events(an_event(event, data))
    assert isinstance(said, Said), said
    return said.message


def read_members(*parts: Any, **change: Any) -> Message:
    return read_notice("group-participants.update", a_change(*parts, **change))


CHANGES: dict[str, tuple[Any, str]] = {
    "added": (a_change("add"), "551188887777"),
    "removed": (a_change("remove"), "551188887777"),
    "promoted": (a_change("promote"), "551188887777"),
    "demoted": (a_change("demote"), "551188887777"),
    "left": (a_change("remove", author=BIA), BIA_KEY),
    "joined": (a_change("add", author=BIA), BIA_KEY),
}


@in_each("topic", CHANGES)
def test_change_of_members_is_a_notice(topic: str):
    data, author = CHANGES[topic]

    message = read_notice("group-participants.update", data)

    assert message.content.notice.topic == topic
    assert message.content.notice.members == (Member(key=BIA_KEY, number=BIA.split("@")[0]),)
    assert (message.author.key, message.contact.group, message.from_me) == (author, True, False)
    assert not message.counts_unread


def test_who_joins_by_a_link_is_its_author():
    message = read_members("add", {"id": LID, "phoneNumber": BIA}, author=None)

    assert (message.content.notice.topic, message.author.key) == ("joined", BIA_KEY)


MEMBERS: dict[str, Any] = {
    "an address": {"participants": [BIA]},
    "an object": {"participants": [{"id": BIA, "admin": None}]},
    "an object with a lid": {"participants": [{"id": LID, "phoneNumber": BIA}]},
    "a row beside it": {
        "participants": [LID],
        "participantsData": [{"jid": LID, "phoneNumber": BIA, "name": "Bia"}],
    },
}


@in_each("spelling", MEMBERS)
def test_member_is_known_however_it_is_told(spelling: str):
    (member,) = read_members(**MEMBERS[spelling]).content.notice.members

    assert (member.key, member.number) == (BIA_KEY, "5511966665555")
    assert member.name in (None, "Bia")


def test_digits_of_a_lid_are_no_number():
    rows = [{"jid": LID, "phoneNumber": LID.split("@")[0]}]

    (member,) = read_members("add", LID, participantsData=rows).content.notice.members

    assert (member.key, member.number) == ("lid-111222333444555", None)


def test_very_many_members_are_counted():
    people = [f"55119666600{at:02}@s.whatsapp.net" for at in range(40)]

    notice = read_members("add", *people).content.notice

    assert (len(notice.members), notice.more) == (32, 8)


def test_new_subject_is_a_notice_with_its_words():
    message = read_notice("groups.update", [{"id": GROUP, "subject": "Vendas", "author": MARIA}])

    assert (message.new_subject, message.author.key) == ("Vendas", "551188887777")
    assert message.content.words() == ("Vendas",)


def test_same_change_has_same_id_and_another_has_another():
    ids = [
        read_members("add").id,
        read_members("add").id,
        read_members("remove").id,
        read_members("add", OWN).id,
        read_members("add", author=None).id,
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


STUBS: dict[Any, tuple[Any, str]] = {
    27: ([BIA], "added"),
    "GROUP_PARTICIPANT_REMOVE": ([f'{{"id": "{LID}", "phoneNumber": "{BIA}"}}'], "removed"),
    32: ([BIA], "left"),
    21: (["Vendas"], "renamed"),
}


@in_each("stub", STUBS)
def test_stub_of_a_group_is_a_notice(stub: Any):
    parameters, topic = STUBS[stub]
    key = posted.a_key(GROUP, participant=MARIA)

    message = posted.read_message({}, key, messageStubType=stub, messageStubParameters=parameters)

    assert (message.id, message.content.notice.topic) == ("3A1", topic)


@in_each(
    ("key", "member", "topic"),
    [
        pytest.param({}, BIA, "added", id="we, unnamed, added another"),
        pytest.param({"participant": OWN}, BIA, "added", id="we added another"),
        pytest.param({"participant": OWN}, OWN, "joined", id="we joined"),
    ],
)
def test_stub_of_ours_says_what_we_did(key: dict[str, str], member: str, topic: str):
    own = posted.a_key(GROUP, fromMe=True, **key)

    message = posted.read_message({}, own, messageStubType=27, messageStubParameters=[member])

    assert (message.from_me, message.content.notice.topic) == (True, topic)


NOTHING: dict[str, tuple[Any, type]] = {
    "no object": (7, Unreadable),
    "no group": (a_change(id=MARIA), Unreadable),
    "another change": (a_change("modify"), Ignored),
    "nobody": (a_change("add", 7), Ignored),
}


@in_each("case", NOTHING)
def test_what_changes_nothing_is_no_notice(case: str):
    data, kind = NOTHING[case]

    (event,) = read_events(an_event("group-participants.update", data))

    assert isinstance(event, kind)


@in_each(("data", "kind"), [(7, Unreadable), ({"id": MARIA}, Unreadable), ({"id": GROUP}, Ignored)])
def test_group_without_a_subject_is_not_renamed(data: Any, kind: type):
    (event,) = read_events(an_event("group.update", data))

    assert isinstance(event, kind)
