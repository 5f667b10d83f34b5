"""A create that nobody answered may still be running, whatever is seen meanwhile (P1)."""

from tests.perene import Perene, name_of

NAME = name_of("acme")
UNANSWERED = {"route": "create", "seconds": 0.02, "count": 1}


async def test_an_instance_that_goes_again_before_it_is_configured_is_not_made_twice(
    on_both: Perene,
):
    on_both.evolution.faults.turn_on("no_answer_after", **UNANSWERED)
    on_both.hosts.before[f"/webhook/set/{NAME}"] = lambda: on_both.evolution.vanish(NAME)

    answer = await on_both.ensure()

    assert answer.status_code == 202
    assert creates(on_both) == 1


async def test_an_instance_that_goes_again_before_it_is_started_is_not_made_twice(
    on_both: Perene,
):
    on_both.evolution.faults.turn_on("no_answer_after", **UNANSWERED)
    on_both.hosts.before[f"/instance/connect/{NAME}"] = lambda: on_both.evolution.vanish(NAME)

    await on_both.ensure()

    assert creates(on_both) == 1


async def test_a_failure_after_an_unanswered_create_does_not_give_the_lease_back(
    on_both: Perene,
):
    async def down() -> None:
        on_both.evolution.faults.turn_on("down")

    on_both.evolution.faults.turn_on("no_answer_after", **UNANSWERED)
    on_both.hosts.before[f"/webhook/set/{NAME}"] = down

    await on_both.ensure()

    assert on_both.documents("instances")[NAME]["lease"]


def creates(perene: Perene) -> int:
    """How many creates reached the server."""
    return sum(call.path == "/instance/create" for call in perene.evolution.calls)
