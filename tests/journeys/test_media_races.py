"""Media stay when copies, deletions and departures meet, and when there are more than a page."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.bucket_emulator import BucketEmulator
from shared import services, web
from shared.domain.instances import epoch_ms
from shared.domain.names import LineId, LineKey, TenantId
from shared.media import copying, waiting
from tests.journeys.test_media_copies import FILE, JOAO, SHA, document, hear_file, path_of, tick
from tests.perene import Perene

TENANT, LINE = TenantId("acme"), LineId("default")


@pytest.fixture
def bucket(on_2: Perene, tmp_path: Path) -> BucketEmulator:
    """The deployment's bucket."""
    return on_2.give_bucket(tmp_path)


@pytest.fixture
async def name(on_2: Perene, bucket: BucketEmulator) -> str:
    """The instance of an open line, with a bucket."""
    return await on_2.pair()


async def take_back(perene: Perene, name: str, message: str) -> None:
    await perene.evolution.revoke(name, message)
    await perene.evolution.drain()


async def test_departure_awaits_more_files_than_a_page(
    on_2: Perene, name: str, monkeypatch: pytest.MonkeyPatch
):
    """Files under way go to the end of the list, so a page of the others says nothing of them."""
    for serial in range(8):
        await hear_file(on_2, name, content=FILE + bytes([serial]))
    store, claimed = services.store().media_copies, list[Any]()

    async def pause(seconds: float) -> None:
        if not claimed:
            for task in await store.list_due_of_line(TENANT, LINE, 3):
                now = epoch_ms(services.now())
                claimed.append(await store.claim(TENANT, LINE, task.message.id, now))

    monkeypatch.setattr(waiting, "MOST_FILES", 3)
    monkeypatch.setattr(services, "pause", pause)
    left = await waiting.await_copies(LineKey(TENANT, LINE))

    assert all(claimed)
    assert left > 0


async def test_delete_spares_file_that_another_takes(
    on_2: Perene, name: str, bucket: BucketEmulator
):
    first = await hear_file(on_2, name)
    await tick(on_2)
    second = await hear_file(on_2, name, JOAO)
    await take_back(on_2, name, first)

    async def take() -> None:
        await copying.copy_pushed(TENANT, LINE, second)

    on_2.hosts.before[f"/storage/v1/b/{bucket.bucket}/o/acme/{SHA}"] = take
    await copying.copy_pushed(TENANT, LINE, first)

    assert document(on_2, second)["media_copy"]["sha256"] == SHA
    assert list(bucket.objects) == [f"acme/{SHA}"]


class CopyBehindRevocation(httpx.AsyncBaseTransport):
    """A bucket whose first copy ends only after its message was taken back and its file deleted."""

    def __init__(self, perene: Perene, name: str, message: str, bucket: BucketEmulator) -> None:
        self._perene, self._name, self._message = perene, name, message
        self._bucket, self._inner = bucket, httpx.ASGITransport(bucket.app)
        self.has_copied = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "/rewriteTo/" not in request.url.path or self.has_copied:
            return await self._inner.handle_async_request(request)
        self.has_copied = True
        (facts,) = self._bucket.objects.values()
        content = self._bucket._content(facts).read_bytes()
        await take_back(self._perene, self._name, self._message)
        await copying.copy_due()
        assert not self._bucket.objects
        draft = self._bucket._drafts / "late"
        draft.write_bytes(content)
        self._bucket._store(f"acme/{SHA}", "", draft)
        return httpx.Response(200, json={"done": True})


async def test_file_taken_back_while_copied_is_deleted(
    on_2: Perene, name: str, bucket: BucketEmulator
):
    message = await hear_file(on_2, name)
    late = on_2.hosts.transports["bucket.test"] = CopyBehindRevocation(on_2, name, message, bucket)

    await copying.copy_pushed(TENANT, LINE, message)

    assert late.has_copied
    assert "media_copy" not in document(on_2, message)
    assert not bucket.objects


async def test_no_history_still_keeps_what_comes(on_2: Perene, name: str):
    on_2.set(MEDIA_HISTORY_DAYS="0")

    message = await hear_file(on_2, name)

    assert "media_due" in document(on_2, message)


async def test_unreadable_messages_hold_up_no_others(
    on_2: Perene, name: str, monkeypatch: pytest.MonkeyPatch
):
    messages = [await hear_file(on_2, name, content=FILE + bytes([n])) for n in range(4)]
    for message in messages[:2]:
        broken = on_2.database.document(f"tenants/acme/messages/default~{message}")
        broken.update({"at": "nonsense"})
    monkeypatch.setattr(copying, "PAGE", 2)

    await tick(on_2)

    assert "media_due" not in document(on_2, messages[3])


async def test_long_file_comes_in_chunks(on_2: Perene, name: str, monkeypatch: pytest.MonkeyPatch):
    """The platform lets no answer through that says it is longer than 32 MiB."""
    message = await hear_file(on_2, name)
    await tick(on_2)
    path = await path_of(on_2, message)

    monkeypatch.setattr(web, "LENGTH_LIMIT", len(FILE) - 1)
    whole = await on_2.call("GET", path)
    part = await on_2.call("GET", path, headers={"range": "bytes=2-4"})

    assert "content-length" not in whole.headers
    assert whole.content == FILE
    assert (part.status_code, part.content, part.headers["content-length"]) == (206, FILE[2:5], "3")
