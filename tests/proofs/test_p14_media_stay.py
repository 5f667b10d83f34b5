"""P14: media stay, whatever stops the copying, and however many files come at once."""

import asyncio
import base64
import hashlib
import itertools
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.bucket_emulator import BucketEmulator
from shared.bucket import PIECE
from shared.domain.names import LineId, TenantId
from shared.media import copying
from tests.perene import Perene
from tests.proofs.stage import times

TENANT, LINE = TenantId("acme"), LineId("default")
MARIA = "5511988887777"
MIB = 2**20
OVER_A_LEASE = timedelta(minutes=11)


class Killed(BaseException):
    """The process ended here."""


@contextmanager
def killed_before(perene: Perene, step: int) -> Iterator[list[str]]:
    """End the process before its n-th call to a neighbour; the list has the calls before."""
    calls = list[str]()

    def counted(name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def count(*given: Any, **more: Any) -> Any:
            if len(calls) == step:
                raise Killed(name)
            calls.append(name)
            return await call(*given, **more)

        return count

    hosts, db = perene.hosts, perene.store.db
    places = (hosts, "handle_async_request"), (db, "commit"), (db, "read")
    for owner, name in places:
        vars(owner)[name] = counted(name, getattr(owner, name))
    try:
        with suppress(Killed):
            yield calls
    finally:
        for owner, name in places:
            del vars(owner)[name]


@pytest.fixture
async def line(on_2: Perene, tmp_path: Path) -> Perene:
    """A deployment with a bucket and an open line."""
    on_2.give_bucket(tmp_path)
    await on_2.pair()
    return on_2


def bucket_of(perene: Perene) -> BucketEmulator:
    transport: Any = perene.hosts.transports["bucket.test"]
    bucket: BucketEmulator = transport.app.__self__
    return bucket


def objects_of(perene: Perene) -> dict[str, bytes]:
    """Return all that the bucket has."""
    bucket = bucket_of(perene)
    return {name: bucket._content(facts).read_bytes() for name, facts in bucket.objects.items()}


def make_file(serial: int, size: int = PIECE + 1_000) -> bytes:
    """Make a file that is like no other, in more than one piece of an upload."""
    return hashlib.sha256(str(serial).encode()).digest() * (size // 32)


async def hear(perene: Perene, content: bytes) -> str:
    encoded = base64.b64encode(content).decode()
    message: str = await perene.evolution.receive_media("instance_acme", MARIA, "image", encoded)
    await perene.evolution.drain()
    return message


async def settle(perene: Perene) -> None:
    """Let leases and pauses pass, and copy or delete what is due then."""
    perene.clock.advance(OVER_A_LEASE)
    await copying.copy_due()


def name_object(content: bytes) -> str:
    return f"acme/{hashlib.sha256(content).hexdigest()}"


async def test_copy_that_was_killed_anywhere_is_ended(line: Perene):
    files = dict[str, bytes]()

    for step in itertools.count():
        content = make_file(step)
        files[name_object(content)] = content
        message = await hear(line, content)
        with killed_before(line, step) as calls:
            await copying.copy_pushed(TENANT, LINE, message)
        is_over = len(calls) < step
        assert {*objects_of(line).values()} <= {*files.values()}
        await settle(line)

        assert objects_of(line) == files
        usage = line.documents("tenants/acme/usage")["media"]
        assert usage == {"files": len(files), "bytes": sum(map(len, files.values()))}
        if is_over:
            break
    assert step > 12
    documents = line.documents("tenants/acme/messages").values()
    assert [document for document in documents if "media_due" in document] == []


async def test_deletion_that_was_killed_anywhere_is_ended(line: Perene):
    messages = [await hear(line, make_file(serial, 64)) for serial in range(times(10, 20))]
    await settle(line)

    for step, message in enumerate(messages):
        await line.evolution.revoke("instance_acme", message)
        await line.evolution.drain()
        with killed_before(line, step):
            await copying.copy_pushed(TENANT, LINE, message)
        await settle(line)

        assert name_object(make_file(step, 64)) not in bucket_of(line).objects
    assert bucket_of(line).objects == {}
    assert line.documents("tenants/acme/usage")["media"] == {"files": 0, "bytes": 0}


async def test_one_file_in_many_messages_is_one_object(line: Perene):
    """Every message holds it, and it goes with the last one, whatever happens at once."""
    content = make_file(1, 64)
    messages = [await hear(line, content) for _ in range(6)]

    await asyncio.gather(*(copying.copy_pushed(TENANT, LINE, one) for one in messages))
    await settle(line)
    for message in messages[1:]:
        await line.evolution.revoke("instance_acme", message)
    await line.evolution.drain()
    late = await hear(line, content)
    await asyncio.gather(*(copying.copy_pushed(TENANT, LINE, one) for one in [*messages, late]))
    await settle(line)

    assert objects_of(line) == {name_object(content): content}
    (file,) = line.documents("tenants/acme/media_files").values()
    assert (file["holders"], file["size"]) == (2, len(content))
    for message in (messages[0], late):
        await line.evolution.revoke("instance_acme", message)
    await line.evolution.drain()
    await settle(line)
    assert objects_of(line) == {}


async def test_many_files_at_once_take_turns(line: Perene, monkeypatch: pytest.MonkeyPatch):
    messages = [await hear(line, make_file(serial, 96)) for serial in range(times(16, 200))]
    running, most = 0, 0

    async def count(*given: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            await attempt(*given)
        finally:
            running -= 1

    attempt = copying._attempt
    monkeypatch.setattr(copying, "_attempt", count)
    await asyncio.gather(*(copying.copy_pushed(TENANT, LINE, message) for message in messages))

    assert len(bucket_of(line).objects) == len(messages)
    assert 1 < most <= copying.AT_ONCE


async def test_large_file_is_never_in_memory(line: Perene):
    size = times(16, 64) * MIB
    message = await hear(line, b"tiny")
    block = bytes(range(256)) * 768  # its base64 has no padding
    line.hosts.transports["main.test"] = httpx.MockTransport(
        lambda _: httpx.Response(201, content=answer_in_pieces(block, size // len(block)))
    )

    tracemalloc.start()
    await copying.copy_pushed(TENANT, LINE, message)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    ((_, facts),) = bucket_of(line).objects.items()
    assert int(facts["size"]) == size // len(block) * len(block)
    assert bucket_of(line)._content(facts).read_bytes()[: len(block)] == block
    assert peak < 8 * MIB


async def answer_in_pieces(block: bytes, count: int) -> AsyncIterator[bytes]:
    """Yield an answer of Evolution with a file of so many blocks."""
    yield json.dumps({"fileName": "a.mp4", "mimetype": "video/mp4"})[:-1].encode()
    yield b', "base64":"'
    for _ in range(count):
        yield base64.b64encode(block)
    yield b'","buffer":null}'
