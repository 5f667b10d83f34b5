"""Read what happens to a group: who joins or leaves it, and its new subject (EVOLUTION.md §4).

Each becomes a notice in the group's conversation. The events have no ids, so a notice's id is
derived from all that its event says.
"""

import hashlib
import json
from base64 import b32encode
from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain import positions
from shared.domain.contacts import Contact, contact_of, find_contact, keys_of
from shared.domain.content import Kind
from shared.domain.content.notices import Member, Notice, NoticeContent, NoticeTopic
from shared.domain.events import Event, Ignored, Said, Unreadable
from shared.domain.messages import Author, Message
from shared.evolution import addresses
from shared.evolution.addresses import Fields
from shared.evolution.contents.fields import first_text, read_object, read_objects, read_parameters
from shared.evolution.events.contacts_groups import read_group_contact
from shared.evolution.events.payload import EventPayload, Events, read_items

MEMBERS_NAMED = 32
"""Members that one notice names; the others are counted."""

_ACTIONS = {
    "add": NoticeTopic.ADDED,
    "remove": NoticeTopic.REMOVED,
    "promote": NoticeTopic.PROMOTED,
    "demote": NoticeTopic.DEMOTED,
}
_OF_ONESELF = {NoticeTopic.ADDED: NoticeTopic.JOINED, NoticeTopic.REMOVED: NoticeTopic.LEFT}
_STUBS: Mapping[str, NoticeTopic] = {
    "21": NoticeTopic.RENAMED,
    "GROUP_CHANGE_SUBJECT": NoticeTopic.RENAMED,
    "27": NoticeTopic.ADDED,
    "GROUP_PARTICIPANT_ADD": NoticeTopic.ADDED,
    "28": NoticeTopic.REMOVED,
    "GROUP_PARTICIPANT_REMOVE": NoticeTopic.REMOVED,
    "29": NoticeTopic.PROMOTED,
    "GROUP_PARTICIPANT_PROMOTE": NoticeTopic.PROMOTED,
    "30": NoticeTopic.DEMOTED,
    "GROUP_PARTICIPANT_DEMOTE": NoticeTopic.DEMOTED,
    "31": NoticeTopic.JOINED,
    "GROUP_PARTICIPANT_INVITE": NoticeTopic.JOINED,
    "32": NoticeTopic.LEFT,
    "GROUP_PARTICIPANT_LEAVE": NoticeTopic.LEFT,
    "71": NoticeTopic.JOINED,
    "GROUP_PARTICIPANT_ADD_REQUEST_JOIN": NoticeTopic.JOINED,
}
"""What a message of a group says that has a stub of this type instead of a content."""


def read_members(payload: EventPayload) -> Events:
    """Read `group-participants.update`: members were added, removed, promoted or demoted."""
    return read_items(payload.data, lambda value: [_read_members(value, payload)])


def read_subjects(payload: EventPayload) -> Events:
    """Read `groups.update`, should it ever come: a group's new subject."""
    return read_items(payload.data, lambda value: [_read_subject(value, payload)])


def read_stub(value: Fields, *, ours: bool) -> NoticeContent | None:
    """Read a message of a group that has a stub and its parameters in the place of a content.

    `ours`: we did what it tells.
    """
    topic = _STUBS.get(str(value.get("messageStubType")))
    parameters = value.get("messageStubParameters")
    told = parameters if isinstance(parameters, list) else []
    if topic is NoticeTopic.RENAMED:
        subject = addresses.read_subject({"subject": next(iter(told), None)})
        return _build_renamed(subject) if subject else None
    author = addresses.read_author(read_object(value.get("key")))
    return _build_notice(topic, author, told, is_known=ours) if topic else None


def _read_members(value: Any, payload: EventPayload) -> Event:
    if not isinstance(value, dict):
        return Unreadable("a change of members that is no object")
    group = read_group_contact(value)
    if not isinstance(group, Contact):
        return group
    topic = _ACTIONS.get(first_text(value, "action") or "")
    if topic is None:
        return Ignored("a change of members without a notice")
    author = _read_author(value)
    content = _build_notice(topic, author, _list_members(value))
    if content is None:
        return Ignored("a change of no member")
    return _build_event(group, author or _find_actor(content), content, payload)


