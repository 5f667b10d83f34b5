"""A start is compared with the bare one just before, which makes the same calls."""

from tests.adapters.counting import counting
from tests.benchmarks.cold import (
    QUIET,
    SETTINGS,
    WORK,
    Pair,
    Start,
    describe_work,
    summarize_pairs,
)
from tests.cases import in_each
from tests.perene import Perene


def test_ratio_is_that_of_each_pair():
    quiet, busy = Start(90, 100, 80, 40), Start(900, 1000, 90, 50)
    pairs = {
        "instances": [
            Pair(Start(90, 130, 96, 60), quiet),
            Pair(Start(900, 1300, 108, 70), busy),
        ]
    }

    (row,) = summarize_pairs(pairs)

    assert row == ["instances", "read 1, query 1", 495, 715, 550, 1.3, 102, 1.2, 70]


@in_each("name", WORK)
async def test_bare_function_makes_as_many_calls(name: str, firestore_emulator: str):
    async with Perene() as perene:
        perene.set(**SETTINGS)
        await perene.pair(QUIET, "5511999990002")
        await perene.pair("acme")
        await _request(perene, "receive_webhook", "")
        (conversation,) = (await perene.call("GET", "/conversations")).json()["conversations"]
        perene.evolution.faults.turn_on("webhook_lost")  # the echo of what is sent
        await _request(perene, name, conversation["id"])  # the first sweep finds more to do
        with counting(perene.store.db.client) as counted:
            await _request(perene, name, conversation["id"])

    assert counted.round_trips == WORK[name].calls.round_trips


async def _request(perene: Perene, name: str, conversation: str) -> None:
    secret = perene.environment()["WEBHOOK_SECRET"]
    request = describe_work(name, secret, conversation)
    request["headers"]["content-type"] = "application/json"
    answer = await perene.http.request(**request)
    assert answer.is_success, answer.text
