"""Commit a batch past the client's own conversions: its private API is ours to keep.

The client wraps every write once more and converts a time that is never read: 90 µs of CPU for
each commit, 20 µs here (2026-11, of 1,200 µs that a webhook takes in all).
"""

from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.types import CommitRequest, Write

_RawRequest = type(CommitRequest.pb(CommitRequest()))


async def commit(
    client: firestore.AsyncClient, batch: firestore.AsyncWriteBatch, **limits: Any
) -> list[Any]:
    """Commit the writes of the batch, all or none, and return the result of each.

    Raises what the client raises.
    """
    request = _RawRequest(database=client._database_string)
    request.writes.extend(map(Write.pb, batch._write_pbs))
    answer = await client._firestore_api.commit(
        request=CommitRequest.wrap(request), metadata=client._rpc_metadata, **limits
    )
    return list(answer.write_results)
