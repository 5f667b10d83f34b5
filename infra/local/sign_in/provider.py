"""Issue tokens to a browser: discovery, authorization code with PKCE, and refresh."""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jwt

from infra.local.sign_in.identities import Identity, identity_of

CLIENT = "perene-console"
CODE_SECONDS = 60
TOKEN_SECONDS = 3600
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


class OAuthError(Exception):
    """A refusal of a request; its message is the OAuth error code."""


class PendingCode(NamedTuple):
    """An authorization code that waits to be exchanged; `until` is in epoch seconds."""

    identity: Identity
    nonce: str | None
    challenge: str
    redirect: str
    until: float


@dataclass
class Provider:
    """An OpenID Connect issuer; each of its codes and refresh tokens is good for one use."""

    issuer: str
    audience: str
    secret: str
    codes: dict[str, PendingCode] = field(default_factory=dict)
    refresh_tokens: dict[str, Identity] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        """Return the discovery document: endpoints and supported options."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "end_session_endpoint": f"{self.issuer}/leave",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
        }

    def check(self, parameters: Mapping[str, str]) -> None:
        """Check an authorization request. Raises OAuthError."""
        if parameters.get("client_id") != CLIENT:
            raise OAuthError("unauthorized_client")
        if urlsplit(parameters.get("redirect_uri", "")).hostname not in LOOPBACK:
            raise OAuthError("invalid_redirect_uri")
        if parameters.get("response_type") != "code":
            raise OAuthError("unsupported_response_type")
        if parameters.get("code_challenge_method") != "S256" or not parameters.get(
            "code_challenge"
        ):
            raise OAuthError("invalid_request")

    def issue_code(self, parameters: Mapping[str, str], subject: str) -> str:
        """Issue a code that the client can exchange for the subject's tokens. Raises OAuthError."""
        self.check(parameters)
        code = secrets.token_urlsafe(24)
        self.codes[code] = PendingCode(
            identity_of(subject),
            parameters.get("nonce"),
            parameters["code_challenge"],
            parameters["redirect_uri"],
            time.time() + CODE_SECONDS,
        )
        return code

    def issue_tokens(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Issue tokens for a code or a refresh token. Raises OAuthError."""
        if parameters.get("client_id") != CLIENT:
            raise OAuthError("invalid_client")
        match parameters.get("grant_type"):
            case "authorization_code":
                pending = self._exchange_code(parameters)
                return self._build_response(pending.identity, pending.nonce)
            case "refresh_token":
                identity = self.refresh_tokens.pop(parameters.get("refresh_token", ""), None)
                if identity is None:
                    raise OAuthError("invalid_grant")
                return self._build_response(identity, None)
            case _:
                raise OAuthError("unsupported_grant_type")

    def _exchange_code(self, parameters: Mapping[str, str]) -> PendingCode:
        pending = self.codes.pop(parameters.get("code", ""), None)
        if pending is None or pending.until < time.time():
            raise OAuthError("invalid_grant")
        verifier = hashlib.sha256(parameters.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if challenge != pending.challenge or parameters.get("redirect_uri") != pending.redirect:
            raise OAuthError("invalid_grant")
        return pending

    def _build_response(self, identity: Identity, nonce: str | None) -> dict[str, Any]:
        refresh_token = secrets.token_urlsafe(24)
        self.refresh_tokens[refresh_token] = identity
        nonce_claim = {"nonce": nonce} if nonce else {}
        return {
            "access_token": self._sign(identity, self.audience),
            "id_token": self._sign(identity, CLIENT, **nonce_claim),
            "refresh_token": refresh_token,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
        }

    def _sign(self, identity: Identity, audience: str, **more: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": audience, "iat": now, "exp": now + TOKEN_SECONDS}
        return jwt.encode({**claims, **identity.claims(), **more}, self.secret, "HS256")
