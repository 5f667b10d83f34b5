"""Whether a text is one emoji, as WhatsApp's reactions want it (EVOLUTION.md §10).

Unicode calls it an emoji sequence (UTS #51): a picture, maybe with a skin tone or a presentation
selector, maybe joined to others; or a flag; or a keycap. Python's own tables don't tell pictures,
so they are listed here (`Extended_Pictographic` of Unicode's emoji-data.txt, with room for more).
"""

import re

_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf"
    "\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605"
    "\u2607-\u2612\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714\u2716\u271d\u2721\u2728"
    "\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1"
    "\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e"
    "\U0001f191-\U0001f19a\U0001f201\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a"
    "\U0001f250\U0001f251\U0001f300-\U0001f3fa\U0001f400-\U0001f53d\U0001f546-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945"
    "\U0001f947-\U0001faff]"
)
_SKIN_TONE = "[\U0001f3fb-\U0001f3ff]"
_AS_PICTURE = "\ufe0f"
_JOINER = "\u200d"
_ONE_PICTURE = f"{_PICTURE}(?:{_AS_PICTURE}|{_SKIN_TONE})?"
_COUNTRY = "[\U0001f1e6-\U0001f1ff]{2}"
_REGION = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
_KEYCAP = f"[0-9#*]{_AS_PICTURE}?\u20e3"
_EMOJI = re.compile(
    f"{_COUNTRY}|{_REGION}|{_KEYCAP}|{_SKIN_TONE}|{_ONE_PICTURE}(?:{_JOINER}{_ONE_PICTURE})*"
)


def is_one_emoji(text: str) -> bool:
    """Tell whether the text is exactly one emoji: no words, no blanks, no second one."""
    return _EMOJI.fullmatch(text) is not None
