"""Take the first frame of a stranger's video, in a process of its own.

Decoders are much C code, and what they read is a stranger's. So the process knows no secrets, has
few means and little time, and opens nothing once it reads the video, no connection either.
"""

import os
import resource
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Final

from shared import log

if TYPE_CHECKING:
    from PIL.Image import Image

DEMUXERS: Final = "mov,matroska"
"""What takes mp4, 3gp, mov, webm and mkv apart. None for playlists, which lead elsewhere."""

DECODERS: Final = "h264,hevc,vp8,vp9,libdav1d,mpeg4,h263"
MOST_PIXELS: Final = 9_000_000
"""Pixels of a frame that is decoded: 4K has fewer. Some are in memory at once."""

SIDE: Final = 192
"""Pixels of the frame's longer side as it is handed over: enough to be made smaller well."""

FRAME_BYTES: Final = 128 * 1024
MEMORY_BYTES: Final = 320 * 1024 * 1024
"""Addresses of the process, of which libraries that are hardly touched take 120 MiB."""

CPU_SECONDS: Final = 5
WALL_SECONDS: Final = 10.0


def write_first_frame(video: IO[bytes], frame: IO[bytes]) -> bool:
    """Write the first frame of a video as PNG, from the file's place on; False if it has none.

    Both are files of the system. Returns within WALL_SECONDS.
    """
    # All that Python needs to start, also where a platform has put it somewhere of its own.
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib",
    }
    try:
        subprocess.run(
            [sys.executable, "-m", __name__],
            stdin=video,
            stdout=frame,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=WALL_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        log.notice("media.no_frame", exit=error.returncode)
        return False
    except (OSError, subprocess.TimeoutExpired) as error:
        log.notice("media.no_frame", failure=type(error).__name__)
        return False
    return True


def main() -> None:
    """Write the first frame of the input to the output. However it fails, the exit code says so."""
    limit_means()
    # What av and Pillow would import only later, when no file can be opened any more.
    from av.subtitles import codeccontext, stream  # noqa: F401
    from PIL import Image

    Image.preinit()
    forbid_files()
    decode_first_frame(sys.stdin.buffer).save(sys.stdout.buffer, "PNG")


def limit_means() -> None:
    """Limit this process's memory, CPU and output, for good."""
    for name, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, FRAME_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(name, (most, most))


def forbid_files() -> None:
    """Let this process open no file and no connection any more; what is open stays so."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def decode_first_frame(video: IO[bytes]) -> "Image":
    """Return the first key frame of a video, made small and upright.

    Raises av.FFmpegError and others, or the process is killed.
    """
    import av

    decoding = {"max_pixels": str(MOST_PIXELS), "threads": "1", "codec_whitelist": DECODERS}
    reading = {"format_whitelist": DEMUXERS, "protocol_whitelist": ""}
    with av.open(video, "r", options=decoding | reading) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = decoding
        stream.codec_context.skip_frame = "NONKEY"
        frame = next(container.decode(stream))
        scale = min(1, SIDE / max(frame.width, frame.height))
        width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
        picture: Image = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]
        return picture.rotate(frame.rotation, expand=True)


if __name__ == "__main__":
    main()
