"""Say what one webhook of the mix says: to those who make it, who store it, and who judge."""

from typing import NamedTuple

STATUS = "status"


class Arrival(NamedTuple):
    """What one webhook says.

    `shape`: what of and in which sort of chat, or STATUS. `contact`: the same for all spellings of
    one. `at`: when it was said (epoch milliseconds; every message has a second of its own).
    `delivery`: how far a message of ours got; 0 for a contact's.
    """

    shape: str
    tenant: str
    line: str
    contact: str
    message: str
    at: int
    delivery: int

    @property
    def is_status(self) -> bool:
        """Tell whether it brings no message, but how far one got."""
        return self.shape == STATUS
