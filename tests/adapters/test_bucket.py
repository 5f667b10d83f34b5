"""The bucket: what is written is read, whole or not at all, and Google's failures are problems."""

import random
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from infra.local.bucket_emulator import BUCKET, BucketEmulator
from shared import bucket, google_account, problems
from shared.bucket import ALGORITHM, CREDENTIAL, PIECE, Bucket
from shared.google_account import EmulatorAccount, FunctionAccount, SignInFailed
from tests.builders import NOON
from tests.cases import in_each

ORIGIN = "https://bucket.test"
SESSION = f"{ORIGIN}/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable&upload_id=u"
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE]
FACTS = {
    "name": "acme/a",
    "size": "3",
    "etag": "CJ==",
    "generation": "7",
    "timeCreated": "2026-11-26T12:00:00.000Z",
    "somethingNew": 1,
}
PROOF = "test-iam-credentials@dummy-project-id.iam.gserviceaccount.com"

Answer = Callable[[httpx.Request], httpx.Response]


async def no_pause(seconds: float) -> None:
    """Take no time."""


def a_bucket(transport: httpx.AsyncBaseTransport) -> Bucket:
    """The bucket behind a transport."""
    http = httpx.AsyncClient(transport=transport)
    clock = lambda: datetime.now(UTC)  # noqa: E731 - the emulator looks at the real time
    return Bucket(BUCKET, http, EmulatorAccount(), clock=clock, pause=no_pause, origin=ORIGIN)


