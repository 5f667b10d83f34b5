"""A frontend asks for its line to be live."""

import pytest

from tests.perene import Perene, name_of

pytestmark = pytest.mark.anyio


async def test_a_new_line_gets_a_code_to_scan(on_both: Perene):
    answer = await on_both.ensure()

    assert answer.status_code == 200, answer.text
    line = answer.json()
    assert line["state"] == "pairing"
    assert line["instance"] == name_of("acme")
    assert line["code"]["qr"].startswith("2@")
    assert line["code"]["png"].startswith("data:image/png;base64,")
    assert on_both.evolution.names() == [name_of("acme")]


async def test_a_scanned_line_is_open_with_its_number(on_both: Perene):
    name = await on_both.pair(number="5511999990001")

    line = (await on_both.ensure()).json()

    assert (line["state"], line["number"]) == ("open", "5511999990001")
    assert "code" not in line
    assert on_both.evolution.names() == [name]
