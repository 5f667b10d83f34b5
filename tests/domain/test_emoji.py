"""What is one emoji."""

import pytest

from shared.domain.emoji import is_one_emoji

ONE = {
    "thumb": "👍",
    "thumb with a skin tone": "👍🏽",
    "heart as a picture": "❤️",
    "heart as a text": "❤",
    "copyright": "©️",
    "flag of Brazil": "🇧🇷",
    "flag of Scotland": "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "pirates' flag": "🏴‍☠️",
    "rainbow flag": "🏳️‍🌈",
    "keycap": "1️⃣",
    "keycap without its selector": "#⃣",
    "family": "👨‍👩‍👧‍👦",
    "couple with two skin tones": "👩🏻‍❤️‍💋‍👨🏿",
    "woman who codes": "👩🏾‍💻",
    "person who walks to the right": "🚶‍➡️",
    "melting face": "🫠",
    "large green circle": "🟢",
    "nazar amulet": "🧿",
    "skin tone alone": "🏽",
    "hourglass": "⏳",
    "party": "🎉",
}
NOT_ONE = {
    "nothing": "",
    "word": "ok",
    "letter": "a",
    "digit": "1",
    "two": "👍👍",
    "two with a blank": "👍 👍",
    "one with a blank": "👍 ",
    "one and a word": "👍ok",
    "two flags": "🇧🇷🇵🇹",
    "half a flag": "🇧",
    "joiner at the end": "👩‍",
    "joiner alone": "\u200d",
    "selector alone": "\ufe0f",
    "line break": "👍\n",
    "Arabic": "نعم",
    "smiley of punctuation": ":)",
    "flag of a region without an end": "🏴\U000e0067\U000e0062",
}


@pytest.mark.parametrize("text", ONE.values(), ids=ONE.keys())
def test_one_emoji_is_one(text: str):
    assert is_one_emoji(text)


@pytest.mark.parametrize("text", NOT_ONE.values(), ids=NOT_ONE.keys())
def test_other_text_is_no_emoji(text: str):
    assert not is_one_emoji(text)
