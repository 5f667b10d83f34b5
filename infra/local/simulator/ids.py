"""Make ids, tokens and times of the real shapes."""

import random
import secrets
import string
from datetime import UTC, datetime, timedelta
from uuid import uuid4

_BASE36 = string.digits + string.ascii_lowercase


def uuid() -> str:
    return str(uuid4())


def token() -> str:
    return uuid().upper()


def row_id() -> str:
    """Make a cuid, as Prisma does."""
    return "cm" + "".join(random.choices(_BASE36, k=23))


def sent_id() -> str:
    """Make the id of a message sent through the API."""
    return "3EB0" + secrets.token_hex(9).upper()


def received_id() -> str:
    """Make the id of a message typed on an iPhone."""
    return "3A" + secrets.token_hex(9).upper()


def pairing_code() -> str:
    return "".join(random.choices("123456789ABCDEFGHJKLMNPQRSTVWXYZ", k=8))


def seconds() -> int:
    return int(datetime.now(UTC).timestamp())


def moment(offset_hours: float = 0) -> str:
    """Return a server's wall clock, that many hours from UTC, with the Z that it always adds."""
    local = datetime.now(UTC) + timedelta(hours=offset_hours)
    return local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{local.microsecond // 1000:03d}Z"


def source_of(message_id: str) -> str:
    """Guess the kind of device from a message id, as Baileys does."""
    if message_id.startswith("3A") and len(message_id) == 20:
        return "ios"
    if message_id.startswith("3E") and len(message_id) == 22:
        return "web"
    if len(message_id) in (21, 32):
        return "android"
    return "desktop" if message_id.startswith("3F") or len(message_id) == 18 else "unknown"
