"""Name the objects of the bucket: each begins with its tenant, as document ids spell it."""

from typing import TYPE_CHECKING

from shared.domain import names
from shared.domain.names import TenantId

if TYPE_CHECKING:
    from shared.store.media_copies import MediaTask


def name_file(tenant: TenantId, sha256: str) -> str:
    """Return the name of a tenant's file, which its bytes give it."""
    return f"{names.spell(tenant)}/{sha256}"


def name_draft(task: "MediaTask") -> str:
    """Return the name under which the file of a message is written while its bytes are unknown."""
    from shared.bucket import INCOMING  # its HTTP client takes long at the start of a function

    return f"{names.spell(task.tenant)}/{task.message.line}~{task.message.id}{INCOMING}"
