"""Answers with sealed bytes, whole or the part that a Range header asks for (RFC 9110, one range)."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.responses import Response

from api.work.packages import EvidenceFile
from rules.errors import StoplineError

_ONE_RANGE = re.compile(r"bytes=(?:(\d{1,999})-(\d{0,999})|-(\d{1,999}))", re.ASCII)


class RangeUnsatisfiableError(StoplineError):
    """A Range that begins beyond the end; ``headers`` tell the size, as the RFC wants."""

    code = "range_unsatisfiable"

    def __init__(self, name: str, size_bytes: int) -> None:
        super().__init__(f"{name} has {size_bytes} bytes; the range asked for holds none of them")
        self.name = name
        self.size_bytes = size_bytes
        self.headers = {"Content-Range": f"bytes */{size_bytes}"}


def sealed_response(file: EvidenceFile, asked: Headers, *, version: str | None) -> Response:
    """200 with all of it, 206 with the part asked for, or 304 where the asker has it already.

    The ETag is the SHA-256 that was sealed. An address that names that hash (``version``) always means the
    same bytes, so the answer may be kept for ever; any other has to be asked for again each time. A Range that is
    malformed, in another unit or of several parts is ignored, as the RFC allows.
    Raises RangeUnsatisfiableError.
    """
    etag = f'"{file.sha256}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=31536000, immutable"
        if version == file.sha256
        else "private, no-cache",
        "Content-Disposition": f'inline; filename="{file.name}"',
    }
    known = [tag.strip().removeprefix("W/") for tag in asked.get("if-none-match", "").split(",")]
    if etag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    size = len(file.content)
    part = _part(asked.get("range", ""), size)
    if part is None or asked.get("if-range", etag) != etag:
        return Response(file.content, 200, headers, media_type=file.media_type)
    first, last = part
    if first > last:
        raise RangeUnsatisfiableError(file.name, size)
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Response(file.content[first : last + 1], 206, headers, media_type=file.media_type)


def _part(value: str, size: int) -> tuple[int, int] | None:
    """(first, last) byte asked for, cut at the end; first > last where none exists; None where the header is to be ignored."""
    found = _ONE_RANGE.fullmatch(value.strip())
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        length = min(int(suffix), size)
        return (size - length, size - 1)
    if last and int(last) < int(first):
        return None
    return (int(first), min(int(last), size - 1) if last else size - 1)
