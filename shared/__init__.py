"""What the functions share.

While a function starts no garbage is collected: the objects of its modules stay, and looking
through them again and again takes a tenth of a start. A process that never calls `end_start`
collects after so many new objects.

Firestore's client loads `requests`, which loads a library to guess the encoding of texts if there
is one. No text is guessed here, and the library takes a fortieth of a start: it is hidden, from who
imports it after this package.
"""

import gc
import sys
import warnings

_USUAL = gc.get_threshold()

gc.set_threshold(100_000)

sys.modules.setdefault("charset_normalizer", None)  # type: ignore[arg-type]  # not to be found
warnings.filterwarnings("ignore", "Unable to find acceptable character detection dependency")


def end_start() -> None:
    """Collect garbage as usual from now on, but never look through what the start has made."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
