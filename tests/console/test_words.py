"""What the console says, in both languages, as a browser reads it."""

import re
from typing import Any

import pytest

from shared.console import assets
from shared.problems import Problem
from tests.cases import in_each
from tests.console.browser import Tab
from tests.console.conftest import Visit

pytestmark = pytest.mark.anyio
DICTIONARIES = sorted(path.name.removesuffix(".pt.js") for path in assets.WEB.glob("i18n/*.pt.js"))
READ = """async (name) => {
    const app = document.querySelector('script[type=module]').src;
    return (await import(new URL(`i18n/${name}.js`, app))).default;
}"""


async def dictionary(tab: Tab, view: str, language: str) -> dict[str, Any]:
    said: dict[str, Any] = await tab.page.evaluate(READ, f"{view}.{language}")
    return said


def sentences(words: dict[str, Any], before: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, said in words.items():
        here = before + name
        flat |= sentences(said, f"{here}.") if isinstance(said, dict) else {here: said}
    return flat


def test_every_dictionary_is_there_twice():
    english = {path.name.removesuffix(".en.js") for path in assets.WEB.glob("i18n/*.en.js")}

    assert english == set(DICTIONARIES)


async def test_both_languages_say_the_same(visit: Visit):
    tab = await visit("/")

    for view in DICTIONARIES:
        portuguese = sentences(await dictionary(tab, view, "pt"))
        english = sentences(await dictionary(tab, view, "en"))
        assert portuguese.keys() == english.keys(), view
        for name, said in portuguese.items():
            assert said.strip(), f"{view}.{name}"
            assert places(said) == places(english[name]), f"{view}.{name}"


def places(said: str) -> set[str]:
    return set(re.findall(r"{\w+}", said))


@in_each("language", ["pt", "en"])
async def test_every_problem_has_a_sentence(visit: Visit, language: str):
    ours = {
        slug
        for slug, kind in Problem.registry.items()
        if kind.__module__.startswith("shared.problems")  # tests make some of their own
    }

    said = await dictionary(await visit("/"), "shell", language)

    assert said["problems"].keys() == ours
