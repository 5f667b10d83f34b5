"""Media stay: each file is copied into the bucket, once, and served from there."""

import asyncio
import base64
import hashlib
import json
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from PIL import Image

from infra import costs
from infra.local.bucket_emulator import BucketEmulator
from shared import services
from shared.domain.names import LineId, TenantId
from shared.media import copying, thumbnails
from tests.adapters.counting import counting
from tests.journeys.test_odd_intake import post, said
from tests.perene import Perene
from tests.videos import a_video

MARIA, JOAO = "5511988887777", "5511977776666"
MARIA_JID = f"{MARIA}@s.whatsapp.net"
FILE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
SHA = hashlib.sha256(FILE).hexdigest()


@pytest.fixture
def bucket(on_2: Perene, tmp_path: Path) -> BucketEmulator:
    """The deployment's bucket."""
    return on_2.give_bucket(tmp_path)


async def hear_file(perene: Perene, name: str, contact: str = MARIA, **more: Any) -> str:
    """Receive a file from a contact; return the message's id."""
    content = base64.b64encode(more.pop("content", FILE)).decode()
    kind = more.pop("kind", "image")
    message: str = await perene.evolution.receive_media(name, contact, kind, content, **more)
    await perene.evolution.drain()
    return message


async def tick(perene: Perene, after: timedelta = timedelta(minutes=2)) -> int:
    """Let so much time pass, and copy what is due then; return how much that was."""
    perene.clock.advance(after)
    answer = await perene.operate("POST", "/store-media")
    assert answer.status_code == 200, answer.text
    due: int = answer.json()["due"]
    return due


async def path_of(perene: Perene, message: str, tenant: str = "acme") -> str:
    """Return the path of the file in the newest conversation's message."""
    listed = (await perene.call("GET", "/conversations", tenant)).json()["conversations"]
    return f"/conversations/{listed[0]['id']}/messages/{message}/media"


def document(perene: Perene, message: str, tenant: str = "acme") -> dict[str, Any]:
    """Return the message as it is stored."""
    return perene.documents(f"tenants/{tenant}/messages")[f"default~{message}"]


async def test_received_file_outlives_its_instance(on_2: Perene, bucket: BucketEmulator):
    name = await on_2.pair()
    message = await hear_file(on_2, name, caption="veja")
    path = await path_of(on_2, message)

    due = await tick(on_2)
    again = await tick(on_2)
    await on_2.call("DELETE", "/instances/default")
    on_2.evolution.world.media.clear()
    answer = await on_2.call("GET", path)

    assert (due, again) == (1, 0)
    assert list(bucket.objects) == [f"acme/{SHA}"]
    assert (answer.status_code, answer.content) == (200, FILE)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(FILE))
    assert answer.headers["etag"] == f'"{SHA}"'
    stored = document(on_2, message)
    assert "media_due" not in stored
    assert stored["media_copy"] == {"sha256": SHA, "size": len(FILE), "mimetype": "image/png"}
    assert on_2.documents("tenants/acme/usage")["media"] == {"files": 1, "bytes": len(FILE)}


async def test_sent_file_is_kept_too(on_2: Perene, bucket: BucketEmulator):
    await on_2.pair()
    body = {"to": MARIA, "image": {"base64": base64.b64encode(FILE).decode()}}
    key = {"idempotency-key": "k1"}
    sent = (await on_2.call("POST", "/send-message", headers=key, json=body)).json()
    await on_2.evolution.drain()

    await tick(on_2)

    assert list(bucket.objects) == [f"acme/{SHA}"]
    answer = await on_2.call("GET", await path_of(on_2, sent["message"]["id"]))
    assert answer.content == FILE


async def test_same_file_is_one_object_in_each_tenant(on_2: Perene, bucket: BucketEmulator):
    acme, umbrella = await on_2.pair(), await on_2.pair("umbrella", number="5511999990002")
    await hear_file(on_2, acme)
    second = await hear_file(on_2, acme, JOAO)
    theirs = await hear_file(on_2, umbrella)

    await tick(on_2)
    foreign = await path_of(on_2, theirs, "umbrella")
    answer = await on_2.call("GET", foreign, "acme")

    assert sorted(bucket.objects) == [f"acme/{SHA}", f"umbrella/{SHA}"]
    assert on_2.documents("tenants/acme/media_files")[SHA]["holders"] == 2
    assert on_2.documents("tenants/acme/usage")["media"] == {"files": 1, "bytes": len(FILE)}
    assert answer.status_code == 404
    assert (await on_2.call("GET", await path_of(on_2, second))).content == FILE


