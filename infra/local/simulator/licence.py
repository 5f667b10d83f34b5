"""The licence of 2.4: without one, nothing but a few harmless routes is served."""

from infra.local.simulator.answers import Answer, Ask, Refusal
from infra.local.simulator.state import World

SERVED = {"", "health", "server/ok", "license/status", "license/register", "license/activate", "ws"}
"""The routes that need no licence (EVOLUTION.md §9)."""

INSTANCE = "5e1f0c2a-0000-4000-8000-000000000024"
DOCS = "https://docs.evolutionfoundation.com.br/licensing"


def require(world: World, route: str) -> None:
    """Let a request pass that needs no licence, or whose server has one.

    Raises Refusal: 503 `LICENSE_REQUIRED`, before any look at keys and names.
    """
    free = route in SERVED or route.startswith(("manager", "assets"))
    if free or world.licensed or not world.wants_licence:
        return
    manager = f"{world.options.server_url}/manager/login"
    body = {
        "error": "service not activated",
        "code": "LICENSE_REQUIRED",
        "register_url": manager,
        "instance_id": INSTANCE,
        "docs_url": DOCS,
        "message": f"This Evolution API instance is not activated. Open {manager} to activate.",
    }
    raise Refusal(Answer(503, body))


async def status(world: World, ask: Ask) -> Answer:
    """Tell whether a licence was activated; no key is asked for."""
    known = {"status": "active" if world.licensed else "inactive", "instance_id": INSTANCE}
    return Answer(200, known | ({"api_key": "evo_lice...0024"} if world.licensed else {}))
