"""The doctor names an issuer whose keys count for nobody because they are too short."""

import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from infra.doctor import issuers
from infra.doctor.diagnosis import Verdict
from shared import config
from tests.conventions.conftest import SETTINGS

URL = "https://issuer.test/jwks"


@pytest.mark.parametrize(("bits", "verdict"), [(1024, Verdict.BAD), (2048, Verdict.GOOD)])
async def test_issuer_key_length_is_checked(bits: int, verdict: Verdict):
    public = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    published = {"keys": [json.loads(RSAAlgorithm.to_jwk(public)) | {"kid": "1"}]}
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json=published))
    settings = config.read(SETTINGS | {"AUTH_JWKS_URL": URL})

    async with httpx.AsyncClient(transport=answer) as http:
        diagnoses = [
            diagnosis async for diagnosis in issuers.check_issuers(settings, http, local=True)
        ]

    verdicts = [
        diagnosis.verdict for diagnosis in diagnoses if diagnosis.subject == "AUTH_JWKS_URL"
    ]
    assert verdicts == [verdict]