async def test_stored_file_is_served_in_parts(on_2: Perene, bucket: BucketEmulator):
    name = await on_2.pair()
    message = await hear_file(on_2, name, kind="document", mimetype="text/html")
    await tick(on_2)
    path = await path_of(on_2, message)
    etag = f'"{SHA}"'

    async def ask(**headers: str) -> tuple[int, bytes, str | None]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await on_2.call("GET", path, headers=named)
        return answer.status_code, answer.content, answer.headers.get("content-range")

    assert await ask(range="bytes=10-19") == (206, FILE[10:20], f"bytes 10-19/{len(FILE)}")
    assert await ask(range="bytes=-5", if_range=etag) == (
        206, FILE[-5:], f"bytes {len(FILE) - 5}-{len(FILE) - 1}/{len(FILE)}"
    )  # fmt: skip
    assert await ask(range="bytes=0-1", if_range='"old"') == (200, FILE, None)
    assert (await ask(range=f"bytes={len(FILE)}-"))[0] == 416
    assert await ask(if_none_match=etag) == (304, b"", None)
    assert await ask(if_none_match=f"W/{etag}") == (304, b"", None)
    whole = await on_2.call("GET", path)
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.headers["x-content-type-options"] == "nosniff"


async def test_link_needs_no_token(on_2: Perene, bucket: BucketEmulator):
    name = await on_2.pair()
    message = await hear_file(on_2, name)
    path = f"{await path_of(on_2, message)}?link=true"

    early = await on_2.call("GET", path)
    await tick(on_2)
    link = (await on_2.call("GET", path)).json()
    async with httpx.AsyncClient(transport=on_2.hosts) as anybody:
        answer = await anybody.get(link["url"])

    assert early.json()["type"].endswith(":media-not-stored")
    assert (answer.status_code, answer.content) == (200, FILE)
    assert answer.headers["content-type"] == "image/png"


async def test_missing_object_is_fetched_from_server(on_2: Perene, bucket: BucketEmulator):
    name = await on_2.pair()
    message = await hear_file(on_2, name)
    await tick(on_2)
    bucket.objects.clear()

    assert (await on_2.call("GET", await path_of(on_2, message))).content == FILE


# What can't be copied ------------------------------------------------------------------------


async def test_expired_file_is_given_up_and_shown(on_2: Perene, bucket: BucketEmulator):
    name = await on_2.pair()
    message = await hear_file(on_2, name)
    on_2.evolution.world.media.clear()
    path = (await path_of(on_2, message)).removesuffix(f"/{message}/media")

    ticks = [await tick(on_2, timedelta(hours=2)) for _ in range(6)]

    assert ticks == [1, 1, 1, 1, 1, 0]
    (shown,) = (await on_2.call("GET", path)).json()["messages"]
    assert shown["media_state"] == "expired"
    assert bucket.objects == {}


async def test_file_that_is_too_large_is_not_kept(on_2: Perene, bucket: BucketEmulator):
    on_2.set(MEDIA_MAX_BYTES=str(len(FILE) - 1))
    message = await hear_file(on_2, await on_2.pair())

    await tick(on_2)

    assert document(on_2, message)["media_lost"] == "too_large"
    assert bucket.objects == {}


async def test_only_history_of_some_days_is_copied(on_2: Perene, bucket: BucketEmulator):
    name, now = await on_2.pair(), int(on_2.clock().timestamp())
    picture = {"imageMessage": {"mimetype": "image/png"}}
    old, new = (
        said(id, jid=MARIA_JID) | {"message": picture, "messageTimestamp": now - days * 24 * 3600}
        for id, days in (("OLD", 31), ("NEW", 29))
    )

    await post(on_2, name, "messages.set", [old, new])

    assert "media_due" in document(on_2, "NEW")
    assert "media_due" not in document(on_2, "OLD")


async def test_bucket_that_fails_costs_no_file(
    on_2: Perene, bucket: BucketEmulator, capsys: pytest.CaptureFixture[str]
):
    message = await hear_file(on_2, await on_2.pair())
    on_2.hosts.transports["bucket.test"] = httpx.MockTransport(lambda _: httpx.Response(503))
    for _ in range(12):
        await tick(on_2, timedelta(hours=1))
    assert capsys.readouterr().out.count("media.bucket_failed") == 12  # an alert counts them
    on_2.hosts.transports["bucket.test"] = httpx.ASGITransport(bucket.app)

    await tick(on_2, timedelta(minutes=10))

    assert document(on_2, message)["media_copy"]["sha256"] == SHA


# What was taken back --------------------------------------------------------------------------


