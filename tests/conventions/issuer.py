"""An issuer of tokens on loopback, whose keys come and go."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.perene import AUDIENCE, ISSUER


@cache
def a_key(kid: str) -> Any:
    """The private key of that id: elliptic if it says so."""
    if kid.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def claims(**more: Any) -> dict[str, Any]:
    """Build the claims of a good token."""
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "acme", "iat": now, "exp": now + 600} | more


def signed(kid: str | None = "rsa-1", key: str | None = None, **more: Any) -> str:
    """A token signed with the key of that id, or with another although it says so."""
    private = a_key(key or kid or "rsa-1")
    algorithm = "ES256" if isinstance(private, ec.EllipticCurvePrivateKey) else "RS256"
    return jwt.encode(claims(**more), private, algorithm, {"kid": kid} if kid else None)


def by_hand(header: Any, payload: Any, secret: bytes) -> str:
    """A token that no library would sign: any header, HMAC with any secret."""
    content = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(payload).encode())}"
    signature = hmac.digest(secret, content.encode(), hashlib.sha256)
    return f"{content}.{_encoded(signature)}"


def public_pem(kid: str) -> bytes:
    """The public key, as an attacker who would sign with it knows it."""
    public = a_key(kid).public_key()
    pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


class Issuer:
    """Publishes the public keys of `kids`; `answer` in their place, if it is given."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/jwks"
        self.kids: list[str] = ["rsa-1", "ec-1"]
        self.answer: tuple[int, bytes] | None = None
        self.fetches = 0

    def fetched(self) -> tuple[int, bytes]:
        self.fetches += 1
        if self.answer:
            return self.answer
        return 200, json.dumps({"keys": [_published(kid) for kid in self.kids]}).encode()


@contextmanager
def running() -> Iterator[Issuer]:
    """An issuer as long as the `with`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = issuer.fetched()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Write nothing to the screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = Issuer(server.server_port)
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            serving.join()


def _published(kid: str) -> dict[str, Any]:
    public = a_key(kid).public_key()
    algorithm = ECAlgorithm if isinstance(public, ec.EllipticCurvePublicKey) else RSAAlgorithm
    return {**algorithm.to_jwk(public, as_dict=True), "kid": kid, "use": "sig"}


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")