class Script(httpx.AsyncBaseTransport):
    """Google, which answers with these, in their order, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def emulator(tmp_path: Path) -> BucketEmulator:
    """An emulator of the bucket."""
    return BucketEmulator(tmp_path)


@pytest.fixture
def files(emulator: BucketEmulator) -> Bucket:
    """The emulated bucket."""
    return a_bucket(httpx.ASGITransport(emulator.app))


async def stream(content: bytes, step: int = 70_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), step):
        yield content[start : start + step]


async def read(files: Bucket, name: str, first: int = 0, last: int | None = None) -> bytes:
    part = await files.read(name, first, last)
    assert part
    return b"".join([chunk async for chunk in part.chunks])


# What is written is read ---------------------------------------------------------------------


async def test_object_is_read_byte_for_byte(files: Bucket):
    for size in SIZES:
        content = random.Random(size).randbytes(size)

        for step in (70_000, max(1, size)):
            await files.write("acme/ü %2F", stream(content, step), content_type="image/png")

            part = await files.read("acme/ü %2F")
            assert part
            assert b"".join([chunk async for chunk in part.chunks]) == content
            assert (part.size, part.content_type) == (size, "image/png")


async def test_long_object_is_never_in_memory(files: Bucket):
    await files.write("acme/a", stream(bytes(PIECE)), content_type="video/mp4")
    tracemalloc.start()

    await files.write("acme/a", repeat(bytes(PIECE), 24), content_type="video/mp4")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 6 * PIECE


async def repeat(piece: bytes, times: int) -> AsyncIterator[bytes]:
    for _ in range(times):
        yield piece


async def test_part_of_object_is_read(files: Bucket):
    await files.write("acme/a", stream(b"0123456789"), content_type="audio/ogg")

    assert await read(files, "acme/a", 2, 4) == b"234"
    assert await read(files, "acme/a", 7) == b"789"
    assert await read(files, "acme/a", 0, 99) == b"0123456789"
    assert await read(files, "acme/a", 10) == b""
    async with await files.read("acme/a", 3, 3) as part:  # type: ignore[union-attr]  # it is there
        assert part.size == 10


async def test_absent_object_is_none(files: Bucket):
    await files.delete("acme/a")

    assert await files.read("acme/a") is None
    assert await files.read("acme/a", 5) is None
    assert await files.find("acme/a") is None
    assert await files.copy("acme/a", "acme/b") is False


async def test_broken_write_leaves_nothing(files: Bucket, emulator: BucketEmulator):
    async def break_off() -> AsyncIterator[bytes]:
        yield bytes(2 * PIECE)
        raise problems.EvolutionTimedOut

    with pytest.raises(problems.EvolutionTimedOut):
        await files.write("acme/a", break_off(), content_type="video/mp4")

    assert emulator.objects == {}


async def test_copy_spares_object_from_older_delete(files: Bucket):
    await files.write("acme/incoming/a", stream(b"abc"), content_type="image/png")
    assert await files.copy("acme/incoming/a", "acme/hash")
    before = await files.find("acme/hash")
    assert before

    assert await files.copy("acme/incoming/a", "acme/hash")
    await files.delete("acme/hash", before.generation)
    after = await files.find("acme/hash")
    assert after
    assert (after.size, after.content_type) == (3, "image/png")

    await files.delete("acme/hash", after.generation)
    assert await files.find("acme/hash") is None


async def test_objects_outlive_the_emulator(files: Bucket, tmp_path: Path):
    await files.write("acme/a", stream(b"abc"), content_type="image/png")

    again = a_bucket(httpx.ASGITransport(BucketEmulator(tmp_path).app))

    assert await read(again, "acme/a") == b"abc"


async def test_signed_url_opens_without_token(files: Bucket, emulator: BucketEmulator):
    await files.write("acme/a", stream(b"abc"), content_type="text/html")

    url = await files.sign(
        "acme/a", seconds=900, content_type="image/png", download_name="São João.png"
    )

    async with httpx.AsyncClient(transport=httpx.ASGITransport(emulator.app)) as browser:
        answer = await browser.get(url)
        late = await browser.get(url.replace("X-Goog-Expires=900", "X-Goog-Expires=-1"))
    assert (answer.status_code, answer.content, late.status_code) == (200, b"abc", 400)
    assert answer.headers["content-type"] == "image/png"
    disposition = "attachment; filename*=UTF-8''S%C3%A3o%20Jo%C3%A3o.png"
    assert answer.headers["content-disposition"] == disposition


# Google's own vectors (googleapis/conformance-tests, storage/v1/v4_signatures.json) -----------


@in_each(
    ("path", "more", "digest"),
    [
        ("test-bucket/test-object", {}, "00e2fb794ea93d7adb703edaebdd5098"),
        (
            "test-bucket//path/with/slashes/under_score/amper&sand/file.ext",
            {},
            "63c601ecd6ccfec84f1113fc906609cb",
        ),
        (
            "test-bucket/test-object",
            {"aA0é/=%-_.~": "~ ._-%=/é0Aa"},
            "448f96c23dafa8210900554e138b2b5f",
        ),
        (
            "test-bucket/test-object",
            {"prefix": "/foo", "X-Goog-Meta-Foo": "bar"},
            "4dafe74ad142f32b7c25fc4e6b38fd3b",
        ),
    ],
)
def test_text_to_sign_is_googles(path: str, more: dict[str, str], digest: str):
    query = {
        "X-Goog-Algorithm": ALGORITHM,
        CREDENTIAL: f"{PROOF}/20190201/auto/storage/goog4_request",
        "X-Goog-Date": "20190201T090000Z",
        "X-Goog-Expires": "10",
        "X-Goog-SignedHeaders": "host",
    }

    _, text = bucket.write_url(bucket.ORIGIN, path, query | more)

    lines = [ALGORITHM, "20190201T090000Z", "20190201/auto/storage/goog4_request"]
    assert text.splitlines()[:3] == lines
    assert text.splitlines()[3].startswith(digest)


# What Google answers -------------------------------------------------------------------------


async def test_upload_sends_again_what_google_dropped():
    half = PIECE // 2
    google = Script(
        httpx.Response(200, headers={"location": SESSION}),
        httpx.Response(308, headers={"range": f"bytes=0-{half - 1}"}),
        httpx.Response(503),
        httpx.Response(308, headers={"range": f"bytes=0-{PIECE - 1}"}),
        httpx.ReadTimeout("slow"),
        httpx.Response(200, json=FACTS),
    )

    await a_bucket(google).write("acme/a", stream(bytes(PIECE + 1)), content_type="image/png")

    start, *pieces = google.requests
    assert start.url.query == b"uploadType=resumable"
    assert [piece.headers["content-range"] for piece in pieces] == [
        f"bytes 0-{PIECE - 1}/*",
        f"bytes {half}-{PIECE - 1}/*",
        f"bytes {half}-{PIECE - 1}/*",
        f"bytes {PIECE}-{PIECE}/{PIECE + 1}",
        f"bytes {PIECE}-{PIECE}/{PIECE + 1}",
    ]
    assert [len(piece.content) for piece in pieces] == [PIECE, half, half, 1, 1]
    assert "authorization" not in pieces[0].headers


@in_each(
    "answer",
    [
        httpx.Response(410),
        httpx.Response(308),
        httpx.Response(308, headers={"range": f"bytes=0-{9 * PIECE}"}),
    ],
)
async def test_upload_that_google_forgot_is_unavailable(answer: httpx.Response):
    google = Script(
        httpx.Response(200, headers={"location": SESSION}),
        httpx.Response(308, headers={"range": f"bytes=0-{PIECE - 1}"}),
        answer,
    )

    with pytest.raises(problems.BucketUnavailable):
        await a_bucket(google).write("a", stream(bytes(PIECE + 1)), content_type="image/png")


async def test_copy_goes_on_until_done():
    google = Script(
        httpx.Response(200, json={"done": False, "rewriteToken": "t/1"}),
        httpx.Response(200, json={"done": True, "resource": FACTS}),
    )

    assert await a_bucket(google).copy("acme/a", "acme/b")

    paths = [request.url.raw_path.decode() for request in google.requests]
    path = f"/storage/v1/b/{BUCKET}/o/acme%2Fa/rewriteTo/b/{BUCKET}/o/acme%2Fb"
    assert paths == [path, f"{path}?rewriteToken=t%2F1"]


@in_each("failure", [httpx.Response(503), httpx.Response(429), httpx.ConnectError("no")])
async def test_three_attempts_are_made(failure: httpx.Response | Exception):
    google = Script(failure, failure, httpx.Response(200, json=FACTS))
    assert await a_bucket(google).find("acme/a")

    google = Script(failure, failure, failure)
    with pytest.raises(problems.BucketUnavailable):
        await a_bucket(google).find("acme/a")


async def test_what_waiting_does_not_mend_is_refused():
    answers = [
        httpx.Response(403, json={"error": {"code": 403}}),
        httpx.Response(401),
        httpx.Response(404, json={"error": {"message": "The specified bucket does not exist."}}),
        httpx.Response(302, headers={"location": "https://elsewhere.test"}),
    ]
    for answer in answers:
        for ask in ("find", "read", "delete"):
            with pytest.raises(problems.BucketRefused):
                await getattr(a_bucket(Script(answer)), ask)("acme/a")


@in_each("answer", [httpx.Response(200, content=b"<html>"), httpx.Response(200, json={"name": 1})])
async def test_senseless_answer_is_unavailable(answer: httpx.Response):
    with pytest.raises(problems.BucketUnavailable):
        await a_bucket(Script(answer)).find("acme/a")


async def test_broken_stream_is_a_problem():
    async def break_off() -> AsyncIterator[bytes]:
        yield b"ab"
        raise httpx.ReadError("gone")

    answer = httpx.Response(200, headers={"content-length": "3"}, content=break_off())
    part = await a_bucket(Script(answer)).read("acme/a")
    assert part

    with pytest.raises(problems.BucketUnavailable):
        [chunk async for chunk in part.chunks]


# The account ---------------------------------------------------------------------------------


async def test_function_signs_as_its_account(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(google_account, "_tokens", {})
    google = Script(
        httpx.Response(200, text="perene@p.iam.gserviceaccount.com\n"),
        httpx.Response(200, json={"access_token": "t", "expires_in": 3599}),
        httpx.Response(200, json={"keyId": "k", "signedBlob": "AAH/"}),
    )
    account = FunctionAccount(httpx.AsyncClient(transport=google))

    assert await account.sign(b"abc") == b"\x00\x01\xff"
    assert await account.fetch_token() == "t"

    assert google.requests[-1].headers["authorization"] == "Bearer t"
    assert google.requests[-1].url.path.endswith("/perene@p.iam.gserviceaccount.com:signBlob")


async def test_account_without_rights_signs_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(google_account, "_tokens", {})
    token = httpx.Response(200, json={"access_token": "t"})
    script = Script(httpx.Response(200, text="a@p"), token, httpx.Response(403))
    http = httpx.AsyncClient(transport=script)
    files = Bucket("b", http, FunctionAccount(http), clock=lambda: NOON)

    with pytest.raises(problems.BucketUnavailable):
        await files.sign("a", seconds=60, content_type="image/png", download_name=None)
    http = httpx.AsyncClient(transport=Script(httpx.Response(404)))
    with pytest.raises(SignInFailed):
        await google_account.fetch_token(http)
