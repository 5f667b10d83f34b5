"""Describe to the page the deployment that serves it."""

from typing import Literal

from pydantic import Field

from shared.config import Settings
from shared.domain.record import Record

NEEDED = ("auth_issuer", "auth_audience", "console_client_id")


class SignIn(Record):
    """The way to get a token: OpenID Connect, authorization code with PKCE."""

    issuer: str
    client_id: str
    scopes: str
    audience: str
    token: Literal["id", "access"] = Field(description="Which of the two the functions take")


class Deployment(Record):
    """The deployment, as its console sees it."""

    api: str = Field(description="Where the functions are, from the console's root on")
    sign_in: SignIn | None = None
    missing: list[str] = Field(description="Variables that sign-in needs and that are not set")
    tenant_claim: str
    operator_claim: str | None = None


def describe_deployment(settings: Settings, api: str | None) -> Deployment:
    """Describe the deployment; `api` is the functions' origin, None if they share the console's."""
    missing = [name.upper() for name in NEEDED if not getattr(settings, name)]
    if not (settings.auth_jwks_url or settings.auth_hs256_secret):
        missing.append("AUTH_JWKS_URL")
    return Deployment(
        api=f"{api}/" if api else "../",
        sign_in=None if missing else _describe_sign_in(settings),
        missing=missing,
        tenant_claim=settings.auth_tenant_claim,
        operator_claim=settings.auth_operator_claim,
    )


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
