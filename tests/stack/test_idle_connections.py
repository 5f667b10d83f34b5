"""Test that no server closes an idle connection before its client does.

A client must close an idle connection first; otherwise the server may close it
just as a request goes out on it (`ReadError`, `Server disconnected`, for Evolution a lost POST).
"""

import ast
from pathlib import Path

import httpx
import pytest

from infra.local.children import IDLE_SECONDS
from shared import services

ROOT = Path(__file__).parents[2]
EVOLUTION_CLIENT, EVOLUTION_SERVER = 5.0, 5.0
"""Seconds: the defaults of Node's agent and server (infra/EVOLUTION.md)."""


def find_servers() -> list[tuple[str, ast.Call]]:
    """Return every place that starts a server of ours."""
    files = [*(ROOT / "infra").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    return [
        (f"{file.relative_to(ROOT)}:{node.lineno}", node)
        for file in files
        if "uvicorn" in (text := file.read_text())
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("uvicorn.run", "uvicorn.Config")
    ]


def test_servers_outwait_their_callers():
    servers = find_servers()
    hasty = [
        place
        for place, call in servers
        if ("timeout_keep_alive", "IDLE_SECONDS")
        not in [(keyword.arg, ast.unparse(keyword.value)) for keyword in call.keywords]
    ]

    assert len(servers) >= 3
    assert hasty == []
    assert 2 * max(EVOLUTION_CLIENT, httpx.Limits().keepalive_expiry or 0) < IDLE_SECONDS


@pytest.mark.anyio
async def test_client_lets_go_before_evolution_does(mocker):
    client = mocker.patch("shared.http_requests.Client")

    with services.using():
        services.http()

    assert client.call_args.kwargs["limits"].keepalive_expiry < EVOLUTION_SERVER
