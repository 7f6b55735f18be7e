"""Makes a photo that somebody sent into one that can be kept: a JPEG of bounded size, with nothing but the picture in it."""

from __future__ import annotations

from api.work.site_errors import PhotoRefusedError
from evidence.picture import PictureError, from_file, jpeg, within

MOST_BYTES = 5 * 1024 * 1024
"""A telephone's photo takes 2 to 4 MB."""

MOST_PIXELS = 50_000_000
"""More is no telephone's photo, and takes 150 MB to decode."""

KEPT_PX = 2048
"""The longer side of what is kept: a sign's small print can be read."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that begin a frame, and say its size."""


def sign_photo(data: bytes) -> bytes:
    """The picture as JPEG, at most ``KEPT_PX`` wide and high; what else the file told is gone. Raises PhotoRefusedError."""
    if len(data) > MOST_BYTES:
        raise PhotoRefusedError(f"the photo is longer than {MOST_BYTES} bytes")
    size = _size_px(data)
    if size is None:
        raise PhotoRefusedError("send a photo as JPEG or PNG")
    if size[0] * size[1] > MOST_PIXELS or not all(size):
        raise PhotoRefusedError(
            f"the photo is said to have {size[0]}x{size[1]} pixels; at most {MOST_PIXELS} are read"
        )
    try:
        return jpeg(within(from_file(data), KEPT_PX))
    except PictureError as exc:
        raise PhotoRefusedError("the photo cannot be decoded") from exc


def _size_px(data: bytes) -> tuple[int, int] | None:
    """What the file says of its size, before anything is decoded; None where it is neither JPEG nor PNG."""
    if data.startswith(_PNG) and data[12:16] == b"IHDR":
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if not data.startswith(_JPEG):
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None
