"""The adapter of Google Cloud Storage, by its JSON interface: the only place that knows it.

Google's own client is synchronous: each transfer would hold a thread, and go past our transport
(decision 0034).
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared import problems, untrusted
from shared.google_account import Account, SignInFailed

ORIGIN: Final = "https://storage.googleapis.com"
PIECE: Final = 512 * 1024
"""Bytes of an upload that are sent, and held, at once; Google takes multiples of 256 KiB."""

INCOMING: Final = ".incoming"
"""How names of unfinished copies end: the bucket itself deletes such an object after a day
(`matches_suffix` of its lifecycle rule). A rule for prefixes couldn't, as names begin with tenants.
"""

FACTS: Final = "name,size,contentType,etag,generation"
ANSWER: Final = untrusted.Bounds(size=4 * 1024 * 1024)
PATIENCE: Final = 30.0
"""Seconds for one call, and for the next bytes of a stream."""

SOCKET: Final = 5.0
"""Seconds to get a connection."""

ATTEMPTS: Final = 3
PAUSE: Final = 0.5
"""Seconds before the second attempt; twice as many before the third."""

TRANSIENT: Final = frozenset((408, 429, 500, 502, 503, 504))
"""Answers after which Google asks to repeat a call."""

RESUME: Final = 308
SESSION_OVER: Final = (404, 410)
OUTSIDE: Final = 416
OTHER_GENERATION: Final = 412
NO_BUCKET: Final = b"bucket does not exist"

UNIT: Final = "bytes"
ALGORITHM: Final = "GOOG4-RSA-SHA256"
CREDENTIAL: Final = "X-Goog-Credential"


class ObjectFacts(BaseModel):
    """What the bucket knows of an object. `generation` is another one each time it is written."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    size: int
    content_type: str = Field("application/octet-stream", alias="contentType")
    etag: str
    generation: int


