"""Refuse requests without the licence of 2.4, except on a few harmless routes."""

from infra.local.simulator.answers import ApiRequest, ApiResponse, Refusal
from infra.local.simulator.state import World

UNLICENSED_ROUTES = {
    "",
    "health",
    "server/ok",
    "license/status",
    "license/register",
    "license/activate",
    "ws",
}
"""The routes that need no licence (EVOLUTION.md §9)."""

INSTANCE = "5e1f0c2a-0000-4000-8000-000000000024"
DOCS = "https://docs.evolutionfoundation.com.br/licensing"


def require(world: World, route: str) -> None:
    """Let a request pass that needs no licence, or whose server has one.

    Raises Refusal: 503 `LICENSE_REQUIRED`, before any look at keys and names.
    """
    is_free = route in UNLICENSED_ROUTES or route.startswith(("manager", "assets"))
    if is_free or world.licensed or not world.needs_licence:
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
    raise Refusal(ApiResponse(503, body))


async def status(world: World, request: ApiRequest) -> ApiResponse:
    """Tell whether a licence was activated; no key is asked for."""
    body = {"status": "active" if world.licensed else "inactive", "instance_id": INSTANCE}
    return ApiResponse(200, body | ({"api_key": "evo_lice...0024"} if world.licensed else {}))
