"""Act as a service account of Google's: fetch its token and address, and let it sign."""

import base64
import hashlib
import time
from typing import Any, Final, Protocol

import httpx

from shared import untrusted

METADATA: Final = (
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default"
)
SIGN_BLOB: Final = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:signBlob"
ANSWER: Final = untrusted.Bounds(size=64 * 1024)
PATIENCE: Final = 10.0
EARLY: Final = 60.0
"""Seconds before its end in which a token isn't used any more."""

_tokens: dict[str, tuple[str, float]] = {}
"""The token of this function's service account, and until when it is used."""


class SignInFailed(Exception):
    """Google gave no token, no address or no signature."""


class Account(Protocol):
    """Who calls Google. Each method raises SignInFailed."""

    async def fetch_token(self) -> str:
        """Return an access token."""

    async def fetch_address(self) -> str:
        """Return the account's e-mail address, by which its signatures are checked."""

    async def sign(self, content: bytes) -> bytes:
        """Return an RSA signature with SHA-256 of the content."""


class FunctionAccount:
    """The service account that this function runs as; it has no key at hand."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def fetch_token(self) -> str:
        """Return its token; it is fetched anew before it ends."""
        return await fetch_token(self._http)

    async def fetch_address(self) -> str:
        """Return its address. One call of the machine's own metadata, a millisecond."""
        try:
            return (await _fetch_metadata(self._http, "email")).text.strip()
        except httpx.HTTPError as failure:
            raise SignInFailed(type(failure).__name__) from None

    async def sign(self, content: bytes) -> bytes:
        """Let IAM sign; the account needs `iam.serviceAccounts.signBlob` on itself."""
        url = SIGN_BLOB.format(await self.fetch_address())
        headers = {"authorization": f"Bearer {await self.fetch_token()}"}
        body = {"payload": base64.b64encode(content).decode()}
        try:
            answer = await self._http.post(url, json=body, headers=headers, timeout=PATIENCE)
            fields: Any = untrusted.read(answer.raise_for_status().content, ANSWER)
            return base64.b64decode(fields["signedBlob"], validate=True)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as failure:
            raise SignInFailed(type(failure).__name__) from None


class EmulatorAccount:
    """An account for an emulator, which checks neither tokens nor signatures."""

    async def fetch_token(self) -> str:
        """Return what no service would take for a token."""
        return "emulator"

    async def fetch_address(self) -> str:
        """Return an address that can't exist."""
        return "emulator@perene.invalid"

    async def sign(self, content: bytes) -> bytes:
        """Return a signature that is none."""
        return hashlib.sha256(content).digest()


async def fetch_token(http: httpx.AsyncClient) -> str:
    """Return a token of this function's service account, fetched anew before it ends.

    Raises SignInFailed.
    """
    token, until = _tokens.get(METADATA, ("", 0.0))
    if time.monotonic() < until:
        return token
    try:
        answer = await _fetch_metadata(http, "token")
        fields: Any = untrusted.read(answer.content, ANSWER)
        token, seconds = str(fields["access_token"]), float(fields.get("expires_in", 0))
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as failure:
        raise SignInFailed(type(failure).__name__) from None
    _tokens[METADATA] = token, time.monotonic() + seconds - EARLY
    return token


async def _fetch_metadata(http: httpx.AsyncClient, name: str) -> httpx.Response:
    headers = {"metadata-flavor": "Google"}
    answer = await http.get(f"{METADATA}/{name}", headers=headers, timeout=PATIENCE)
    return answer.raise_for_status()
