"""Stand in for Google Cloud Storage: the part of its JSON interface that we use, on a folder.

PyPI's `gcp-storage-emulator` holds whole objects in memory, once more for each piece of an upload,
and knows neither conditions nor signed URLs.
"""

import argparse
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from infra.local.children import IDLE_SECONDS, LOOPBACK

BUCKET: Final = "perene-local-media"
UNIT: Final = 256 * 1024
"""Bytes of which each piece of an upload, but the last, holds a multiple."""

CONFIGURATION: Final = {
    "iamConfiguration": {
        "publicAccessPrevention": "enforced",
        "uniformBucketLevelAccess": {"enabled": True},
    },
    "lifecycle": {
        "rule": [
            {
                "action": {"type": "Delete"},
                "condition": {"age": 1, "matchesSuffix": [".incoming"]},
            }
        ]
    },
}
"""What infra/terraform/media.tf makes of a bucket, as Google tells it."""

CHUNK: Final = 64 * 1024


@dataclass
class Upload:
    """An upload under way: what it will be, and the file that holds what came of it."""

    name: str
    content_type: str
    file: Path
    finished: dict[str, Any] | None = None


class BucketEmulator:
    """One bucket; `app` answers as Google does. Objects survive in the folder, uploads don't."""

    def __init__(self, folder: Path, bucket: str = BUCKET) -> None:
        self.bucket = bucket
        self._facts, self._contents = folder / "facts", folder / "contents"
        self._drafts = folder / "drafts"
        shutil.rmtree(self._drafts, ignore_errors=True)
        for part in (self._facts, self._contents, self._drafts):
            part.mkdir(parents=True, exist_ok=True)
        stored = (json.loads(path.read_text()) for path in self._facts.glob("*.json"))
        self.objects: dict[str, dict[str, Any]] = {facts["name"]: facts for facts in stored}
        self.configuration: dict[str, Any] = {"name": bucket, **CONFIGURATION}
        self._uploads: dict[str, Upload] = {}

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        raw = scope.get("raw_path") or scope["path"].encode()
        segments = [unquote(part) for part in raw.decode().split("?")[0].strip("/").split("/")]
        response = await self._answer(request, segments)
        await response(scope, receive, send)

    async def _answer(self, request: Request, segments: list[str]) -> Response:
        match segments:
            case [self.bucket, *parts] if parts:
                return self._serve_signed(request, "/".join(parts))
            case ["upload", "storage", "v1", "b", self.bucket, "o"]:
                return await self._upload(request)
            case ["storage", "v1", "b", self.bucket]:
                return JSONResponse(self.configuration)
            case ["storage", "v1", "b", self.bucket, "o", *path]:
                return self._answer_for_object(request, path)
            case _:
                return _refuse(404, "The specified bucket does not exist.")

    def _answer_for_object(self, request: Request, path: list[str]) -> Response:
        match request.method, path:
            case "GET", [name]:
                return self._get(request, name)
            case "DELETE", [name]:
                return self._delete(request, name)
            case "POST", [source, "rewriteTo", "b", _, "o", name]:
                return self._rewrite(source, name)
            case _:
                return _refuse(404, "Not Found")

    async def _upload(self, request: Request) -> Response:
        if request.method == "POST":
            return await self._start_upload(request)
        return await self._continue_upload(request)

    async def _start_upload(self, request: Request) -> Response:
        fields = json.loads(await request.body() or b"{}")
        name = fields.get("name") or request.query_params.get("name")
        if not name or request.query_params.get("uploadType") != "resumable":
            return _refuse(400, "Required")
        key = secrets.token_urlsafe(16)
        file = self._drafts / key
        file.touch()
        self._uploads[key] = Upload(name, fields.get("contentType", ""), file)
        url = f"{request.url.replace(query='')}?uploadType=resumable&upload_id={key}"
        return Response(status_code=200, headers={"location": url})

    async def _continue_upload(self, request: Request) -> Response:
        upload = self._uploads.get(request.query_params.get("upload_id", ""))
        if upload is None:
            return _refuse(404, "Not Found")
        if upload.finished:
            return JSONResponse(upload.finished)
        span, _, size = (
            request.headers.get("content-range", "").removeprefix("bytes ").rpartition("/")
        )
        total = None if size == "*" else int(size)
        if span != "*":
            await self._append(upload, request.stream(), int(span.partition("-")[0]), total)
        offset = upload.file.stat().st_size
        if offset == total:
            upload.finished = self._store(upload.name, upload.content_type, upload.file)
            return JSONResponse(upload.finished)
        return Response(
            status_code=308, headers={"range": f"bytes=0-{offset - 1}"} if offset else {}
        )

    async def _append(
        self, upload: Upload, chunks: AsyncIterator[bytes], first: int, total: int | None
    ) -> None:
        """Keep what is new of a piece, in whole units unless the object ends with it."""
        with upload.file.open("r+b") as file:
            offset = file.seek(0, os.SEEK_END)
            skip = offset - first
            if skip < 0:
                return
            try:
                async for chunk in chunks:
                    file.write(chunk[skip:])
                    skip = max(0, skip - len(chunk))
            except ClientDisconnect:
                pass
            if file.tell() != total:
                file.truncate(file.tell() // UNIT * UNIT)

    def _store(self, name: str, content_type: str, content: Path) -> dict[str, Any]:
        """Give a file its name as an object: from here on it is there, whole."""
        now = datetime.now(UTC)
        previous = self.objects.get(name)
        generation = max(int(now.timestamp() * 1e6), int((previous or {}).get("generation", 0)) + 1)
        key = hashlib.sha256(name.encode()).hexdigest()
        facts = {
            "kind": "storage#object",
            "name": name,
            "bucket": self.bucket,
            "size": str(content.stat().st_size),
            "contentType": content_type,
            "generation": str(generation),
            "etag": f"C{generation}=",
            "timeCreated": now.isoformat(),
        }
        content.replace(self._contents / f"{key}.{generation}")
        draft = self._drafts / f"{key}.json"
        draft.write_text(json.dumps(facts))
        draft.replace(self._facts / f"{key}.json")
        self.objects[name] = facts
        if previous:
            self._content(previous).unlink(missing_ok=True)
        return facts

    def _rewrite(self, source: str, name: str) -> Response:
        facts = self.objects.get(source)
        if facts is None:
            return _refuse(404, f"No such object: {self.bucket}/{source}")
        draft = self._drafts / secrets.token_urlsafe(16)
        shutil.copyfile(self._content(facts), draft)
        copied = self._store(name, facts["contentType"], draft)
        return JSONResponse({"kind": "storage#rewriteResponse", "done": True, "resource": copied})

    def _delete(self, request: Request, name: str) -> Response:
        facts = self.objects.get(name)
        if facts is None:
            return _refuse(404, f"No such object: {self.bucket}/{name}")
        if (
            request.query_params.get("ifGenerationMatch", facts["generation"])
            != facts["generation"]
        ):
            return _refuse(412, "At least one of the pre-conditions you specified did not hold.")
        del self.objects[name]
        (self._facts / f"{hashlib.sha256(name.encode()).hexdigest()}.json").unlink()
        self._content(facts).unlink(missing_ok=True)
        return Response(status_code=204)

    def _get(self, request: Request, name: str) -> Response:
        facts = self.objects.get(name)
        if facts is None:
            return _refuse(404, f"No such object: {self.bucket}/{name}")
        if request.query_params.get("alt") != "media":
            return JSONResponse(facts)
        return self._serve(facts, request.headers.get("range"), {})

    def _serve_signed(self, request: Request, name: str) -> Response:
        """Serve a signed URL in its time; its signature is not checked."""
        query = request.query_params
        try:
            signed = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            until = signed + timedelta(seconds=int(query["X-Goog-Expires"]))
        except (KeyError, ValueError):
            return PlainTextResponse("AccessDenied", 403)
        if not query.get("X-Goog-Signature") or datetime.now(UTC) > until:
            return PlainTextResponse("ExpiredToken", 400)
        facts = self.objects.get(name)
        if facts is None:
            return PlainTextResponse("NoSuchKey", 404)
        overrides = {
            header: query[f"response-{header}"]
            for header in ("content-type", "content-disposition")
            if f"response-{header}" in query
        }
        return self._serve(facts, request.headers.get("range"), overrides)

    def _serve(
        self, facts: dict[str, Any], requested_range: str | None, overrides: dict[str, str]
    ) -> Response:
        size = int(facts["size"])
        first, last = _read_range(requested_range, size)
        if requested_range and first >= size:
            return _refuse(416, "Requested range not satisfiable")
        headers = {
            "content-type": facts["contentType"] or "application/octet-stream",
            "content-length": str(last + 1 - first),
            "etag": facts["etag"],
            **overrides,
        }
        if requested_range:
            headers["content-range"] = f"bytes {first}-{last}/{size}"
        chunks = _read_file(self._content(facts), first, last + 1)
        return StreamingResponse(chunks, 206 if requested_range else 200, headers)

    def _content(self, facts: dict[str, Any]) -> Path:
        key = hashlib.sha256(facts["name"].encode()).hexdigest()
        return self._contents / f"{key}.{facts['generation']}"


def _read_range(requested_range: str | None, size: int) -> tuple[int, int]:
    """Return the first and the last byte that a range names."""
    first, _, last = (requested_range or "bytes=0-").removeprefix("bytes=").partition("-")
    return int(first), min(int(last) if last else size - 1, size - 1)


def _read_file(path: Path, first: int, end: int) -> Iterable[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while chunk := file.read(min(CHUNK, end - file.tell())):
            yield chunk


def _refuse(status: int, message: str) -> Response:
    return JSONResponse({"error": {"code": status, "message": message}}, status)


def main() -> None:
    """Serve on the loopback interface until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    uvicorn.run(
        BucketEmulator(options.folder).app,
        host=LOOPBACK,
        port=options.port,
        ws="none",
        interface="asgi3",
        lifespan="off",
        timeout_keep_alive=IDLE_SECONDS,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
