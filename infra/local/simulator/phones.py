"""Turn what a caller gives as a number into a WhatsApp address, as Evolution does."""

import re

PERSON = "@s.whatsapp.net"
GROUP = "@g.us"
LID = "@lid"
BROADCAST = "@broadcast"
UNCHANGED = (GROUP, PERSON, LID, BROADCAST)
UNREACHABLE = "00000"


def address_of(number: str) -> str:
    """Return the address as createJid makes it, with its rules for the ninth digit."""
    if number.endswith(UNCHANGED):
        return re.sub(r":\d+", "", number)
    if "-" in number and len(number) >= 24:
        return re.sub(r"[^\d-]", "", number) + GROUP
    digits = re.sub(r"\D", "", number)
    if len(digits) >= 18:
        return digits + GROUP
    return _without_ninth(_without_third(digits)) + PERSON


def digits_of(number: str) -> str | None:
    """Return the digits of a number with its country code, or None if it can't be one."""
    digits = re.sub(r"[\s+().-]", "", number)
    return digits if re.fullmatch(r"[1-9][0-9]{7,14}", digits) else None


def is_on_whatsapp(jid: str) -> bool:
    """Tell whether the number is on WhatsApp: all are, but those that end in 00000."""
    return not jid.partition("@")[0].endswith(UNREACHABLE)


def _without_third(digits: str) -> str:
    """Drop the third of 13 digits: Mexico and Argentina."""
    has_extra_digit = digits.startswith(("52", "54")) and len(digits) == 13
    return digits[:2] + digits[3:] if has_extra_digit else digits


def _without_ninth(digits: str) -> str:
    """Drop the digit after a Brazilian area code of 31 and above, if a mobile number follows."""
    brazilian = re.fullmatch(r"55(\d{2})\d(\d)\d{7}", digits)
    if not brazilian:
        return digits
    area, first = int(brazilian[1]), int(brazilian[2])
    return digits if first < 7 or area < 31 else digits[:4] + digits[5:]
