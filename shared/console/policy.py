"""Restrict what a browser lets the page do, to what the page needs."""

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


def build_page_headers(settings: Settings, api: str | None) -> dict[str, str]:
    """Build the page's headers; `api` is the functions' origin, None if they share the page's."""
    origins = [settings.auth_issuer, *settings.console_connect, api]
    return ON_THE_PAGE | {
        "content-security-policy": _build_content_policy(sorted(_list_origins(origins)))
    }


def _build_content_policy(origins: Iterable[str]) -> str:
    directives = {
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
    return "; ".join(f"{directive} {sources}" for directive, sources in directives.items())


def _list_origins(urls: Iterable[str | None]) -> set[str]:
    parts = (urlsplit(url) for url in urls if url)
    return {f"{url.scheme}://{url.netloc}" for url in parts if url.scheme and url.netloc}
