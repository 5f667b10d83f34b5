"""A video's first frame is had from a process that can do little else, or isn't had."""

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pytest
from PIL import Image

from shared.domain.content.media_files import THUMBNAIL_LIMIT
from shared.media import first_frame, thumbnails
from tests.cases import in_each
from tests.videos import a_video

ROOT = Path(__file__).parents[2]
GREEDY = """
import resource, socket, sys
from PIL import Image
from shared.media import first_frame

def decode_greedily(video):
    takes = (lambda: bytearray(first_frame.MEMORY_BYTES), lambda: open("/dev/null"), socket.socket)
    for take in takes:
        try:
            take()
        except (MemoryError, OSError) as error:
            print(type(error).__name__, file=sys.stderr)
    print(resource.getrlimit(resource.RLIMIT_CPU), file=sys.stderr, flush=True)
    return Image.effect_noise((600, 600), 80)

first_frame.decode_first_frame = decode_greedily
first_frame.main()
"""


@contextmanager
def a_file(content: bytes = b"") -> Iterator[IO[bytes]]:
    with TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        yield file


def make_poster(video: bytes) -> Image.Image | None:
    with a_file(video) as file:
        encoded = thumbnails.make_poster(file)
    if encoded is None:
        return None
    content = base64.b64decode(encoded)
    assert len(content) <= THUMBNAIL_LIMIT
    return Image.open(BytesIO(content), formats=["JPEG"])


def name_colour(poster: Image.Image, place: tuple[int, int]) -> str:
    red, _, blue = poster.getpixel(place)
    return "red" if red > 200 > 50 > blue else "blue" if blue > 200 > 50 > red else "neither"


@in_each("video", [a_video(sound=True), a_video("3gp", "mpeg4"), a_video("webm", "libvpx")])
def test_first_frame_is_made_small(video: bytes):
    poster = make_poster(video)

    assert poster
    assert poster.size == (thumbnails.SIDE, thumbnails.SIDE // 2)
    assert [name_colour(poster, (x, 20)) for x in (10, 80)] == ["red", "blue"]


def test_video_stands_upright():
    poster = make_poster(a_video(turned=True))

    assert poster
    assert poster.size == (thumbnails.SIDE // 2, thumbnails.SIDE)
    assert [name_colour(poster, (20, y)) for y in (10, 80)] == ["red", "blue"]


@in_each(
    "content",
    [
        b"a text that is named as a video",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n",
        a_video()[:-200],
        a_video("avi", "mpeg4"),
        a_video("mp4", "mpeg4", (4096, 2304)),
    ],
    ids=["text", "playlist", "broken", "another container", "huge"],
)
def test_other_files_get_none(content: bytes):
    assert make_poster(content) is None


def test_decoder_has_few_means():
    with a_file() as output:
        ran = subprocess.run(
            [sys.executable, "-c", GREEDY], cwd=ROOT, stdout=output, stderr=subprocess.PIPE,
            text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        size = os.fstat(output.fileno()).st_size

    assert ran.returncode == 1
    assert ran.stderr.splitlines()[:4] == ["MemoryError", "OSError", "OSError", "(5, 5)"]
    assert size <= first_frame.FRAME_BYTES


def test_decoder_knows_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "executable", a_program(tmp_path, "exec env"))
    monkeypatch.setenv("WEBHOOK_SECRET", "secret")

    with a_file() as video, a_file() as output:
        first_frame.write_first_frame(video, output)
        output.seek(0)
        names = {line.partition("=")[0] for line in output.read().decode().splitlines()}

    assert "PYTHONPATH" in names
    assert names <= {"PYTHONPATH", "LD_LIBRARY_PATH", "PWD", "OLDPWD", "SHLVL", "_"}


def test_decoder_that_takes_long_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "executable", a_program(tmp_path, "exec sleep 60"))
    monkeypatch.setattr(first_frame, "WALL_SECONDS", 0.1)

    begin = time.monotonic()
    with a_file() as video, a_file() as output:
        assert not first_frame.write_first_frame(video, output)
    assert time.monotonic() - begin < 10


def a_program(folder: Path, command: str) -> str:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o755)
    return str(program)
