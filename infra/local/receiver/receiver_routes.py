"""Receive events at `/local/receiver`, check who signed them, and show the last ones on a page.

The secrets are those of the endpoints that lead here, so nothing has to be pasted.
"""

import json
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

from standardwebhooks import Webhook, WebhookVerificationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from shared import services
from shared.domain.endpoints import Endpoint

HERE = Path(__file__).parent
PATH: Final = "/local/receiver"
MOST_EVENTS: Final = 100
LARGEST_BODY: Final = 32 * 1024
"""Bytes of a body; an event has at most 20 kB."""

POLICY = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self';"
    " connect-src 'self'; img-src data:",
    "cache-control": "no-store",
}
WORDS = {
    "pt-BR": {
        "title": "Eventos recebidos",
        "lead": "O que os endpoints deste endereço recebem, o mais novo em cima. Só nesta máquina.",
        "empty": "Nada ainda. Crie uma integração com este endereço:",
        "signed": "assinatura conferida",
        "refused": "recusado: nenhum endpoint daqui o assinou",
        "replayed": "reenvio",
    },
    "en": {
        "title": "Events received",
        "lead": "What endpoints of this address are told, the newest first. Only on this machine.",
        "empty": "Nothing yet. Make an endpoint with this address:",
        "signed": "signature verified",
        "refused": "refused: no endpoint of this address signed it",
        "replayed": "replay",
    },
}


class Arrival(NamedTuple):
    """A POST that arrived. `signer` names the endpoint that signed it; None: it was refused."""

    number: int
    at: datetime
    body: bytes
    signer: str | None
    is_replay: bool


class Receiver:
    """The arrivals of this process, of which only the last ones are kept."""

    def __init__(self) -> None:
        self.arrivals: deque[Arrival] = deque(maxlen=MOST_EVENTS)
        self._count = 0

    def build_routes(self) -> list[Route]:
        """Build the routes of the receiver and of its page."""
        return [
            Route(PATH, self.receive, methods=["POST"]),
            Route(PATH, self.show_page),
            Route(f"{PATH}/rows", self.show_rows),
            Route(f"{PATH}/page.js", _serve_file("page.js", "text/javascript")),
            Route(f"{PATH}/page.css", _serve_file("page.css", "text/css")),
        ]

    async def receive(self, request: Request) -> Response:
        """Keep what arrives: 204 if an endpoint of this address signed it, 401 if none did."""
        body = await _read_body(request)
        if body is None:
            return Response(status_code=413)
        endpoints = await services.store().endpoints.list_active()
        signer = find_signer(endpoints, request.headers, body, services.now())
        self._count += 1
        is_replay = "perene-replay" in request.headers
        self.arrivals.append(Arrival(self._count, services.now(), body, signer, is_replay))
        return Response(status_code=204 if signer else 401)

    async def show_page(self, request: Request) -> Response:
        """Show the page, which asks for what arrived."""
        language = _choose_language(request)
        words = WORDS[language]
        address = escape(str(request.url.replace(query="")))
        return HTMLResponse(
            f"""<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{words["title"]} · Perene</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="{PATH}/page.css">
<script src="{PATH}/page.js" type="module"></script></head>
<body><main><h1>{words["title"]}</h1><p>{words["lead"]}</p>
<p id="empty">{words["empty"]} <code>{address}</code></p>
<ol id="arrivals" aria-live="polite" data-most="{MOST_EVENTS}"></ol></main></body></html>""",
            headers=POLICY,
        )

    async def show_rows(self, request: Request) -> Response:
        """Show what arrived after the arrival with the number `after`, the newest first."""
        after = request.query_params.get("after", "0")
        number = int(after) if after.isdecimal() and len(after) < 16 else 0
        words = WORDS[_choose_language(request)]
        newer = [arrival for arrival in reversed(self.arrivals) if arrival.number > number]
        return HTMLResponse("".join(_render(arrival, words) for arrival in newer), headers=POLICY)


def find_signer(
    endpoints: Iterable[Endpoint], headers: Any, body: bytes, now: datetime
) -> str | None:
    """Return the name of the endpoint of this address that signed the body, or None."""
    for endpoint in endpoints:
        if PATH not in endpoint.url:
            continue
        for secret in endpoint.secrets(now):
            try:
                Webhook(secret).verify(body, dict(headers))
            except (WebhookVerificationError, ValueError):
                continue
            return endpoint.description or endpoint.id
    return None


async def _read_body(request: Request) -> bytes | None:
    """Return the body, or None if it is too large or its sender went away."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST_BODY:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


def _render(arrival: Arrival, words: dict[str, str]) -> str:
    kind, text = _describe(arrival.body)
    verdict = f"{words['signed']}: {arrival.signer}" if arrival.signer else words["refused"]
    marks = [verdict, words["replayed"]] if arrival.is_replay else [verdict]
    mood = "good" if arrival.signer else "bad"
    return (
        f'<li data-number="{arrival.number}" class="{mood}"><details><summary>'
        f"<time>{arrival.at:%H:%M:%S}</time> <strong>{escape(kind)}</strong>"
        f"<span>{escape(' · '.join(marks))}</span></summary>"
        f"<pre>{escape(text)}</pre></details></li>"
    )


def _describe(body: bytes) -> tuple[str, str]:
    """Return an event's type, and the event as people read JSON; what is none, as it came."""
    try:
        event = json.loads(body)
        return str(event["type"]), json.dumps(event, indent=2, ensure_ascii=False)
    except (ValueError, TypeError, KeyError, RecursionError):
        return "?", body.decode(errors="replace")


def _choose_language(request: Request) -> str:
    return "en" if request.headers.get("accept-language", "").startswith("en") else "pt-BR"


def _serve_file(name: str, kind: str) -> Any:
    async def serve(_: Request) -> Response:
        return FileResponse(HERE / name, media_type=kind)

    return serve
