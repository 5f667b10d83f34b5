"""Dead letters, heard once more."""

import re

from shared import problems, services
from shared.lines import hear
from shared.store.letters import Letter
from shared.webhook_token import Bearer

NOBODY_BORN = 0
"""No instance was made then: what a letter says of a connection is long over."""


async def replay(name: str) -> bool:
    """The event is heard as if it came just now; if it is understood, the letter is gone.

    False if nobody understands it still. Safe to repeat. Raises LetterUnknown, LetterCut.
    """
    letter = await _known(name)
    if letter.cut:
        raise problems.LetterCut()
    bearer = Bearer(letter.instance, NOBODY_BORN)
    await hear.hear(bearer, letter.raw.encode(), services.now())
    return await services.store().discard(letter)


async def discard(name: str) -> None:
    """The event is given up. Raises LetterUnknown."""
    while not await services.store().discard(await _known(name)):
        continue


async def _known(name: str) -> Letter:
    known = re.fullmatch(r"[0-9a-f]{64}", name)
    letter = await services.store().letter(name) if known else None
    if letter is None:
        raise problems.LetterUnknown()
    return letter
