"""Describe to the page the deployment that serves it."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from shared.config import Settings

DARKEST_FOR_BLACK = 0.1791
"""The luminance on which black and white have the same contrast."""

NEEDED = ("auth_issuer", "auth_audience", "console_client_id")


class SignIn(Struct, frozen=True, kw_only=True):
    """The way to get a token: OpenID Connect, authorization code with PKCE."""

    issuer: str
    client_id: str
    scopes: str
    audience: str
    token: Annotated[
        Literal["id", "access"], Meta(description="Which of the two the functions take")
    ]


class Brand(Struct, frozen=True, kw_only=True):
    """The agency, as its clients know it."""

    name: str
    logo: Annotated[str | UnsetType, Meta(description="The address of a picture")] = UNSET
    color: Annotated[str | UnsetType, Meta(description="As #rrggbb")] = UNSET
    ink: Annotated[str | UnsetType, Meta(description="The colour of what is written on it")] = UNSET


class Deployment(Struct, frozen=True, kw_only=True):
    """The deployment, as its console sees it."""

    api: Annotated[str, Meta(description="Where the functions are, from the console's root on")]
    sign_in: SignIn | UnsetType = UNSET
    missing: Annotated[
        list[str], Meta(description="Variables that sign-in needs and that are not set")
    ]
    tenant_claim: str
    operator_claim: str | UnsetType = UNSET
    time_zone: Annotated[str, Meta(description="In which people read times")]
    brand: Brand | UnsetType = UNSET


def describe_deployment(settings: Settings, api: str | None) -> Deployment:
    """Describe the deployment; `api` is the functions' origin, None if they share the console's."""
    missing = [name.upper() for name in NEEDED if not getattr(settings, name)]
    if not (settings.auth_jwks_url or settings.auth_hs256_secret):
        missing.append("AUTH_JWKS_URL")
    return Deployment(
        api=f"{api}/" if api else "../",
        sign_in=UNSET if missing else _describe_sign_in(settings),
        missing=missing,
        tenant_claim=settings.auth_tenant_claim,
        operator_claim=settings.auth_operator_claim or UNSET,
        time_zone=settings.time_zone,
        brand=_describe_brand(settings),
    )


def _describe_brand(settings: Settings) -> Brand | UnsetType:
    if settings.brand_name is None:
        return UNSET
    color = settings.brand_color
    return Brand(
        name=settings.brand_name,
        logo=settings.brand_logo_url or UNSET,
        color=color or UNSET,
        ink=choose_ink(color) if color else UNSET,
    )


def choose_ink(color: str) -> str:
    """Return black or white, whichever is easier to read on a colour (#rrggbb).

    One of them has a contrast of 4.5 or more on any colour (WCAG 2, relative luminance).
    """
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    luminance = 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)
    return "#000000" if luminance > DARKEST_FOR_BLACK else "#ffffff"


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _describe_sign_in(settings: Settings) -> SignIn:
    assert settings.auth_issuer
    assert settings.auth_audience
    assert settings.console_client_id
    return SignIn(
        issuer=settings.auth_issuer,
        client_id=settings.console_client_id,
        scopes=" ".join(settings.console_scopes),
        audience=settings.auth_audience,
        token="id" if settings.auth_audience == settings.console_client_id else "access",
    )
