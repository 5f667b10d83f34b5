"""What is left of a message that was changed very often."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.threads import Edit, KeptMessage, is_stub, newest

EDITS_KEPT, WORDS_KEPT, REACTIONS_KEPT = 16, 128 * 1024, 1
"""The newest edits, in all so many characters, and of every person's reactions the newest."""

EVER_LESS = (WORDS_KEPT, WORDS_KEPT // 8, 0)
"""Characters of edits that a message keeps which is too full to be told one thing more."""


def tidied(fields: Mapping[str, Any], words: int = WORDS_KEPT) -> dict[str, Any]:
    """The edits and reactions of a kept message, or a stub, without those that can't matter.

    Where there is no room for `words` at all, none of either.
    """
    if not words:
        return {"edits": {}, "reactions": {}}
    kept = None if is_stub(fields) else KeptMessage.model_validate(fields)
    edits = {key: Edit.model_validate(edit) for key, edit in fields.get("edits", {}).items()}
    able = {key: edit for key, edit in edits.items() if not kept or kept.may_be_changed(edit.by)}
    return {
        "edits": {key: edit.model_dump() for key, edit in _fitting(able, words)},
        "reactions": {
            actor: dict(sorted(given.items(), key=_newest_told)[-REACTIONS_KEPT:])
            for actor, given in fields.get("reactions", {}).items()
        },
    }


def _fitting(edits: Mapping[str, Edit], room: int) -> Iterator[tuple[str, Edit]]:
    """Everybody's newest (short ones first: nobody's take another's place), then the others."""
    ordered = sorted(edits.items(), key=newest)
    last = {who: told for told in ordered for who in told[1].by}
    first = sorted(last.values(), key=lambda told: (len(told[1].text or ""), told[0]))
    for key, edit in dict([*first, *ordered[: -EDITS_KEPT - 1 : -1]]).items():
        if (room := room - len(edit.text or "")) >= 0:
            yield key, edit
        else:
            room += len(edit.text or "")


def _newest_told(told: tuple[str, Mapping[str, Any]]) -> tuple[int, str]:
    key, what = told
    return what["at"], key
