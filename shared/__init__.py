"""What the functions share.

While a function starts no garbage is collected: the objects of its modules stay, and looking
through them again and again takes a tenth of a start. A process that never calls `end_start`
collects after so many new objects.
"""

import gc

_USUAL = gc.get_threshold()

gc.set_threshold(100_000)


def end_start() -> None:
    """Collect garbage as usual from now on, but never look through what the start has made."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
