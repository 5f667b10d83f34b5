"""Hold what can't be read: not yet, not here, or not by this version."""

from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, MaybeCode

RAW_LIMIT = 8 * 1024
"""Characters of what wasn't understood that are kept, so that a later version may read it."""


class WaitingContent(BaseContent):
    """A message that couldn't be decrypted: WhatsApp may send it again."""

    kind: Literal[Kind.WAITING]


class UnsupportedContent(BaseContent):
    """A message that this version doesn't understand.

    `original` is upstream's word for it; `raw` is it, as JSON without keys and files, shortened.
    """

    kind: Literal[Kind.UNSUPPORTED]
    original: MaybeCode = None
    raw: MaybeCode = None
