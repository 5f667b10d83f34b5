"""A create that nobody answered may still be running, whatever is seen meanwhile (P1)."""

from tests.perene import Perene, in_both_dialects, name_of

NAME = name_of("acme")
UNANSWERED = {"route": "create", "seconds": 0.02, "count": 1}


@in_both_dialects
async def test_vanishing_before_configuration_creates_once(
    perene: Perene,
):
    perene.evolution.faults.turn_on("no_answer_after", **UNANSWERED)
    perene.hosts.before[f"/webhook/set/{NAME}"] = lambda: perene.evolution.vanish(NAME)

    answer = await perene.ensure()

    assert answer.status_code == 202
    assert creates(perene) == 1


@in_both_dialects
async def test_vanishing_before_start_creates_once(
    perene: Perene,
):
    perene.evolution.faults.turn_on("no_answer_after", **UNANSWERED)
    perene.hosts.before[f"/instance/connect/{NAME}"] = lambda: perene.evolution.vanish(NAME)

    await perene.ensure()

    assert creates(perene) == 1


@in_both_dialects
async def test_failure_keeps_doubtful_creates_lease(
    perene: Perene,
):
    async def down() -> None:
        perene.evolution.faults.turn_on("down")

    perene.evolution.faults.turn_on("no_answer_after", **UNANSWERED)
    perene.hosts.before[f"/webhook/set/{NAME}"] = down

    await perene.ensure()

    assert perene.documents("instances")[NAME]["lease"]


def creates(perene: Perene) -> int:
    """Count the creates that reached the server."""
    return sum(call.path == "/instance/create" for call in perene.evolution.calls)
