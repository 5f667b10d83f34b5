"""Test the page at /simulator: it loads nothing from elsewhere and puts texts in as texts."""

import re

import pytest

from infra.local.simulator import Impossible, control
from infra.local.simulator.faults import KINDS
from tests.simulator.conftest import create

pytestmark = pytest.mark.anyio
SCRIPTS = sorted(control.PAGE.glob("*.js"))
HTML = (control.PAGE / "page.html").read_text(encoding="utf-8")
WORDS = (control.PAGE / "words.js").read_text(encoding="utf-8")
FAULTS = (control.PAGE / "faults.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["/simulator", "/simulator/"])
async def test_page_loads_only_own_assets(path, call):
    page = await call.get(path)

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for asset in set(re.findall(r'(?:href|src)="([^"]+)"', page.text)) - {"data:,"}:
        assert (await call.get(asset)).status_code == 200


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
async def test_scripts_are_served_with_their_imports(script, call):
    served = await call.get(f"/simulator/{script.name}")

    assert served.headers["content-type"].startswith("text/javascript")
    for imported in re.findall(r' from "\./([^"]+)"', served.text):
        assert (await call.get(f"/simulator/{imported}")).status_code == 200


def test_page_has_no_inline_code():
    assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|style=", HTML) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_insert_no_markup(script):
    text = script.read_text(encoding="utf-8")

    for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert dangerous not in text
    assert "://" not in text


def test_it_describes_every_fault_in_portuguese():
    assert [kind for kind in KINDS if f"  {kind}: " not in FAULTS] == []


def test_it_says_everything_in_both_languages():
    sections = re.findall(r"^  (?:pt|en): \{(.*?)^  \},", WORDS, re.DOTALL | re.MULTILINE)
    texts_pt, texts_en, theirs_pt, theirs_en = (
        re.findall(r'(?:^|[ ,])("[\w ]+"|\w+): "', section) for section in sections
    )

    assert sorted(texts_pt) == sorted(texts_en)
    assert sorted(theirs_pt) == sorted(theirs_en)


async def test_page_explains_every_refusal(sim, call):
    await create(call)

    for act in (sim.unpair("shop"), sim.pair("shop"), sim.scan("shop", ""), sim.vanish("ghost")):
        with pytest.raises(Impossible) as refused:
            await act
        assert f"    {refused.value.why}: " in WORDS


async def test_state_carries_markup_as_json(sim, call):
    name = "<img src=x onerror=alert(1)>"
    await create(call, name)
    await sim.scan(name, "5511999990001", profile="<b>Loja</b>")
    await sim.receive(name, "5511988887777", "<script>alert(1)</script>")

    answer = await call.get("/simulator/state")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["instances"][0]["name"] == name
