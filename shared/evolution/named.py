"""What people and groups are called (EVOLUTION.md §4, contacts.* and groups.*)."""

from typing import Any

from shared.domain.contacts import Contact
from shared.domain.events import ContactNamed, Event, GroupNamed, Ignored, Unreadable
from shared.evolution import addresses
from shared.evolution.heard import Events, Heard, each
from shared.evolution.reading import text


def contacts(heard: Heard) -> Events:
    """`contacts.*`: an array or one object, mostly without a name."""
    return each(heard.data, lambda value: [_contact(value)])


def groups(heard: Heard) -> Events:
    """`groups.upsert` and what would be `groups.update`."""
    return each(heard.data, lambda value: [_group(value)])


def _contact(value: Any) -> Event:
    """A group's `pushName` here is whoever wrote into it last, so it names nobody."""
    if not isinstance(value, dict):
        return Unreadable("a contact that is no object")
    found = addresses.somebody(value.get("remoteJid") or value.get("id"))
    if not isinstance(found, Contact):
        return found
    if found.group:
        return Ignored("a group's contact row")
    name = next(filter(None, (addresses.called(value.get(n), found) for n in _NAMES)), None)
    return ContactNamed(found, name) if name else Ignored("a contact without a name")


def _group(value: Any) -> Event:
    if not isinstance(value, dict):
        return Unreadable("a group that is no object")
    found = addresses.somebody(value.get("id") or value.get("remoteJid"))
    if not isinstance(found, Contact):
        return found
    if not found.group:
        return Unreadable("a group that is none")
    subject = text(value.get("subject"))
    return (
        GroupNamed(found, subject[: addresses.LONGEST_NAME])
        if subject
        else Ignored("a group without a subject")
    )


_NAMES = ("pushName", "name", "verifiedName", "notify")
