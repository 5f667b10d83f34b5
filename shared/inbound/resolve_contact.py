"""Find the contact behind an address, as far as it has been learned."""

from shared import services
from shared.domain.contacts import Contact
from shared.store import LineScope


async def resolve_contact(scope: LineScope, contact: Contact) -> Contact:
    """Return the contact by its number, if it has been learned whose lid it is.

    Firestore: 1 read for a bare lid, else none.
    """
    if contact.group or contact.number or contact.lid is None:
        return contact
    conversation = await services.store().conversations.find_by_lid(*scope, contact.lid)
    if conversation is None:
        return contact
    resolved = {"key": conversation.contact, "number": conversation.contact_number}
    return contact.model_copy(update=resolved)
