"""Read votes in polls, as far as a server decrypted them."""

from typing import Any

from shared.domain.events import Ignored, Voted
from tests.adapters.posted import AT, GROUP, MARIA, OWN, a_key, an_event, read_events, upsert
from tests.cases import in_each

POLL = {"remoteJid": MARIA, "fromMe": True, "id": "3EB0POLL"}


def a_vote(*options: Any, **change: Any) -> dict[str, Any]:
    """Build the content of a vote as 2.3.7 posts it."""
    vote = {"encPayload": {"0": 1}, "selectedOptions": list(options)}
    told = {"pollCreationMessageKey": POLL, "vote": vote, "senderTimestampMs": str(AT + 7)}
    return {"pollUpdateMessage": told | change}


VOTERS: dict[str, tuple[dict[str, Any], str]] = {
    "a contact": (a_key(), "551188887777"),
    "we": (a_key(fromMe=True), "me"),
    "a member": (a_key(GROUP, participant=MARIA), "551188887777"),
}


@in_each("voter", VOTERS)
def test_decrypted_vote_says_who_is_for_what(voter: str):
    key, actor = VOTERS[voter]

    assert upsert(a_vote("A", "B"), key) == (Voted("3EB0POLL", actor, ("A", "B"), AT + 7, "3A1"),)


def test_vote_without_options_takes_back():
    (event,) = upsert(a_vote())

    assert isinstance(event, Voted)
    assert event.options == ()


UNREADABLE: dict[str, tuple[Any, Any]] = {
    "encrypted": (a_vote(vote={"encPayload": {"0": 1}}), None),
    "digests": (a_vote({"0": 1}), None),
    "of no poll": (a_vote("A", pollCreationMessageKey=None), None),
    "by no member": (a_vote("A"), a_key(GROUP)),
}


@in_each("case", UNREADABLE)
def test_vote_that_says_nothing_is_ignored(case: str):
    content, key = UNREADABLE[case]

    assert upsert(content, key) == (Ignored("a vote in a poll"),)


def test_update_says_who_is_for_each_option():
    rows = [
        {"name": "A", "voters": [MARIA, OWN, 7]},
        {"name": "B", "voters": [MARIA, "me"]},
        {"name": "C", "voters": []},
        {"name": 7, "voters": [MARIA]},
    ]

    events = read_events(an_event("messages.update", {"keyId": "3EB0POLL", "pollUpdates": rows}))

    expected = [("551188887777", ("A", "B")), ("me", ("A", "B"))]
    assert [(event.actor, event.options) for event in events] == expected


def test_update_without_voters_is_ignored():
    rows = [{"name": "A", "voters": []}]

    (event,) = read_events(an_event("messages.update", {**POLL, "pollUpdates": rows}))

    assert event == Ignored("a vote in a poll")
