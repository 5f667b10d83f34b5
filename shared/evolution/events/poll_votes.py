"""Read votes in polls, as far as a server can decrypt them (EVOLUTION.md §4, poll votes)."""

from typing import Any, Literal

from shared.domain.contacts import ContactKey, contact_of
from shared.domain.events import Event, Ignored, Voted
from shared.domain.kept_messages import ME
from shared.evolution import addresses, json_values
from shared.evolution.addresses import Fields, MessageOrigin
from shared.evolution.contents.fields import find, read_objects
from shared.evolution.events.payload import EventPayload, Events

MOST_OPTIONS = 64
"""Options of one vote; WhatsApp's polls have 12."""

Actor = ContactKey | Literal["me"]

_ENCRYPTED = Ignored("a vote in a poll")


def read_vote(vote: Fields, origin: MessageOrigin, at: int) -> Event:
    """Read `pollUpdateMessage`: with names of options from 2.3.7 on, else encrypted.

    A vote that the server can't decrypt looks like one that was taken back; then no other of that
    person was decrypted either.
    """
    target = addresses.read_message_id(find(vote, "pollCreationMessageKey", "id"))
    options = _read_options(find(vote, "vote", "selectedOptions"))
    person = origin.author if origin.contact.group else origin.contact
    if target is None or options is None or not (person or origin.from_me):
        return _ENCRYPTED
    actor: Actor = person.key if person and not origin.from_me else ME
    moment = json_values.read_millis(vote.get("senderTimestampMs")) or at
    return Voted(target, actor, options, moment, origin.id)


def read_votes(value: Fields, key: Fields, payload: EventPayload) -> Events:
    """Read the `pollUpdates` of `messages.update`: who is for each of the options."""
    ids = map(addresses.read_message_id, (value.get("keyId"), key.get("id")))
    target, chosen = next(filter(None, ids), None), dict[Actor, list[str]]()
    for row in read_objects(value.get("pollUpdates")):
        voters, name = row.get("voters"), row.get("name")
        if not isinstance(voters, list) or not isinstance(name, str):
            continue
        for voter in voters:
            if actor := _read_actor(voter, payload.own_number):
                chosen.setdefault(actor, []).append(name)
    if target is None or not chosen:
        return (_ENCRYPTED,)
    at, vote_id = payload.at, f"u{payload.at}"
    return tuple(
        Voted(target, actor, tuple(options[:MOST_OPTIONS]), at, vote_id)
        for actor, options in chosen.items()
    )


def _read_actor(voter: Any, own_number: str | None) -> Actor | None:
    if voter == ME:
        return ME
    contact = contact_of(voter) if isinstance(voter, str) else None
    if contact is None:
        return None
    return ME if addresses.is_own_contact(contact, own_number) else contact.key


def _read_options(value: Any) -> tuple[str, ...] | None:
    """Return the names of options; None if it isn't a list of them."""
    if not isinstance(value, list) or not all(isinstance(option, str) for option in value):
        return None
    return tuple(value[:MOST_OPTIONS])