async def test_file_of_revoked_message_is_deleted(on_2: Perene, bucket: BucketEmulator):
    name = await on_2.pair()
    first, second = await hear_file(on_2, name), await hear_file(on_2, name, JOAO)
    await tick(on_2)

    await on_2.evolution.revoke(name, first)
    await on_2.evolution.drain()
    await tick(on_2)
    kept = list(bucket.objects)
    await on_2.evolution.revoke(name, second)
    await on_2.evolution.drain()
    await tick(on_2)

    assert kept == [f"acme/{SHA}"]
    assert bucket.objects == {}
    assert on_2.documents("tenants/acme/media_files") == {}
    assert on_2.documents("tenants/acme/usage")["media"] == {"files": 0, "bytes": 0}
    assert not {"media_copy", "media_due"} & document(on_2, first).keys()


# Before an instance goes -----------------------------------------------------------------------


async def test_release_waits_for_files(on_2: Perene, bucket: BucketEmulator):
    message = await hear_file(on_2, await on_2.pair())
    path = await path_of(on_2, message)

    waiting = await on_2.call("DELETE", "/instances/default")
    still_there = on_2.evolution.exists("instance_acme")
    await tick(on_2)
    again = await on_2.call("DELETE", "/instances/default")

    assert (waiting.status_code, waiting.json()["media_awaited"], still_there) == (202, 1, True)
    assert not on_2.evolution.exists("instance_acme")
    assert again.json()["type"].endswith(":line-unknown")
    assert (await on_2.call("GET", path)).content == FILE


async def test_line_may_go_without_its_files(on_2: Perene, bucket: BucketEmulator):
    message = await hear_file(on_2, await on_2.pair())

    answer = await on_2.call("POST", "/instances/default/disconnect?without_media=true")
    await tick(on_2)

    assert (answer.status_code, answer.json()["state"]) == (200, "closed")
    assert document(on_2, message)["media_tries"] == 1


async def test_sweep_waits_for_files_too(on_2: Perene, bucket: BucketEmulator):
    name = await on_2.pair()
    message = await hear_file(on_2, name)
    await on_2.operate("PUT", "/fleet/tenants/acme", json={"status": "cancelled"})
    counts = dict[str, int]()
    while not counts.get("awaits_media"):
        assert not counts.get("deleted")
        on_2.clock.advance(timedelta(days=40))
        counts = (await on_2.sweep())["counts"]
    was_there = on_2.evolution.exists(name)

    await tick(on_2)
    last = (await on_2.sweep())["counts"]

    assert was_there
    assert last.get("deleted") == 1, last
    assert not on_2.evolution.exists(name)
    assert document(on_2, message)["media_copy"]["sha256"] == SHA


# What it costs, and what it tells --------------------------------------------------------------


async def test_copy_costs_what_the_guide_says(on_2: Perene, bucket: BucketEmulator):
    name = await on_2.pair()
    await hear_file(on_2, name, content=b"first")
    with counting(on_2.store.db.client) as heard:
        message = await hear_file(on_2, name)
    with counting(on_2.store.db.client) as copied:
        await copying.copy_pushed(TenantId("acme"), LineId("default"), message)
    with counting(on_2.store.db.client) as pushed_again:
        await copying.copy_pushed(TenantId("acme"), LineId("default"), message)
    assert await tick(on_2) == 1
    with counting(on_2.store.db.client) as idle:
        assert await tick(on_2) == 0

    assert (heard.reads, heard.writes) == (0, 2)
    assert (copied.reads, copied.writes) == costs.COPIED[:2]
    assert (pushed_again.reads, pushed_again.writes) == (1, 0)
    assert (idle.reads, idle.writes) == costs.MEDIA_TICK[:2]


async def test_copy_is_no_event(on_2: Perene, bucket: BucketEmulator):
    name = await on_2.pair()
    message = await hear_file(on_2, name)

    async def list_events() -> list[tuple[str, str | None]]:
        events = (await on_2.call("GET", "/events")).json()["events"]
        return [(one["type"], one["data"].get("id")) for one in events]

    before = await list_events()
    await copying.copy_pushed(TenantId("acme"), LineId("default"), message)
    after = await list_events()

    assert ("message.received", message) in before
    assert after == before


async def test_new_file_is_pushed(on_2: Perene, bucket: BucketEmulator):
    published = list[dict[str, Any]]()

    def publish(request: httpx.Request) -> httpx.Response:
        published.append({"path": request.url.path, **json.loads(request.content)})
        return httpx.Response(200, json={})

    on_2.hosts.transports["pubsub.test"] = httpx.MockTransport(publish)
    topic = "projects/p/topics/perene-media"
    on_2.set(MEDIA_TOPIC=topic, PUBSUB_EMULATOR_HOST="pubsub.test")
    name = await on_2.pair()
    message = await hear_file(on_2, name)
    await on_2.evolution.receive(name, MARIA, "oi")
    await on_2.evolution.drain()

    (one,) = published
    (pushed,) = one["messages"]
    answer = await on_2.operate("POST", "/store-media/push", json={"message": pushed})
    refused = await on_2.operate("POST", "/store-media/push", json={"message": {"data": "e30="}})

    assert one["path"] == f"/v1/{topic}:publish"
    assert (answer.status_code, refused.status_code) == (204, 422)
    assert document(on_2, message)["media_copy"]["sha256"] == SHA
    assert (await on_2.call("POST", "/store-media")).status_code == 403


