"""Read the console's sentences in both languages, as a browser reads them."""

import re
from typing import Any

import pytest

from shared.console import assets
from shared.problems import Problem
from tests.console.browser import Tab
from tests.console.conftest import Visit

pytestmark = pytest.mark.anyio
DICTIONARIES = sorted(path.name.removesuffix(".pt.js") for path in assets.WEB.glob("i18n/*.pt.js"))
READ = """async (name) => {
    const app = document.querySelector('script[type=module]').src;
    return (await import(new URL(`i18n/${name}.js`, app))).default;
}"""


async def read_dictionary(tab: Tab, view: str, language: str) -> dict[str, Any]:
    words: dict[str, Any] = await tab.page.evaluate(READ, f"{view}.{language}")
    return words


def flatten(words: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Return each sentence by its whole name."""
    sentences: dict[str, str] = {}
    for name, entry in words.items():
        path = prefix + name
        sentences |= flatten(entry, f"{path}.") if isinstance(entry, dict) else {path: entry}
    return sentences


def test_dictionaries_are_there_twice():
    english = {path.name.removesuffix(".en.js") for path in assets.WEB.glob("i18n/*.en.js")}

    assert english == set(DICTIONARIES)


async def test_both_languages_say_the_same(visit: Visit):
    tab = await visit("/")

    for view in DICTIONARIES:
        portuguese = flatten(await read_dictionary(tab, view, "pt"))
        english = flatten(await read_dictionary(tab, view, "en"))
        assert portuguese.keys() == english.keys(), view
        for name, sentence in portuguese.items():
            assert sentence.strip(), f"{view}.{name}"
            assert list_values(sentence) == list_values(english[name]), f"{view}.{name}"


def list_values(sentence: str) -> set[str]:
    return set(re.findall(r"{\w+}", sentence))


async def test_problems_have_sentences(visit: Visit, subtests: pytest.Subtests):
    slugs = {
        slug
        for slug, kind in Problem.registry.items()
        if kind.__module__.startswith("shared.problems")  # tests make some of their own
    }

    tab = await visit("/")
    for language in ("pt", "en"):
        with subtests.test(language):
            words = await read_dictionary(tab, "shell", language)
            assert words["problems"].keys() == slugs