def _read_subject(value: Any, payload: EventPayload) -> Event:
    if not isinstance(value, dict):
        return Unreadable("a group that is no object")
    group, subject = read_group_contact(value), addresses.read_subject(value)
    if not isinstance(group, Contact):
        return group
    if subject is None:
        return Ignored("a group without a subject")
    return _build_event(group, _read_author(value), _build_renamed(subject), payload)


def _list_members(value: Fields) -> list[Any]:
    """List the members as the event names them, with what else it tells of each."""
    rows = {first_text(row, "jid"): row for row in read_objects(value.get("participantsData"))}
    told = value.get("participants")
    members = told if isinstance(told, list) else list(rows.values())
    return [rows.get(member, member) if isinstance(member, str) else member for member in members]


def _read_author(value: Fields) -> Contact | None:
    return contact_of(first_text(value, "author") or "", first_text(value, "authorPn"))


def _build_renamed(subject: str) -> NoticeContent:
    notice = Notice(topic=NoticeTopic.RENAMED)
    return NoticeContent(kind=Kind.NOTICE, text=subject, notice=notice)


def _build_notice(
    topic: NoticeTopic, author: Contact | None, told: Iterable[Any], *, is_known: bool = False
) -> NoticeContent | None:
    """Build the notice of what was done to members; None without members.

    Who does it to themselves alone joins or leaves; so does who is added by no author, unless it
    `is_known` who it was.
    """
    read = (member for item in told if (member := _read_member(item)))
    members = tuple({member.key: member for member in read}.values())
    if not members:
        return None
    by_themselves = members[0].key in keys_of(author) if author else not is_known
    alone = len(members) == 1 and by_themselves
    notice = Notice(
        topic=_OF_ONESELF.get(topic, topic) if alone else topic,
        members=members[:MEMBERS_NAMED],
        more=len(members[MEMBERS_NAMED:]),
    )
    return NoticeContent(kind=Kind.NOTICE, notice=notice)


def _read_member(item: Any) -> Member | None:
    """Read a member: an address, an object with it, or such an object as JSON.

    (A `phoneNumber` that is no address may be the digits of a lid: 2.3.6 BS:1607.)
    """
    fields = read_object(item) or read_parameters(item)
    jid = first_text(fields, "id", "jid", "lid") or (item if isinstance(item, str) else "")
    number = first_text(fields, "phoneNumber")
    person = contact_of(jid, number if number and "@" in number else first_text(fields, "lid"))
    if person is None or person.group:
        return None
    name = addresses.read_name(fields.get("name"), person)
    return Member(key=person.key, number=person.number, name=name)


def _find_actor(content: NoticeContent) -> Contact | None:
    """Find who joined or left, where the event names no author."""
    if content.notice is None or content.notice.topic not in _OF_ONESELF.values():
        return None
    (member,) = content.notice.members
    return contact_of(member.number) if member.number else find_contact(member.key)


def _build_event(
    group: Contact, author: Contact | None, content: NoticeContent, payload: EventPayload
) -> Said:
    message = Message(
        content=content,
        id=_derive_id(group, author, content, payload.at),
        contact=group,
        from_me=False,
        at=positions.place(payload.at, payload.at or None),
        emitted=payload.at or None,
        author=Author(key=author.key, number=author.number, lid=author.lid) if author else None,
    )
    return Said(message, fresh=True, by_wall_clock=True)


def _derive_id(group: Contact, author: Contact | None, content: NoticeContent, at: int) -> str:
    """Derive the id of a notice: a repetition of its event has the same."""
    facts = [group.key, author.key if author else None, content.model_dump(mode="json"), at]
    digest = hashlib.sha256(json.dumps(facts).encode()).digest()
    return f"notice-{b32encode(digest).decode().lower()[:26]}"
