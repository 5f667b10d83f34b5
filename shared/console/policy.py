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
    # A voice message is recorded on the page.
    "permissions-policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(self), usb=()"
    ),
}


def build_page_headers(
    settings: Settings, api: str | None, frames: Iterable[str] = ()
) -> dict[str, str]:
    """Build the page's headers; `api` is the functions' origin, None if they share the page's.

    `frames`: the origins of pages that may show it in a frame.
    """
    called = _list_origins([settings.auth_issuer, *settings.console_connect, api])
    shown = _list_origins([settings.brand_logo_url])
    content_policy = _build_content_policy(called, shown, " ".join(frames) or "'none'")
    return ON_THE_PAGE | {"content-security-policy": content_policy}


def _build_content_policy(called: Iterable[str], shown: Iterable[str], frames: str) -> str:
    """Build the policy: `called` are origins that the page calls, `shown` those of pictures."""
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": " ".join(["'self' data: blob:", *shown]),
        "media-src": "'self' blob:",
        "connect-src": " ".join(["'self'", *called]),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": frames,
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{directive} {sources}" for directive, sources in directives.items())


def _list_origins(urls: Iterable[str | None]) -> list[str]:
    parts = (urlsplit(url) for url in urls if url)
    return sorted({f"{url.scheme}://{url.netloc}" for url in parts if url.scheme and url.netloc})
