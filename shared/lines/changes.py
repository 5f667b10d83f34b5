"""What was said is changed, and says so wherever it is shown."""

from shared import services
from shared.domain.events import Edited, Revoked
from shared.domain.threads import Edit, member_of
from shared.store import Through


async def edited(through: Through, event: Edited, now: int) -> None:
    """The message reads so, if it was edited by somebody who may."""
    edit = Edit(text=event.text, at=event.at, by=dict.fromkeys(event.by, True))
    await services.store().edit(through, event.id, event.edit_key, edit, now)
    await services.store().retell(through, event.id, now)


async def revoked(through: Through, event: Revoked, now: int) -> None:
    """The message is gone, if it was taken back by somebody who may."""
    by = (*event.by, member_of(event.group)) if event.group else event.by
    await services.store().revoke(through, event.id, event.at, by, now)
    await services.store().retell(through, event.id, now)
