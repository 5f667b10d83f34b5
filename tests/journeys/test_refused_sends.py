"""What a server refuses, and surely didn't send, is said by its own name."""

from typing import Any

import pytest

from tests.cases import in_each
from tests.journeys.test_kinds_of_sends import FILE, URL
from tests.journeys.test_odd_sends import answering, failing
from tests.journeys.test_sending import OWN, outcome, said, send, talk, thread
from tests.perene import Perene, name_of

GROUP = "120363000000000099@g.us"


@pytest.fixture
async def open_2(on_2: Perene) -> Perene:
    """Open one line, on 2.x."""
    await on_2.pair(number=OWN)
    return on_2


async def react(perene: Perene, emoji: str, key: str | None = None) -> Any:
    conversation = await talk(perene)
    message = (await thread(perene, conversation))[-1]["id"]
    body = {"message": message, "emoji": emoji}
    return await send(perene, key, conversation=conversation, reaction=body)


@in_each("emoji", ["ok", "👍👍", "🇧🇷🇵🇹", " "])
async def test_only_one_emoji_is_a_reaction(open_2: Perene, emoji: str):
    answer = await react(open_2, emoji)

    assert (answer.status_code, answer.json()["type"]) == (
        422, "urn:perene:problem:request-invalid",
    )  # fmt: skip
    assert open_2.documents("tenants/acme/sends") == {}


@in_each("emoji", ["👍🏽", "❤️", "🇧🇷", "1️⃣", "👨‍👩‍👧‍👦"])
async def test_every_kind_of_emoji_is_reaction(open_2: Perene, emoji: str):
    assert (await react(open_2, emoji)).status_code == 201


async def test_a_refused_reaction_has_failed(open_2: Perene):
    answering(open_2, failing("Reaction must be a single emoji or empty string"))

    answer = await react(open_2, "🫩", "k1")

    assert (answer.status_code, answer.json()["type"]) == (
        422, "urn:perene:problem:content-refused",
    )  # fmt: skip
    assert (await outcome(open_2, "k1")).json()["why"] == "invalid"


@pytest.mark.parametrize("file", [{"base64": FILE}, {"url": URL}], ids=["base64", "url"])
async def test_failed_upload_is_no_failed_fetch(open_2: Perene, file: dict[str, str]):
    conversation = await talk(open_2)
    open_2.evolution.faults.turn_on("upload_fails")

    answer = await send(open_2, "k1", conversation=conversation, image=file)

    assert (answer.status_code, answer.json()["type"]) == (
        502, "urn:perene:problem:file-not-uploaded",
    )  # fmt: skip
    assert (await outcome(open_2, "k1")).json()["why"] == "upload_failed"


@pytest.mark.parametrize("refusal", ["like an object", "like a number"])
async def test_an_unknown_group_is_no_number(open_2: Perene, refusal: str):
    if refusal == "like a number":
        open_2.evolution.faults.turn_on("group_not_found")

    answer = await send(open_2, "k1", to=GROUP, text="oi")

    assert (answer.status_code, answer.json()["type"]) == (
        422, "urn:perene:problem:group-unknown",
    )  # fmt: skip
    assert (await outcome(open_2, "k1")).json()["why"] == "group_unknown"


# Its instance is gone ------------------------------------------------------------------------


async def state(perene: Perene) -> tuple[str, str | None]:
    line = (await perene.call("GET", "/instances/default")).json()
    return line["state"], line.get("reason")


@pytest.mark.parametrize("how", ["into a conversation", "to somebody new"])
async def test_line_without_its_instance_is_missing(open_2: Perene, how: str):
    conversation = await talk(open_2)
    await open_2.evolution.vanish(name_of("acme"))
    to = {"conversation": conversation} if how.startswith("into") else {"to": "5521977776666"}

    answer = await send(open_2, "k1", **to, text="oi")

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:perene:problem:line-not-open")
    assert await state(open_2) == ("missing", "vanished")
    assert said(open_2) == []


async def test_edit_without_its_instance_tells_so(open_2: Perene):
    conversation = await talk(open_2)
    await send(open_2, "k1", conversation=conversation, text="oi")
    await open_2.evolution.drain()
    await open_2.evolution.vanish(name_of("acme"))

    answer = await open_2.call("PATCH", "/send-message/k1", json={"text": "olá"})

    assert answer.status_code == 409
    assert await state(open_2) == ("missing", "vanished")


@pytest.mark.parametrize("fault", [None, "error_500_before"])
async def test_existing_instances_line_stays_open(open_2: Perene, fault: str | None):
    conversation = await talk(open_2)
    missing = f'The "{name_of("acme")}" instance does not exist'
    answering(open_2, failing(missing, status=404))
    if fault:
        open_2.evolution.faults.turn_on(fault, route="connectionState")

    answer = await send(open_2, "k1", conversation=conversation, text="oi")

    assert answer.status_code == 409
    assert await state(open_2) == ("open", None)
