"""Test that concurrent creates of one name destroy each other, in the measured mix."""

import asyncio
from collections import Counter

import pytest

pytestmark = pytest.mark.anyio
HOOK = {"webhook": {"url": "http://receiver/hook", "events": ["MESSAGES_UPSERT"]}}


async def race(sim, call, count, **more):
    """Send that many creates at once; return their answers, and whether the instance is left."""
    body = {"instanceName": "race", "integration": "EVOLUTION"} | more
    answers = await asyncio.gather(*[
        call.post("/instance/create", json=body) for _ in range(count)
    ])  # fmt: skip
    await sim.drain()
    is_left = sim.exists("race")
    if is_left:
        await sim.vanish("race")
    return answers, is_left


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


async def test_two_creates_sometimes_leave_nothing(sim, call):
    both = {(((201, 1), (400, 1)), False), (((201, 1), (403, 1)), True)}
    outcomes = set()

    for _ in range(500):
        if both <= outcomes:
            break
        answers, left = await race(sim, call, 2)
        outcomes.add((tuple(sorted(statuses(answers).items())), left))

    assert both <= outcomes


async def test_with_webhook_both_are_told_400(sim, call):
    for _ in range(500):
        answers, left = await race(sim, call, 2, **HOOK)
        if (statuses(answers), left) == (Counter({400: 2}), False):
            return

    raise AssertionError("one was always told 201")


async def test_twenty_creates_mostly_conflict(sim, call):
    for _ in range(500):  # on a busy machine all twenty may be late alike
        answers, _ = await race(sim, call, 20)
        if statuses(answers)[403] >= 8:
            return

    raise AssertionError("most were never told 403")


async def test_loser_is_told_in_prismas_words(sim, call):
    sim.faults.turn_on("destructive_race", certain=True)

    answers, left = await race(sim, call, 2)

    loser = next(answer for answer in answers if answer.status_code == 400)
    assert "Foreign key constraint violated" in loser.json()["response"]["message"][0]
    assert not left


async def test_one_create_wins_without_fault(sim, call):
    sim.faults.turn_off("destructive_race")

    answers, left = await race(sim, call, 5)

    assert statuses(answers) == {201: 1, 403: 4}
    assert left


async def test_different_names_do_not_interfere(sim, call):
    answers = await asyncio.gather(*[
        call.post("/instance/create", json={"instanceName": f"n{at}", "integration": "EVOLUTION"})
        for at in range(10)
    ])  # fmt: skip

    assert statuses(answers) == {201: 10}
