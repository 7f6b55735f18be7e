"""The boxes of an MP4 file (ISO 14496-12): moves its index to the front, and counts what it holds, without decoding it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
"""The boxes on the way to the tables of a track."""

TABLES = {b"stco": "I", b"co64": "Q"}
"""Where each chunk of samples begins in the file, and how one place is written."""

FULL_BYTES = 4
"""Version and flags before the content of such boxes."""


class Mp4Error(ValueError):
    """The bytes are not an MP4 of one track as our muxer writes it; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    content: int
    end: int


def index_first(data: bytes) -> bytes:
    """The file with its index (moov) before its samples (mdat), so that it plays while it loads. Raises Mp4Error."""
    boxes = {box.kind: box for box in _boxes(data, 0, len(data))}
    if b"moov" not in boxes or b"ftyp" not in boxes:
        raise Mp4Error("it has no index, or does not say what it is")
    moov, ftyp = boxes[b"moov"], boxes[b"ftyp"]
    index = bytearray(data[moov.start : moov.end])
    for box in _inner(bytes(index), 0, len(index)):
        if box.kind in TABLES:
            _shift(index, box, TABLES[box.kind], len(index))
    return b"".join(
        (data[: ftyp.end], index, memoryview(data)[ftyp.end : moov.start], memoryview(data)[moov.end :])
    )


def sample_count(data: bytes) -> int:
    """How many samples the index names. Raises Mp4Error where they are not, together, what the file holds."""
    held = sum(box.end - box.content for box in _boxes(data, 0, len(data)) if box.kind == b"mdat")
    tables = [box for box in _inner(data, 0, len(data)) if box.kind == b"stsz"]
    if len(tables) != 1:
        raise Mp4Error(f"it has {len(tables)} tracks instead of one")
    at = tables[0].content + FULL_BYTES
    size, count = struct.unpack_from(">II", data, at)
    named = size * count if size else sum(struct.unpack_from(f">{count}I", data, at + 8))
    if named != held:
        raise Mp4Error(f"its index names {named} bytes of samples, and it holds {held}")
    return int(count)


def _inner(data: bytes, start: int, end: int) -> Iterator[_Box]:
    """The boxes there and those in containers of them."""
    for box in _boxes(data, start, end):
        yield box
        if box.kind in CONTAINERS:
            yield from _inner(data, box.content, box.end)


def _boxes(data: bytes, start: int, end: int) -> Iterator[_Box]:
    at = start
    while at < end:
        if end - at < 8:
            raise Mp4Error("a box is cut off")
        size, kind = struct.unpack_from(">I4s", data, at)
        content = at + 8
        if size == 1:
            if end - at < 16:
                raise Mp4Error("a box is cut off")
            (size,) = struct.unpack_from(">Q", data, content)
            content += 8
        if size < content - at or at + size > end:
            raise Mp4Error(f"the box {kind!r} does not fit into the file")
        yield _Box(kind, at, content, at + size)
        at += size


def _shift(index: bytearray, box: _Box, letter: str, by: int) -> None:
    """Every place in the table is moved on."""
    (count,) = struct.unpack_from(">I", index, box.content + FULL_BYTES)
    table = f">{count}{letter}"
    places = struct.unpack_from(table, index, box.content + FULL_BYTES + 4)
    struct.pack_into(table, index, box.content + FULL_BYTES + 4, *(place + by for place in places))
