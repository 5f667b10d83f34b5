"""Discovery, authorization code with PKCE, refresh: what a browser needs of an issuer."""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jwt

from infra.local.sign_in.people import Person, person

CLIENT = "perene-console"
CODE_SECONDS = 60
TOKEN_SECONDS = 3600
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


class Refused(Exception):
    """What the caller asked isn't so; the message is OAuth's word for it."""


class Pending(NamedTuple):
    """A code that somebody is about to exchange."""

    person: Person
    nonce: str | None
    challenge: str
    redirect: str
    until: float


@dataclass
class Provider:
    """Knows its codes and refresh tokens, each good for once."""

    issuer: str
    audience: str
    secret: str
    codes: dict[str, Pending] = field(default_factory=dict)
    refreshers: dict[str, Person] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        """What the issuer is able to do, and where."""
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

    def check(self, asked: Mapping[str, str]) -> None:
        """A request that may be answered with a code. Raises Refused."""
        if asked.get("client_id") != CLIENT:
            raise Refused("unauthorized_client")
        if urlsplit(asked.get("redirect_uri", "")).hostname not in LOOPBACK:
            raise Refused("invalid_redirect_uri")
        if asked.get("response_type") != "code":
            raise Refused("unsupported_response_type")
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            raise Refused("invalid_request")

    def code(self, asked: Mapping[str, str], subject: str) -> str:
        """A code with which this request's maker gets the person's tokens."""
        self.check(asked)
        fresh = secrets.token_urlsafe(24)
        self.codes[fresh] = Pending(
            person(subject),
            asked.get("nonce"),
            asked["code_challenge"],
            asked["redirect_uri"],
            time.time() + CODE_SECONDS,
        )
        return fresh

    def tokens(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """The tokens for a code or a refresh token. Raises Refused."""
        if asked.get("client_id") != CLIENT:
            raise Refused("invalid_client")
        match asked.get("grant_type"):
            case "authorization_code":
                pending = self._exchanged(asked)
                return self._issued(pending.person, pending.nonce)
            case "refresh_token":
                known = self.refreshers.pop(asked.get("refresh_token", ""), None)
                if known is None:
                    raise Refused("invalid_grant")
                return self._issued(known, None)
            case _:
                raise Refused("unsupported_grant_type")

    def _exchanged(self, asked: Mapping[str, str]) -> Pending:
        pending = self.codes.pop(asked.get("code", ""), None)
        if pending is None or pending.until < time.time():
            raise Refused("invalid_grant")
        verifier = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if challenge != pending.challenge or asked.get("redirect_uri") != pending.redirect:
            raise Refused("invalid_grant")
        return pending

    def _issued(self, whose: Person, nonce: str | None) -> dict[str, Any]:
        refresher = secrets.token_urlsafe(24)
        self.refreshers[refresher] = whose
        about = {"nonce": nonce} if nonce else {}
        return {
            "access_token": self._signed(whose, self.audience),
            "id_token": self._signed(whose, CLIENT, **about),
            "refresh_token": refresher,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
        }

    def _signed(self, whose: Person, audience: str, **more: Any) -> str:
        now = int(time.time())
        about = {"iss": self.issuer, "aud": audience, "iat": now, "exp": now + TOKEN_SECONDS}
        return jwt.encode({**about, **whose.claims(), **more}, self.secret, "HS256")
