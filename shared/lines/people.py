"""Who is behind an address, as far as we have learned."""

from shared import services
from shared.domain.contacts import Contact
from shared.store import Through


async def known(through: Through, contact: Contact) -> Contact:
    """The contact, by its number if we have learned whose lid it is. 1 read for a bare lid."""
    if contact.group or contact.number or contact.lid is None:
        return contact
    found = await services.store().known_by(*through, contact.lid)
    if found is None:
        return contact
    return contact.model_copy(update={"key": found.contact, "number": found.contact_number})
