"""What a deployment allows its sweeps."""

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct


class Approval(StrEnum):
    """Whose deletion a person has to approve.

    A line of a tenant that isn't cancelled always is, and so is whatever no record of ours claims
    and was paired: the record may be what is missing.
    """

    ACTIVE = "active"
    PAIRED = "paired"
    """And whatever may ever have been paired: WhatsApp may not let it come back."""
    ALL = "all"


class Rules(Struct, frozen=True):
    """How long is long, how many are many, and who has to be asked."""

    grace: timedelta = timedelta(days=30)
    """Not connected for so long is idle."""
    unpaired_grace: timedelta = timedelta(days=7)
    quarantine: timedelta = timedelta(days=7)
    max_deletes: int = 20
    max_loss: float = 0.2
    approval: Approval = Approval.ACTIVE
