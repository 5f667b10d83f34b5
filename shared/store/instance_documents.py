"""The documents of instances' records."""

from typing import Any

from shared.domain.instances import Instance
from shared.domain.search import Search, tokens_of
from shared.store import base
from shared.store.base import Snapshot


def instance_fields(instance: Instance) -> dict[str, Any]:
    """Return the fields of the record's document, with the tokens by which a search finds it."""
    return {**instance.model_dump(), "tokens": list(_tokens(instance))}


def _tokens(instance: Instance) -> tuple[str, ...]:
    return tokens_of(instance.number or instance.last_number, *_names(instance))


def _names(instance: Instance) -> tuple[str, ...]:
    """List the names by which operators look for a line."""
    return instance.label, instance.tenant, instance.line


def is_meant(instance: Instance, search: Search) -> bool:
    """Tell whether a search means the line."""
    return search.fits(instance.number or instance.last_number, _names(instance))


def with_version(instance: Instance, version: Any) -> Instance:
    """Return the record with the version of the write that stored it."""
    return instance.model_copy(update={"version": version})


def instance_in(snapshot: Snapshot) -> Instance | None:
    """Return the record in a document, if there is one. Raises RecordUnreadable."""
    if not snapshot.exists:
        return None
    return base.understood(snapshot, Instance, name=snapshot.id)
