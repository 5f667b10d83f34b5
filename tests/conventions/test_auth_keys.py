"""Tokens checked by the keys that their issuer publishes, as those come and go."""

import asyncio
from typing import Any

import pytest

from shared import auth, problems
from shared.auth import require_tenant
from tests.conventions import issuer
from tests.conventions.callers import TRUST, asking
from tests.conventions.conftest import Deploy
from tests.conventions.issuer import Issuer, by_hand, claims, public_pem, signed


@pytest.mark.parametrize("kid", ["rsa-1", "ec-1"])
async def test_token_of_published_key_is_good(by_keys: Issuer, kid: str):
    assert await require_tenant(asking(signed(kid))) == "acme"


async def test_public_key_is_no_secret(by_keys: Issuer):
    header = {"alg": "HS256", "kid": "rsa-1"}

    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(by_hand(header, claims(), public_pem("rsa-1"))))


@pytest.mark.parametrize("kid", ["rsa-1", "ec-1"])
async def test_foreign_key_under_known_id_fails(by_keys: Issuer, kid: str):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(signed(kid, key=f"{kid} of a stranger")))


async def test_key_id_of_another_kind_fails(by_keys: Issuer):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(signed("rsa-1", key="ec-1")))


@pytest.mark.parametrize("kid", [7, None, ["rsa-1"], {}, True], ids=repr)
async def test_odd_key_id_is_refused(by_keys: Issuer, kid: Any):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(by_hand({"alg": "RS256", "kid": kid}, claims(), b"x")))


async def test_key_that_nobody_published_is_refused(by_keys: Issuer):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(signed("rsa-foreign")))


async def test_single_key_needs_no_id(by_keys: Issuer):
    by_keys.kids = ["rsa-1"]

    assert await require_tenant(asking(signed(None))) == "acme"


async def test_dripping_issuer_is_given_up(
    by_keys: Issuer, deploy: Deploy, monkeypatch: pytest.MonkeyPatch
):
    async def drops(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()

    monkeypatch.setattr(auth, "JWKS_TIMEOUT_SECONDS", 0.3)
    async with await asyncio.start_server(drops, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        deploy(**TRUST, AUTH_JWKS_URL=f"http://127.0.0.1:{port}/jwks")
        async with asyncio.timeout(5):
            with pytest.raises(problems.IssuerUnreachable):
                await require_tenant(asking(signed("rsa-1")))
        server.close()


async def test_several_keys_need_an_id(by_keys: Issuer):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(signed(None)))


async def test_many_callers_fetch_keys_once(by_keys: Issuer):
    tenants = await asyncio.gather(*(require_tenant(asking(signed())) for _ in range(20)))

    assert tenants == ["acme"] * 20
    assert by_keys.fetches == 1


async def test_unknown_key_ids_fetch_nothing_more(by_keys: Issuer):
    await require_tenant(asking(signed()))

    for number in range(20):
        with pytest.raises(problems.TokenInvalid):
            await require_tenant(asking(signed(f"made-up-{number}", key="rsa-foreign")))

    assert by_keys.fetches == 1


async def test_new_key_is_found_after_pause(by_keys: Issuer, monkeypatch: pytest.MonkeyPatch):
    await require_tenant(asking(signed()))
    by_keys.kids = ["rsa-2"]
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(signed("rsa-2")))

    monkeypatch.setattr(auth, "JWKS_PAUSE_SECONDS", 0)

    assert await require_tenant(asking(signed("rsa-2"))) == "acme"


async def test_withdrawn_key_is_refused_later(by_keys: Issuer, monkeypatch: pytest.MonkeyPatch):
    await require_tenant(asking(signed()))
    by_keys.kids = ["rsa-2"]
    assert await require_tenant(asking(signed())) == "acme"

    monkeypatch.setattr(auth, "JWKS_LIFETIME_SECONDS", 0)

    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(signed()))


DOWN: dict[str, tuple[int, bytes]] = {
    "fails": (500, b""),
    "isn't there": (404, b"not found"),
    "redirects": (302, b""),
    "says no JSON": (200, b"<html>"),
    "says a list": (200, b"[]"),
    "says nothing of keys": (200, b"{}"),
    "has no keys": (200, b'{"keys": []}'),
    "has keys of an unknown kind": (200, b'{"keys": [{"kty": "magic"}]}'),
    "has keys that are no objects": (200, b'{"keys": ["rsa-1"]}'),
    "says too deep a thing": (200, b"[" * 100_000),
}


@pytest.mark.parametrize("answer", DOWN.values(), ids=DOWN.keys())
async def test_silent_issuer_blames_no_caller(by_keys: Issuer, answer: tuple[int, bytes]):
    by_keys.answer = answer

    with pytest.raises(problems.IssuerUnreachable) as problem:
        await require_tenant(asking(signed()))

    assert (problem.value.status, problem.value.retry_after) == (503, auth.JWKS_PAUSE_SECONDS)


async def test_unreachable_issuer_blames_no_caller(deploy: Deploy):
    with issuer.running() as gone:
        deploy(**TRUST, AUTH_JWKS_URL=gone.url)

    with pytest.raises(problems.IssuerUnreachable):
        await require_tenant(asking(signed()))


async def test_broken_issuer_is_asked_once(by_keys: Issuer):
    by_keys.answer = (500, b"")

    for _ in range(5):
        with pytest.raises(problems.IssuerUnreachable):
            await require_tenant(asking(signed()))

    assert by_keys.fetches == 1


async def test_recovered_issuer_is_asked_again(by_keys: Issuer, monkeypatch: pytest.MonkeyPatch):
    by_keys.answer = (500, b"")
    with pytest.raises(problems.IssuerUnreachable):
        await require_tenant(asking(signed()))
    by_keys.answer = None

    monkeypatch.setattr(auth, "JWKS_PAUSE_SECONDS", 0)

    assert await require_tenant(asking(signed())) == "acme"


@pytest.mark.parametrize("answer", DOWN.values(), ids=DOWN.keys())
async def test_known_keys_outlive_issuer_outage(
    by_keys: Issuer, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes]
):
    await require_tenant(asking(signed()))
    by_keys.answer = answer
    monkeypatch.setattr(auth, "JWKS_LIFETIME_SECONDS", 0)

    assert await require_tenant(asking(signed())) == "acme"
    assert by_keys.fetches == 2
