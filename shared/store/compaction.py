"""Compaction of a message that was edited, reacted to or voted on very often."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.kept_messages import Edit, KeptMessage, is_stub, newest

EDITS_KEPT, WORDS_KEPT = 16, 128 * 1024
"""The newest edits, in all so many characters. (Of every person's reactions or votes, the last.)"""


def compact(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the edits, reactions and votes of a stored message, or a stub, that still matter."""
    message = None if is_stub(fields) else KeptMessage.model_validate(fields)
    edits = {key: Edit.model_validate(edit) for key, edit in fields.get("edits", {}).items()}
    permitted = {
        key: edit for key, edit in edits.items() if not message or message.may_be_changed(edit.by)
    }
    return {
        "edits": {key: edit.model_dump() for key, edit in _fit_edits(permitted)},
        **{name: _keep_last(fields[name]) for name in ("reactions", "votes") if fields.get(name)},
    }


def _keep_last(reported: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Keep the newest of every actor's reactions or votes."""
    return {
        actor: dict(sorted(items.items(), key=_report_order)[-1:])
        for actor, items in reported.items()
    }


def _fit_edits(edits: Mapping[str, Edit]) -> Iterator[tuple[str, Edit]]:
    """Yield the newest edit of every actor, then the others, as far as there is room.

    Short ones go first, so that no actor's takes the place of another's.
    """
    room, ordered = WORDS_KEPT, sorted(edits.items(), key=newest)
    last = {actor: item for item in ordered for actor in item[1].by}
    first = sorted(last.values(), key=lambda item: (len(item[1].text or ""), item[0]))
    for key, edit in dict([*first, *ordered[: -EDITS_KEPT - 1 : -1]]).items():
        if (words := len(edit.text or "")) <= room:
            room -= words
            yield key, edit


def _report_order(item: tuple[str, Mapping[str, Any]]) -> tuple[int, str]:
    key, report = item
    return report["at"], key
