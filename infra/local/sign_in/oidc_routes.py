"""Serve the identity provider, and the page on which a person chooses an identity."""

from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.sign_in.identities import IDENTITIES, Identity
from infra.local.sign_in.provider import LOOPBACK, OAuthError, Provider
from shared.config import Settings

HERE = Path(__file__).parent
SHARED = {"access-control-allow-origin": "*", "cache-control": "no-store"}
POLICY = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src data:",
    "cache-control": "no-store",
}
WORDS = {
    "pt-BR": {
        "title": "Entrar na demonstração",
        "lead": "Esta é a entrada do ambiente local: sem senha, só nesta máquina.",
        "tenant": "Cliente",
        "operator": "Operação: vê a frota inteira",
        "other": "Outro cliente",
        "enter": "Entrar",
    },
    "en": {
        "title": "Sign in to the demo",
        "lead": "This is the local stack's sign-in: no password, only on this machine.",
        "tenant": "Tenant",
        "operator": "Operations: sees the whole fleet",
        "other": "Another tenant",
        "enter": "Sign in",
    },
}


def build_routes(settings: Settings) -> list[Route]:
    """Build the routes of the local identity provider; none if the settings name no such issuer."""
    if not (settings.auth_issuer and settings.auth_audience and settings.auth_hs256_secret):
        return []
    secret = settings.auth_hs256_secret.get_secret_value()
    provider = Provider(settings.auth_issuer, settings.auth_audience, secret)
    here = urlsplit(provider.issuer).path

    async def discovery(_: Request) -> Response:
        return JSONResponse(provider.discovery(), headers=SHARED)

    async def authorize(request: Request) -> Response:
        parameters = dict(request.query_params)
        subject = parameters.pop("as", "").strip()
        try:
            provider.check(parameters)
            if not subject:
                return HTMLResponse(_render_page(parameters), headers=POLICY)
            code = provider.issue_code(parameters, subject)
        except OAuthError as error:
            return JSONResponse({"error": str(error)}, 400)
        answer = {"code": code, "state": parameters.get("state", ""), "iss": provider.issuer}
        return RedirectResponse(f"{parameters['redirect_uri']}?{urlencode(answer)}", 303)

    async def token(request: Request) -> Response:
        form = {name: str(value) for name, value in (await _read_form(request)).items()}
        try:
            return JSONResponse(provider.issue_tokens(form), headers=SHARED)
        except OAuthError as error:
            return JSONResponse({"error": str(error)}, 400, headers=SHARED)

    async def leave(request: Request) -> Response:
        back = request.query_params.get("post_logout_redirect_uri", "")
        return RedirectResponse(back if urlsplit(back).hostname in LOOPBACK else "/", 303)

    async def style(_: Request) -> Response:
        return FileResponse(HERE / "page.css", media_type="text/css")

    return [
        Route(f"{here}/.well-known/openid-configuration", discovery),
        Route(f"{here}/authorize", authorize),
        Route(f"{here}/token", token, methods=["POST"]),
        Route(f"{here}/leave", leave),
        Route(f"{here}/page.css", style),
    ]


async def _read_form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


def _render_page(parameters: dict[str, str]) -> str:
    language = "en" if parameters.get("ui_locales", "").startswith("en") else "pt-BR"
    words = WORDS[language]
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in parameters.items()
    )
    people = "".join(_render_button(identity, words) for identity in IDENTITIES)
    return f"""<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{words["title"]} · Perene</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="page.css"></head>
<body><main><h1>{words["title"]}</h1><p>{words["lead"]}</p>
<form method="get">{hidden}<div class="people">{people}</div></form>
<form method="get" class="other">{hidden}
<label for="other">{words["other"]}</label>
<div><input id="other" name="as" required maxlength="60" autocomplete="off" spellcheck="false">
<button>{words["enter"]}</button></div></form></main></body></html>"""


def _render_button(identity: Identity, words: dict[str, str]) -> str:
    role, subject = words["operator" if identity.operator else "tenant"], escape(identity.subject)
    return (
        f'<button name="as" value="{subject}">'
        f"<strong>{escape(identity.name)}</strong><span>{role} · {subject}</span></button>"
    )