@dataclass(frozen=True)
class ObjectStream:
    """A part of an object, as it comes; to be closed unless it is read to its end."""

    size: int
    """Bytes of the whole object."""
    content_type: str
    etag: str
    chunks: AsyncIterator[bytes] = field(repr=False)
    """Pieces of at most 64 KiB or so. Raises BucketUnavailable when the connection breaks."""
    aclose: Callable[[], Awaitable[None]] = field(repr=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class StorageCall(NamedTuple):
    """A request that may be repeated. Its URL may be a secret: who has an upload's may write."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    content: bytes | None = None
    stream: bool = False
    signed_in: bool = True


class Bucket:
    """A bucket of objects, each of which is there whole or not at all.

    Every method may be repeated. Each raises BucketUnavailable when Google doesn't answer or is
    overloaded after three attempts, and BucketRefused for what waiting doesn't mend: there is
    no such bucket, or our account may not use it.
    """

    def __init__(
        self,
        name: str,
        http: httpx.AsyncClient,
        account: Account,
        *,
        clock: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        origin: str = ORIGIN,
    ) -> None:
        self.name = name
        self._http, self._account = http, account
        self._clock, self._pause = clock, pause
        self._origin = origin
        self._objects = f"{origin}/storage/v1/b/{name}/o"

    async def write(self, name: str, chunks: AsyncIterator[bytes], *, content_type: str) -> None:
        """Write an object from pieces of any size, or replace it; it appears when it is whole.

        Holds 1 MiB at most beside the piece that it is given. What `chunks` raises is raised, and
        then nothing was written. Storage: 1 write (Class A).
        """
        session = await self._start_upload(name, content_type)
        offset, piece = 0, bytearray()
        async for chunk in chunks:
            at = 0
            while at < len(chunk):
                if len(piece) == PIECE:  # not sooner: the last piece is sent with the size
                    await self._upload(session, offset, bytes(piece))
                    offset += PIECE
                    piece.clear()
                room = PIECE - len(piece)
                piece += memoryview(chunk)[at : at + room]
                at += room
        await self._upload(session, offset, bytes(piece), total=offset + len(piece))

    async def copy(self, source: str, name: str) -> bool:
        """Copy an object inside the bucket, with its type; False if there is no `source`.

        An object that has that name already is replaced, and gets another generation: a delete that
        was decided before spares it. Storage: 1 write (Class A) for each step that Google takes.
        """
        url = f"{self._url(source)}/rewriteTo/b/{self.name}/o/{quote(name, safe='')}"
        token = ""
        while True:
            answer = await self._call(StorageCall("POST", url + token))
            if answer.status_code == 404:
                return False
            fields = self._read(self._require(answer))
            if fields.get("done") is True:
                return True
            if not isinstance(fields.get("rewriteToken"), str):
                raise problems.BucketUnavailable("A copy made no progress.")
            token = f"?rewriteToken={quote(fields['rewriteToken'], safe='')}"

    async def read(self, name: str, first: int = 0, last: int | None = None) -> ObjectStream | None:
        """Open an object from its byte `first` to its byte `last`, both included; None if there is
        none.

        A part that begins behind the end has no bytes. Storage: 1 read (Class B), 2 for that.
        """
        headers = {"accept-encoding": "identity"}
        if first or last is not None:
            headers["range"] = f"{UNIT}={first}-{'' if last is None else last}"
        url = f"{self._url(name)}?alt=media"
        answer = await self._call(StorageCall("GET", url, headers, stream=True))
        if answer.status_code == 404:
            return None
        if answer.status_code == OUTSIDE:
            facts = await self.find(name)
            return _open_nothing(facts) if facts else None
        return _open(self._require(answer))

    async def find(self, name: str) -> ObjectFacts | None:
        """Return what is known of an object, None if there is none. Storage: 1 read (Class B)."""
        answer = await self._call(StorageCall("GET", f"{self._url(name)}?fields={FACTS}"))
        if answer.status_code == 404:
            return None
        return _read_facts(self._read(self._require(answer)))

    async def delete(self, name: str, generation: int | None = None) -> bool:
        """Delete an object, if there is one; with a `generation` (0: none), unless it was written
        since: then False.

        Storage: free of charge.
        """
        condition = "" if generation is None else f"?ifGenerationMatch={generation}"
        answer = await self._call(StorageCall("DELETE", self._url(name) + condition))
        if answer.status_code not in (404, OTHER_GENERATION):
            self._require(answer)
        return answer.status_code != OTHER_GENERATION

    async def sign(
        self, name: str, *, seconds: int, content_type: str, download_name: str | None
    ) -> str:
        """Return a URL that opens the object, without a token, for so long: 7 days at most.

        It is served as `content_type`, and downloaded as `download_name` if that is given. One call
        of IAM; the object isn't looked for.
        """
        overrides = {"response-content-type": content_type}
        if download_name is not None:
            quoted = quote(download_name, safe="", errors="replace")
            overrides["response-content-disposition"] = f"attachment; filename*=UTF-8''{quoted}"
        try:
            address = await self._account.fetch_address()
            query = _build_query(address, self._clock(), seconds) | overrides
            url, text = write_url(self._origin, f"{self.name}/{name}", query)
            signature = await self._account.sign(text.encode())
        except SignInFailed as failure:
            raise problems.BucketUnavailable(f"Google signed nothing ({failure}).") from None
        return f"{url}&X-Goog-Signature={signature.hex()}"

    async def _start_upload(self, name: str, content_type: str) -> str:
        """Return the URL of a new upload. Google forgets one that isn't ended after a week."""
        url = f"{self._origin}/upload/storage/v1/b/{self.name}/o?uploadType=resumable"
        facts = json.dumps({"name": name, "contentType": content_type}).encode()
        headers = {"content-type": "application/json"}
        answer = self._require(await self._call(StorageCall("POST", url, headers, facts)))
        session = answer.headers.get("location", "")
        if not session.startswith(self._origin):
            raise problems.BucketUnavailable("An upload has no address.")
        return str(session)

    async def _upload(
        self, session: str, first: int, piece: bytes, total: int | None = None
    ) -> None:
        """Send a piece that begins at byte `first`, and again what Google didn't keep of it.

        `total`: the object's size, with its last piece; the object is there when this returns.
        """
        offset, end = first, first + len(piece)
        for _ in range(ATTEMPTS):
            headers = {"content-range": _describe_range(offset, end, total)}
            content = piece[offset - first :]
            answer = await self._call(
                StorageCall("PUT", session, headers, content, signed_in=False)
            )
            if answer.status_code in SESSION_OVER:
                break
            if answer.status_code != RESUME:
                self._require(answer)
                return
            offset = _read_offset(answer)
            if offset == end and total is None:
                return
            if not first <= offset <= end:
                break
        raise problems.BucketUnavailable("An upload broke off.")

    async def _call(self, call: StorageCall) -> httpx.Response:
        """Make a call until it isn't answered with a transient failure, three times at most.

        A piece of an upload that is sent twice is harmless: Google ignores bytes that it has.
        """
        why = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await self._pause(PAUSE * 2 ** (attempt - 1))
            try:
                answer = await self._attempt(call)
            except (httpx.TransportError, TimeoutError, SignInFailed) as failure:
                why = type(failure).__name__
                continue
            if answer.status_code not in TRANSIENT:
                return answer
            await answer.aclose()
            why = f"status {answer.status_code}"
        raise problems.BucketUnavailable(f"Three attempts failed, the last by {why}.")

    async def _attempt(self, call: StorageCall) -> httpx.Response:
        headers = dict(call.headers)
        async with asyncio.timeout(PATIENCE):
            if call.signed_in:
                headers["authorization"] = f"Bearer {await self._account.fetch_token()}"
            timeouts = httpx.Timeout(PATIENCE, connect=SOCKET, pool=PATIENCE)
            if call.content is not None:
                headers["content-length"] = str(len(call.content))
            # As a stream: httpx's answer and its request refer to each other, and would keep the
            # bytes of every piece until the garbage is collected.
            content = None if call.content is None else _send(call.content)
            request = self._http.build_request(
                call.method, call.url, headers=headers, content=content, timeout=timeouts
            )
            answer = await self._http.send(request, stream=True, follow_redirects=False)
            if not (call.stream and answer.is_success):
                await answer.aread()
        if answer.status_code == 404 and NO_BUCKET in answer.content:
            raise problems.BucketRefused("There is no such bucket.")
        return answer

    def _url(self, name: str) -> str:
        return f"{self._objects}/{quote(name, safe='')}"

    def _require(self, answer: httpx.Response) -> httpx.Response:
        """Return a success. Raises BucketRefused: what is transient was repeated already."""
        if not answer.is_success:
            raise problems.BucketRefused(f"It answered {answer.status_code}.")
        return answer

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            fields = untrusted.read(answer.content, ANSWER)
        except ValueError:
            raise problems.BucketUnavailable("It answered with no JSON.") from None
        return fields if isinstance(fields, dict) else {}


def write_url(origin: str, path: str, query: Mapping[str, str]) -> tuple[str, str]:
    """Return a URL that lacks its signature, and the text to sign, as Google's V4 process says."""
    quoted = f"/{quote(path, safe='/')}"
    pairs = sorted((quote(key, safe=""), quote(value, safe="")) for key, value in query.items())
    parameters = "&".join(f"{key}={value}" for key, value in pairs)
    host = httpx.URL(origin).netloc.decode()
    request = f"GET\n{quoted}\n{parameters}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    scope = query[CREDENTIAL].partition("/")[2]
    text = "\n".join((ALGORITHM, query["X-Goog-Date"], scope, digest))
    return f"{origin}{quoted}?{parameters}", text


def _build_query(address: str, now: datetime, seconds: int) -> dict[str, str]:
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    return {
        "X-Goog-Algorithm": ALGORITHM,
        CREDENTIAL: f"{address}/{stamp[:8]}/auto/storage/goog4_request",
        "X-Goog-Date": stamp,
        "X-Goog-Expires": str(seconds),
        "X-Goog-SignedHeaders": "host",
    }


async def _send(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _describe_range(first: int, end: int, total: int | None) -> str:
    """Write which bytes of the object a request carries; without any it asks what was kept."""
    size = "*" if total is None else str(total)
    return f"{UNIT} {first}-{end - 1}/{size}" if first < end else f"{UNIT} */{size}"


def _read_offset(answer: httpx.Response) -> int:
    """Return how many bytes of an upload Google has: `Range: bytes=0-524287`, absent for 0."""
    last = answer.headers.get("range", "").rpartition("-")[2]
    return int(last) + 1 if last.isdecimal() else 0


def _read_facts(fields: Any) -> ObjectFacts:
    try:
        return ObjectFacts.model_validate(fields)
    except ValidationError:
        raise problems.BucketUnavailable("It described an object in an unknown way.") from None


def _open(answer: httpx.Response) -> ObjectStream:
    """Return the stream of an answer: 200 with the whole object, or 206 with a part of it."""
    ranged = answer.headers.get("content-range", "").rpartition("/")[2]
    size = ranged or answer.headers.get("content-length", "")
    return ObjectStream(
        size=int(size) if size.isdecimal() else 0,
        content_type=answer.headers.get("content-type", "application/octet-stream"),
        etag=answer.headers.get("etag", ""),
        chunks=_stream(answer),
        aclose=answer.aclose,
    )


async def _stream(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    except httpx.TransportError as failure:
        raise problems.BucketUnavailable(f"A stream broke ({type(failure).__name__}).") from None


def _open_nothing(facts: ObjectFacts) -> ObjectStream:
    async def stream() -> AsyncIterator[bytes]:
        return
        yield

    async def close() -> None:
        """Close nothing."""

    return ObjectStream(facts.size, facts.content_type, facts.etag, stream(), close)
