"""Delete the files that a tenant keeps no longer."""

from typing import TYPE_CHECKING, Final

from shared import services
from shared.domain.instances import epoch_ms
from shared.domain.media_state import MediaLoss
from shared.domain.names import TenantId
from shared.media.copying import delete_copy, plan_delete
from shared.store.media_copies import StoredFile

if TYPE_CHECKING:
    from shared.bucket import Bucket

PAGE: Final = 50
DAY_MS: Final = 24 * 60 * 60 * 1000


async def delete_old_files(tenant: TenantId, days: int) -> int:
    """Delete up to 50 files that no message began to hold for so many days; return how many.

    Their messages show that they were deleted. Firestore: 1 read at least; per file 3 reads and 1
    delete, and per message that holds it 3 reads and 2 writes.
    """
    bucket, until = services.bucket(), epoch_ms(services.now()) - days * DAY_MS
    if bucket is None:
        return 0
    files = await services.store().media_copies.list_old_files(tenant, until, PAGE)
    for file in files:
        await _delete_file(bucket, tenant, file)
    return len(files)


async def _delete_file(bucket: "Bucket", tenant: TenantId, file: StoredFile) -> None:
    """Let every message go that holds a file; the last one deletes it. Safe to repeat."""
    store, sha256 = services.store().media_copies, file.sha256
    while holders := await store.list_holders(tenant, sha256, PAGE):
        dropped = [await delete_copy(bucket, task, MediaLoss.DELETED) for task in holders]
        if not any(dropped):
            return
    delete = await plan_delete(bucket, tenant, sha256)
    await store.remove_file(tenant, sha256, delete)
