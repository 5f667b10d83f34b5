"""Strip secrets from the webhooks that dead letters hold."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shared.evolution.events.envelope import Envelope, read_envelope
from shared.evolution.redaction import DEEPEST, strip_secrets
from tests.adapters import posted
from tests.adapters.posted import a_message, an_event
from tests.cases import in_each

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@in_each(
    "name",
    [
        *["apikey", "api_key", "apiKey", "API-KEY", "token", "access_token", "instanceToken"],
        *["Authorization", "password", "secret", "messageSecret", "jwt_key", "base64", "code"],
        *["pairingCode", "mediaKey", "fileSha256", "fileEncSha256", "thumbnailEncSha256"],
        *["directPath", "jpegThumbnail", "pngThumbnail", "streamingSidecar", "destination"],
    ],
)
def test_nested_secret_is_stripped(name: str):
    assert strip_secrets({"a": [{name: "s3cret", "b": 1}]}) == {"a": [{"b": 1}]}


@in_each("name", ["url", "mediaUrl", "profilePicUrl", "media_url"])
@in_each("url", ["https://s3/x?X-Amz-Signature=1", "https://user:pass@host/x"])
def test_a_url_that_opens_something_goes(name: str, url: str):
    assert strip_secrets({name: url, "server_url": "http://evolution"}) == {
        "server_url": "http://evolution"
    }


def test_url_in_text_is_kept():
    event = an_event("messages.upsert", a_message({"conversation": "https://x.y?a=b"}))

    assert strip_secrets(event) == event


@in_each("name", posted.RECORDED)
def test_recording_can_be_kept_and_replayed(name: str):
    body = posted.body(name)
    secrets = {body.get("apikey"), body.get("destination"), "mmg.whatsapp.net/v/t62"} - {None}

    redacted = json.dumps(strip_secrets(body))

    assert not [secret for secret in secrets if secret in redacted]
    assert (read_envelope(redacted.encode()) is None) == (name == "error.json")


def test_replay_loses_only_the_thumbnail():
    image = posted.body("messages.upsert.in-image.json")

    (before,) = Envelope.model_validate(image).events()
    (after,) = Envelope.model_validate(strip_secrets(image)).events()

    media = before.message.media.model_copy(update={"thumbnail": None})
    content = before.message.content.model_copy(update={"media": media})
    assert after.message == before.message.model_copy(update={"content": content})


@given(json_values)
def test_redaction_is_idempotent(value):
    once = strip_secrets(value)

    assert json.dumps(strip_secrets(once)) == json.dumps(once)


def test_too_deep_json_is_removed():
    value: object = "s3cret"
    for _ in range(900):
        value = [value]

    redacted = json.dumps(strip_secrets(value))

    assert redacted == "[" * DEEPEST + "null" + "]" * DEEPEST