async def test_picture_gets_its_missing_thumbnail(on_2: Perene, bucket: BucketEmulator):
    content = BytesIO()
    Image.new("RGB", (64, 48), "red").save(content, "PNG")
    message = await hear_file(on_2, await on_2.pair(), content=content.getvalue())
    on_2.write(f"tenants/acme/messages/default~{message}", media={"thumbnail": None})
    before = document(on_2, message)

    await tick(on_2)

    after = document(on_2, message)
    assert base64.b64decode(after["media"]["thumbnail"]).startswith(b"\xff\xd8")
    assert after["changed"] > before["changed"]


async def test_event_has_no_thumbnail(on_2: Perene):
    message = await hear_file(on_2, await on_2.pair())
    on_2.write(f"tenants/acme/messages/default~{message}", media={"thumbnail": "a small picture"})

    events = (await on_2.call("GET", "/events?types=message.received")).json()["events"]

    (media,) = (event["data"]["media"] for event in events)
    assert media["mimetype"] == document(on_2, message)["media"]["mimetype"]
    assert "thumbnail" not in media


async def test_video_gets_its_missing_thumbnail(on_2: Perene, bucket: BucketEmulator):
    message = await hear_file(on_2, await on_2.pair(), kind="video", content=a_video())
    before = document(on_2, message)

    await tick(on_2)

    after = document(on_2, message)
    assert before["media"]["thumbnail"] is None
    assert base64.b64decode(after["media"]["thumbnail"]).startswith(b"\xff\xd8")
    assert after["changed"] > before["changed"]
    assert "media_due" not in after


async def test_file_is_stored_without_a_thumbnail_that_fails(
    on_2: Perene, bucket: BucketEmulator, monkeypatch: pytest.MonkeyPatch
):
    """Where the disk is full, as where others take too long to have theirs made."""
    name, messages = await on_2.pair(), list[str]()
    with monkeypatch.context() as full:
        full.setattr(thumbnails, "TemporaryFile", Mock(side_effect=OSError))
        messages.append(await hear_file(on_2, name, kind="video"))
        await tick(on_2)
    monkeypatch.setattr(thumbnails, "TURN_SECONDS", 0)
    turns = services.once("thumbnails", partial(asyncio.Semaphore, 1))
    async with turns:
        messages.append(await hear_file(on_2, name, kind="video"))
        await tick(on_2)

    stored = [document(on_2, message) for message in messages]
    assert [one["media_copy"]["sha256"] for one in stored] == [SHA, SHA]
    assert not any("media_due" in one for one in stored)


# How long, and how much ------------------------------------------------------------------------


async def test_old_files_are_deleted_for_who_wants_it(on_2: Perene, bucket: BucketEmulator):
    acme, umbrella = await on_2.pair(), await on_2.pair("umbrella", number="5511999990002")
    old = [await hear_file(on_2, acme), await hear_file(on_2, acme, JOAO)]
    await hear_file(on_2, umbrella)
    await tick(on_2)
    changed = await on_2.operate("PUT", "/fleet/tenants/acme", json={"media_days": 30})
    on_2.clock.advance(timedelta(days=20))
    fresh = await hear_file(on_2, acme, content=b"fresh")
    await tick(on_2)
    before = (await on_2.sweep())["counts"]

    on_2.clock.advance(timedelta(days=11))
    after = (await on_2.sweep())["counts"]

    assert changed.json()["media_days"] == 30
    assert (before.get("files_deleted", 0), after["files_deleted"]) == (0, 1)
    assert sorted(bucket.objects) == [
        f"acme/{hashlib.sha256(b'fresh').hexdigest()}", f"umbrella/{SHA}"
    ]  # fmt: skip
    assert [document(on_2, one)["media_lost"] for one in old] == ["deleted", "deleted"]
    assert "media_lost" not in document(on_2, fresh)
    gone = await on_2.call("GET", await path_of(on_2, old[0]))
    assert gone.json()["type"].endswith(":media-absent")
    listed = (await on_2.operate("GET", "/fleet/tenants")).json()["tenants"]
    assert {one["tenant"]: one["media"] for one in listed} == {
        "acme": {"bytes": 5, "files": 1}, "umbrella": {"bytes": len(FILE), "files": 1}
    }  # fmt: skip
