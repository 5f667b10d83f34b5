"""Read the names of people and groups (EVOLUTION.md §4, contacts.* and groups.*)."""

from typing import Any

from shared.domain.contacts import Contact
from shared.domain.events import ContactNamed, Event, GroupNamed, Ignored, Unreadable
from shared.evolution import addresses, json_values
from shared.evolution.addresses import Fields
from shared.evolution.events.payload import EventPayload, Events, read_items

_NAMES = ("pushName", "name", "verifiedName", "notify")


def read_contacts(payload: EventPayload) -> Events:
    """Read `contacts.*`: an array or one object, mostly without a name."""
    return read_items(payload.data, lambda value: [_read_contact(value)])


def read_groups(payload: EventPayload) -> Events:
    """Read `groups.upsert`: a group that was just made, or that we were just added to."""
    return read_items(payload.data, lambda value: [_read_group(value, payload.at)])


def _read_contact(value: Any) -> Event:
    """Read a person's name. A group's `pushName` is that of its last writer, so it is ignored."""
    if not isinstance(value, dict):
        return Unreadable("a contact that is no object")
    contact = addresses.read_contact(value.get("remoteJid") or value.get("id"))
    if not isinstance(contact, Contact):
        return contact
    if contact.group:
        return Ignored("a group's contact row")
    names = (addresses.read_name(value.get(field), contact) for field in _NAMES)
    name = next(filter(None, names), None)
    return ContactNamed(contact, name) if name else Ignored("a contact without a name")


def _read_group(value: Any, reported_at: int) -> Event:
    if not isinstance(value, dict):
        return Unreadable("a group that is no object")
    group, subject = read_group_contact(value), addresses.read_subject(value)
    if not isinstance(group, Contact):
        return group
    at = json_values.read_millis(value.get("subjectTime")) or reported_at
    return GroupNamed(group, subject, at) if subject else Ignored("a group without a subject")


def read_group_contact(value: Fields) -> Contact | Ignored | Unreadable:
    """Return the group that a row is about."""
    contact = addresses.read_contact(value.get("id") or value.get("remoteJid"))
    if isinstance(contact, Contact) and not contact.group:
        return Unreadable("a group that is none")
    return contact
