"""What a browser lets the page do: only what it needs."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from shared.config import Settings

EVERYWHERE = {
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
ON_THE_PAGE = {
    **EVERYWHERE,
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), usb=()",
}


def page_headers(settings: Settings, api: str | None) -> dict[str, str]:
    """The page's; `api` is where the other functions are, if that isn't where the page is."""
    origins = [settings.auth_issuer, *settings.console_connect, api]
    return ON_THE_PAGE | {"content-security-policy": _content(sorted(_origins(origins)))}


def _content(origins: Iterable[str]) -> str:
    allowed = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob:",
        "connect-src": " ".join(["'self'", *origins]),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{what} {sources}" for what, sources in allowed.items())


def _origins(urls: Iterable[str | None]) -> set[str]:
    parts = (urlsplit(url) for url in urls if url)
    return {f"{each.scheme}://{each.netloc}" for each in parts if each.scheme and each.netloc}
