"""Addresses: how Evolution turns what a caller calls a number into a WhatsApp address."""

import re

PERSON = "@s.whatsapp.net"
GROUP = "@g.us"
LID = "@lid"
BROADCAST = "@broadcast"
KEPT = (GROUP, PERSON, LID, BROADCAST)
UNREACHABLE = "00000"


def address(number: str) -> str:
    """The address as createJid makes it, ninth digit and all."""
    if number.endswith(KEPT):
        return re.sub(r":\d+", "", number)
    if "-" in number and len(number) >= 24:
        return re.sub(r"[^\d-]", "", number) + GROUP
    digits = re.sub(r"\D", "", number)
    if len(digits) >= 18:
        return digits + GROUP
    return _without_ninth(_without_third(digits)) + PERSON


def full_number(given: str) -> str | None:
    """Its digits, if it can be a number with its country code, however it is punctuated."""
    digits = re.sub(r"[\s+().-]", "", given)
    return digits if re.fullmatch(r"[1-9][0-9]{7,14}", digits) else None


def on_whatsapp(jid: str) -> bool:
    """Whether anybody is there: everybody is, but for numbers that end in 00000."""
    return not jid.partition("@")[0].endswith(UNREACHABLE)


def _without_third(digits: str) -> str:
    """Mexico and Argentina: 13 digits lose the third."""
    foreign = digits.startswith(("52", "54")) and len(digits) == 13
    return digits[:2] + digits[3:] if foreign else digits


def _without_ninth(digits: str) -> str:
    """Brazil: the digit after an area code of 31 and above goes, if a mobile number follows."""
    brazilian = re.fullmatch(r"55(\d{2})\d(\d)\d{7}", digits)
    if not brazilian:
        return digits
    area, first = int(brazilian[1]), int(brazilian[2])
    return digits if first < 7 or area < 31 else digits[:4] + digits[5:]
