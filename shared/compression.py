"""Compress answers for callers who take gzip: a phone's network is slower than our processor.

A compressed answer can betray a secret to who can make a browser ask for it. Here none
can: the token is in no cookie.
"""

import gzip

WORTHWHILE = 1_000
"""Bytes below which nothing is gained."""
LEVEL = 5


def takes_gzip(accepted: str) -> bool:
    """Tell whether a caller that accepts these encodings understands gzip."""
    encodings = accepted.lower().replace(" ", "").split(",")
    return any(
        encoding in ("gzip", "*") or encoding.startswith("gzip;q=0.") for encoding in encodings
    )


def compress(content: bytes) -> bytes:
    """Compress in gzip, always to the same bytes."""
    return gzip.compress(content, LEVEL, mtime=0)
