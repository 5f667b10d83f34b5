"""Where the identity provider is, and the page on which somebody chooses who to be."""

from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.sign_in.people import KNOWN, Person
from infra.local.sign_in.provider import LOOPBACK, Provider, Refused
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
        "lead": "Esta é a entrada da pilha local: sem senha, só nesta máquina.",
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


def routes(settings: Settings) -> list[Route]:
    """The provider that these settings trust, if they trust the local stack's own."""
    if not (settings.auth_issuer and settings.auth_audience and settings.auth_hs256_secret):
        return []
    secret = settings.auth_hs256_secret.get_secret_value()
    provider = Provider(settings.auth_issuer, settings.auth_audience, secret)
    here = urlsplit(provider.issuer).path

    async def discovery(_: Request) -> Response:
        return JSONResponse(provider.discovery(), headers=SHARED)

    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        subject = asked.pop("as", "").strip()
        try:
            provider.check(asked)
            if not subject:
                return HTMLResponse(_page(asked), headers=POLICY)
            code = provider.code(asked, subject)
        except Refused as why:
            return JSONResponse({"error": str(why)}, 400)
        answer = {"code": code, "state": asked.get("state", ""), "iss": provider.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    async def token(request: Request) -> Response:
        form = {name: str(value) for name, value in (await _form(request)).items()}
        try:
            return JSONResponse(provider.tokens(form), headers=SHARED)
        except Refused as why:
            return JSONResponse({"error": str(why)}, 400, headers=SHARED)

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


async def _form(request: Request) -> dict[str, str]:

    return dict(parse_qsl((await request.body()).decode(errors="replace")))


def _page(asked: dict[str, str]) -> str:
    language = "en" if asked.get("ui_locales", "").startswith("en") else "pt-BR"
    words = WORDS[language]
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in asked.items()
    )
    people = "".join(_button(each, words) for each in KNOWN)
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


def _button(who: Person, words: dict[str, str]) -> str:
    role = words["operator" if who.operator else "tenant"]
    return (
        f'<button name="as" value="{escape(who.subject)}">'
        f"<strong>{escape(who.name)}</strong><span>{role} · {escape(who.subject)}</span></button>"
    )
