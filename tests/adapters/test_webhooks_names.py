"""Read the names of people and groups."""

from shared.domain.contacts import contact_of
from shared.domain.events import ContactNamed, GroupNamed, Ignored, Unreadable
from tests.adapters.posted import AT, GROUP, LID, MARIA, an_event, read_events
from tests.cases import in_each


@in_each("event", ["contacts.set", "contacts.upsert", "contacts.update"])
def test_contact_gets_its_push_name(event: str):
    row = {"remoteJid": MARIA, "pushName": " Maria  Silva "}

    named = ContactNamed(contact_of(MARIA), "Maria Silva")

    assert read_events(an_event(event, row)) == read_events(an_event(event, [row])) == (named,)


@in_each("name", ["pushName", "name", "verifiedName", "notify"])
def test_contact_name_has_several_fields(name: str):
    (event,) = read_events(an_event("contacts.upsert", [{"id": LID, name: "Maria"}]))

    assert event == ContactNamed(contact_of(LID), "Maria")


@in_each("name", [None, "", "Você", "5511988887777", 7])
def test_nameless_contact_is_ignored(name):
    (event,) = read_events(an_event("contacts.update", [{"remoteJid": MARIA, "pushName": name}]))

    assert event == Ignored("a contact without a name")


def test_group_row_names_its_last_author():
    (event,) = read_events(an_event("contacts.upsert", {"remoteJid": GROUP, "pushName": "Maria"}))

    assert isinstance(event, Ignored)


@in_each(("since", "at"), [({"subjectTime": 1_700_000_000}, 1_700_000_000_000), ({}, AT + 123)])
def test_a_group_has_a_subject(since, at):
    data = [{"id": GROUP, "subject": "Vendas", **since}, {"id": GROUP, "size": 2}]

    named, ignored = read_events(an_event("groups.upsert", data))

    assert named == GroupNamed(contact_of(GROUP), "Vendas", at)
    assert isinstance(ignored, Ignored)


def test_unreadable_row_hides_no_other():
    contacts = [None, {"remoteJid": "x"}, {"remoteJid": MARIA, "pushName": "Maria"}]
    groups = [None, {"id": MARIA, "subject": "x"}, {"id": GROUP, "subject": "Vendas"}]

    *unreadable, named = read_events(an_event("contacts.upsert", contacts))
    *wrong, subject = read_events(an_event("groups.upsert", groups))

    assert {type(event) for event in unreadable + wrong} == {Unreadable}
    assert (named.name, subject.subject) == ("Maria", "Vendas")


def test_the_status_has_no_name():
    (event,) = read_events(an_event("contacts.update", [{"remoteJid": "status@broadcast"}]))

    assert isinstance(event, Ignored)
