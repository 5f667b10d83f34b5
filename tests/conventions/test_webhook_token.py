"""Only we can sign for an instance."""

import base64
import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import problems, webhook_token
from shared.domain.names import InstanceName
from tests.cases import in_each
from tests.conventions.conftest import SETTINGS, Deploy

NAME = InstanceName("instance_acme")
BORN = 1_795_000_000_000
NOW, BEFORE = "n" * 32, "b" * 32


@pytest.fixture(autouse=True)
def deployed(deploy: Deploy) -> Deploy:
    return deploy


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_a_token_names_its_instance():
    assert webhook_token.verify(webhook_token.sign(NAME, BORN)) == (NAME, BORN)


def test_token_is_always_same_one():
    assert webhook_token.sign(NAME, BORN) == webhook_token.sign(NAME, BORN)


def test_token_fits_header_and_path():
    token = webhook_token.sign(InstanceName("instance_" + "~c3" * 70), BORN)

    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert len(token) < 1024


def test_instance_made_again_has_another_token():
    assert webhook_token.sign(NAME, BORN) != webhook_token.sign(NAME, BORN + 1)


def test_two_instances_have_two_tokens():
    assert webhook_token.sign(NAME, BORN) != webhook_token.sign(
        InstanceName("instance_other"), BORN
    )


def test_token_survives_rotation_of_its_secret(deploy: Deploy):
    deploy(WEBHOOK_SECRET=BEFORE)
    token = webhook_token.sign(NAME, BORN)

    deploy(WEBHOOK_SECRET=NOW, WEBHOOK_SECRET_PREVIOUS=BEFORE)

    assert webhook_token.verify(token) == (NAME, BORN)
    assert webhook_token.sign(NAME, BORN) != token


def test_token_of_expired_secret_is_forged(deploy: Deploy):
    deploy(WEBHOOK_SECRET=BEFORE)
    token = webhook_token.sign(NAME, BORN)

    deploy(WEBHOOK_SECRET=NOW)

    with pytest.raises(problems.WebhookForged):
        webhook_token.verify(token)


SECRET = SETTINGS["WEBHOOK_SECRET"]
FORGED = {
    "nothing": "",
    "garbage": "garbage",
    "dots": "..",
    "another's": jwt.encode({"sub": NAME, "born": BORN}, "x" * 32, "HS256"),
    "unsigned": jwt.encode({"sub": NAME, "born": BORN}, None, "none"),
    "of another algorithm": jwt.encode({"sub": NAME, "born": BORN}, SECRET * 2, "HS512"),
    "of nobody": jwt.encode({}, SECRET, "HS256"),
    "of no birth": jwt.encode({"sub": NAME}, SECRET, "HS256"),
    "of an odd birth": jwt.encode({"sub": NAME, "born": "x"}, SECRET, "HS256"),
    "of an empty name": jwt.encode({"sub": "", "born": BORN}, SECRET, "HS256"),
    "deep": base64.urlsafe_b64encode(b"[" * 30_000).decode() + ".e30.x",
    "not even letters": "é\x00💥.é.é",
    "half a character": "\ud83d.x.y",
}


@in_each("token", FORGED.values(), ids=FORGED.keys())
def test_any_other_token_is_forged(token: str):
    with pytest.raises(problems.WebhookForged):
        webhook_token.verify(token)


def test_renamed_token_is_forged():
    header, _, signature = webhook_token.sign(NAME, BORN).split(".")

    with pytest.raises(problems.WebhookForged):
        webhook_token.verify(
            f"{header}.{encoded({'sub': 'instance_other', 'born': BORN})}.{signature}"
        )


@given(st.text())
def test_no_text_is_more_than_forged(text: str):
    with pytest.raises(problems.WebhookForged):
        webhook_token.verify(text)
