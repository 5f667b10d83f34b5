"""Make small videos: the first half of a frame is red at first, all is blue later."""

from io import BytesIO

import av
from PIL import Image

MOV_IN_A_QUARTER_TURN = (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
"""What a phone that is held upright says of its frames: turn them to the right (ISO 14496-12)."""


def a_video(
    container: str = "mp4",
    codec: str = "libx264",
    size: tuple[int, int] = (320, 160),
    *,
    sound: bool = False,
    turned: bool = False,
) -> bytes:
    """Make a video of two frames; an mp4 has its index at its end, as phones write it."""
    content, width, height = BytesIO(), *size
    first = Image.new("RGB", size, "blue")
    first.paste("red", (0, 0, width // 2, height))
    with av.open(content, "w", format=container) as file:
        stream = file.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if sound:
            file.add_stream("aac", rate=8000)
        if turned:
            stream.set_display_matrix(MOV_IN_A_QUARTER_TURN)
        for picture in (first, Image.new("RGB", size, "blue")):
            file.mux(stream.encode(av.VideoFrame.from_image(picture)))
        file.mux(stream.encode(None))
    return content.getvalue()
