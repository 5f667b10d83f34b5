"""Read updates and deletions of earlier messages."""

from shared.domain.events import (
    DeliveryMoved,
    Ignored,
    ReadByUs,
    Revoked,
    SendRefused,
    Unreadable,
)
from shared.domain.messages import Delivery
from tests.adapters.posted import (
    AT,
    GROUP,
    MARIA,
    a_key,
    an_event,
    read_events,
)
from tests.cases import in_each

MARIA_KEY = "551188887777"
POSTED = 1_795_302_085_123
"""When the envelope says it was posted."""


def update(**data):
    (event,) = read_events(an_event("messages.update", {"keyId": "3A1", "fromMe": True, **data}))
    return event


@in_each(
    ("status", "delivery"),
    [
        ("PENDING", Delivery.PENDING),
        ("SERVER_ACK", Delivery.SENT),
        ("DELIVERY_ACK", Delivery.DELIVERED),
        ("READ", Delivery.READ),
        ("PLAYED", Delivery.PLAYED),
        (1, Delivery.PENDING),
        ("2", Delivery.SENT),
        (3, Delivery.DELIVERED),
        ("4", Delivery.READ),
        (5, Delivery.PLAYED),
    ],
)
def test_a_status_moves_the_delivery(status, delivery):
    assert update(status=status) == DeliveryMoved("3A1", delivery)


@in_each("status", ["ERROR", 0, "0"])
def test_an_error_is_a_refusal(status):
    assert update(status=status) == SendRefused("3A1")


@in_each("status", ["EDITED", "UNHEARD_OF", 77])
def test_other_statuses_are_ignored(status):
    assert isinstance(update(status=status), Ignored)


@in_each("status", [None, "", True, {}, 1.5])
def test_update_without_status_is_unreadable(status):
    assert isinstance(update(status=status), Unreadable)


def test_contacts_delivery_is_not_ours():
    assert isinstance(update(status="DELIVERY_ACK", fromMe=False), Ignored)
    assert update(status="READ", fromMe=False) == ReadByUs("3A1")


@in_each(
    "key",
    [
        {"keyId": "3A1", "messageId": "cuid"},
        {"id": "3A1", "owner": "wa1", "datetime": AT},
        {"key": a_key(fromMe=True)},
    ],
    ids=["2.x", "1.8", "nested"],
)
def test_update_finds_its_message(key):
    (event,) = read_events(an_event("messages.update", [{**key, "status": "READ"}]))

    assert event == DeliveryMoved("3A1", Delivery.READ)


def test_one_update_hides_no_other():
    updates = [{"id": "1", "status": "READ"}, 7, {"id": "2", "status": "ERROR"}]

    read, unreadable, refused = read_events(an_event("messages.update", updates))

    assert (read.id, refused.id) == ("1", "2")
    assert isinstance(unreadable, Unreadable)


def test_a_deleted_message_was_revoked():
    event = update(status="DELETED", remoteJid=MARIA, id="3A1")

    assert event == Revoked("3A1", POSTED, ("me",))


def test_poll_votes_are_no_deletion():
    assert update(status="DELETED", pollUpdates=[{"name": "A"}]) == Ignored("a vote in a poll")


@in_each(
    "data",
    [
        a_key(addressingMode="pn", participant=""),
        {"id": "clx1", "key": a_key(), "status": "DELETED", "messageTimestamp": "1795302085"},
        {"keys": [a_key()]},
        [a_key()],
    ],
    ids=["bare key", "row", "keys", "list"],
)
def test_deletion_is_bare_key_or_row(data):
    expected = Revoked("3A1", POSTED, (MARIA_KEY,))

    assert read_events(an_event("messages.delete", data)) == (expected,)


def test_deleting_a_whole_chat_is_ignored():
    assert read_events(an_event("messages.delete", {"jid": MARIA, "all": True})) == (
        Ignored("a whole chat"),
    )


def test_deletion_without_date_has_no_time():
    (event,) = read_events(an_event("messages.delete", a_key("status@broadcast"), date_time=None))

    assert event == Revoked("3A1", 0, ("?",))


@in_each(
    ("key", "by"),
    [
        (a_key(fromMe=True), "me"),
        (a_key(GROUP, participant=MARIA), MARIA_KEY),
        (a_key(GROUP), "?"),
        ({"id": "3A1"}, "?"),
    ],
    ids=["ours", "a member of a group", "nobody knows who of a group", "a key without a sender"],
)
def test_deletion_says_who_took_message_back(key, by):
    (event,) = read_events(an_event("messages.delete", key))

    assert event.by == (by,)
