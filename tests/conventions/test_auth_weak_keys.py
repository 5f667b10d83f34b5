"""A key that can be broken signs nobody in, whoever publishes it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shared import problems
from shared.auth import require_tenant
from tests.conventions import issuer
from tests.conventions.callers import asking
from tests.conventions.issuer import Issuer, signed


@pytest.fixture
def weak(monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the issuer's `rsa-weak` a key of 1024 bits; return its id."""
    weak_key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    strong_key = issuer.a_key
    monkeypatch.setattr(
        issuer, "a_key", lambda kid: weak_key if kid == "rsa-weak" else strong_key(kid)
    )
    return "rsa-weak"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_short_rsa_key_signs_nobody_in(by_keys: Issuer, weak: str):
    by_keys.kids = [weak, "rsa-1"]

    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(signed(weak)))

    assert await require_tenant(asking(signed("rsa-1"))) == "acme"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_short_rsa_key_alone_is_refused(by_keys: Issuer, weak: str):
    by_keys.kids = [weak]

    for kid in (weak, None):
        with pytest.raises(problems.TokenInvalid):
            await require_tenant(asking(signed(kid, key=weak)))
