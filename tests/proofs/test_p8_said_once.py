"""P8: what is asked once is said at most once, and nobody is told that it was if it wasn't."""

import asyncio
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.domain.sends import LEASE
from tests.perene import name_of
from tests.proofs.posting import NUMBER
from tests.proofs.stage import Stage, open_stage, times

VERSIONS = ("2.3.6", "1.8.2")
CONTACTS = [f"55219777{at:05}" for at in range(10)]
FAST = {"SEND_BURST": "10000", "SEND_PER_MINUTE": "60000"}

FAULTS: dict[str, dict[str, Any]] = {
    "nothing goes wrong": {},
    "no answer, though it was sent": {"no_answer_after": {"route": "sendText"}},
    "no answer, and nothing was sent": {"no_answer_before": {"route": "sendText"}},
    "an error, though it was sent": {"error_500_after": {"route": "sendText"}},
    "an error, and nothing was sent": {"error_500_before": {"route": "sendText"}},
    "the connection is cut afterwards": {"cut_after": {"route": "sendText"}},
    "the connection is cut before": {"cut_before": {"route": "sendText"}},
    "no answer and no echo": {
        "no_answer_after": {"route": "sendText"},
        "webhook_lost": {"events": "send.message"},
    },
    "the echo is lost": {"webhook_lost": {"events": "send.message"}},
    "the echo comes long after": {"webhook_delayed": {"events": "send.message", "seconds": 1.0}},
    "the echo comes before the answer": {"slow": {"milliseconds": 150}},
    "every second one breaks somehow": {
        "no_answer_after": {"route": "sendText", "probability": 0.3},
        "cut_before": {"route": "sendText", "probability": 0.3},
        "webhook_duplicated": {"times": 3},
        "webhook_reordered": {"seconds": 0.2},
    },
}


@pytest.mark.parametrize("version", VERSIONS[: times(1, 2)])
async def test_failing_sends_are_never_doubled(
    firestore_emulator: str, tmp_path: Path, version: str
):
    async with open_stage(tmp_path, 0, version, **FAST) as stage:
        await stage.start_caller("--send-patience", "0.6", port=stage.public_port)
        await stage.start_caller("--send-patience", "0.6")
        conversations = await talking(stage)
        texts: dict[str, str] = {}
        for fault, switches in FAULTS.items():
            await stage.set_faults(**switches)
            requests = list(itertools.islice(fresh(fault, conversations), times(2, 20)))
            await asyncio.gather(*(say(stage, *request) for request in requests for _ in range(3)))
            await stage.set_faults()
            texts |= {key: text for key, _, text in requests}
        await stage.wait_until_posted()

        outcomes = await settled(stage, texts)

        received = Counter(sent["text"] for sent in (await stage.read_simulator_state())["sent"])
        states = Counter(outcomes.values())
        assert states["sent"] >= len(texts) / 2, states
        assert states.keys() <= {"sent", "failed", "uncertain"}
        for key, text in texts.items():
            assert received[text] == int(outcomes[key] == "sent"), (text, outcomes[key])
        await once_in_the_conversation(stage, texts, outcomes)


@pytest.mark.parametrize("version", VERSIONS[: times(1, 2)])
async def test_send_killed_at_any_step(firestore_emulator: str, tmp_path: Path, version: str):
    async with open_stage(tmp_path, 1, version, **FAST) as stage:
        conversation, *_ = await talking(stage)
        (survivor,) = stage.ports
        texts: dict[str, str] = {}
        for step in range(1, 40):
            port, process = await stage.start_caller("--die-at", str(step))
            key = f"step-{step}"
            texts[key] = f"passo {step}"
            stage.ports = [survivor]
            try:
                await say(stage, key, conversation, texts[key], port)
                break
            except httpx.HTTPError:
                process.join(10)
                assert process.exitcode == -9
            again = await say(stage, key, conversation, texts[key])
            assert again.status_code in (201, 202), again.text
        await stage.wait_until_posted()
        assert len(texts) >= 6, "a send has more steps than these"
        stage.expire_leases(LEASE)

        outcomes = await settled(stage, texts)

        received = Counter(sent["text"] for sent in (await stage.read_simulator_state())["sent"])
        for key, text in texts.items():
            assert received[text] == int(outcomes[key] == "sent"), (text, outcomes[key])
        await once_in_the_conversation(stage, texts, outcomes)


async def test_shared_key_is_one_send(firestore_emulator: str, tmp_path: Path):
    async with open_stage(tmp_path, 3, **FAST) as stage:
        conversation, *_ = await talking(stage)
        for turn in range(times(2, 50)):
            key, text = f"k{turn}", f"texto {turn}"

            answers = await asyncio.gather(
                *(say(stage, key, conversation, text) for _ in range(25))
            )

            assert {answer.status_code for answer in answers} <= {201, 202}
        received = Counter(sent["text"] for sent in (await stage.read_simulator_state())["sent"])
        assert set(received.values()) == {1}


async def talking(stage: Stage) -> list[str]:
    """A line is open and several contacts have written; their conversations."""
    await stage.ensure("acme")
    await stage.scan(name_of("acme"), NUMBER)
    for contact in CONTACTS:
        await stage.receive_text(name_of("acme"), contact, "oi")
    await stage.wait_until_posted()
    conversations = (await stage.call("GET", "/conversations", "acme")).json()["conversations"]
    assert len(conversations) == len(CONTACTS)
    return [conversation["id"] for conversation in conversations]


def fresh(fault: str, conversations: list[str]) -> Any:
    """Keys, conversations and texts that nobody used yet."""
    for at, conversation in enumerate(itertools.cycle(conversations)):
        words = fault.replace(" ", "-").replace(",", "")
        yield f"{words}-{at}", conversation, f"{fault} {at}"


async def say(
    stage: Stage, key: str, conversation: str, text: str, port: int | None = None
) -> httpx.Response:
    body = {"conversation": conversation, "text": text}
    headers = {"idempotency-key": key}
    return await stage.call("POST", "/send-message", "acme", port, json=body, headers=headers)


async def settled(stage: Stage, texts: dict[str, str]) -> dict[str, str]:
    """Ask twice what became of each send, and return it."""
    outcomes: dict[str, str] = {}
    for _ in range(2):
        for key in texts:
            answer = await stage.call("GET", f"/send-message/{key}", "acme")
            assert answer.status_code in (200, 202), answer.text
            outcomes[key] = answer.json()["state"]
            assert outcomes[key] == "sent" or answer.json()["why"]
        stage.pass_time(15)
    for key in texts:
        answer = await stage.call("GET", f"/send-message/{key}", "acme")
        outcomes[key] = answer.json()["state"]
    return outcomes


async def once_in_the_conversation(
    stage: Stage, texts: dict[str, str], outcomes: dict[str, str]
) -> None:
    """Check that each sent message is kept once with its send, and unsettled counts are right."""
    messages = stage.documents("tenants/acme/messages").values()
    counts = Counter(message["text"] for message in messages if message.get("from_me"))
    assert counts == Counter(text for key, text in texts.items() if outcomes[key] == "sent")
    owners = Counter(message["send"] for message in messages if message.get("from_me"))
    assert set(owners.values()) == {1}
    uncertain = Counter(
        send["conversation"]
        for send in stage.documents("tenants/acme/sends").values()
        if send["state"] == "uncertain"
    )
    counted = {
        name: conversation.get("unsettled", 0)
        for name, conversation in stage.documents("tenants/acme/conversations").items()
    }
    assert counted == {name: uncertain[name] for name in counted}
