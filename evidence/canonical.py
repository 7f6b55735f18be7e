"""One way to write a value as JSON, so that the same value always gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import sha256

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def json_bytes(value: Json) -> bytes:
    """UTF-8, keys sorted, one entry a line, a newline at the end; numbers as Python writes them, unrounded.

    Raises ValueError for a number that JSON has no way to write.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return (text + "\n").encode()


def json_line(value: Json) -> str:
    """As ``json_bytes``, on one line without a line end."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(value: object) -> Json:
    """The value as JSON knows it: a dataclass by its fields, an enum by its value, a moment as RFC 3339 UTC to the millisecond."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return moment(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case tuple() | list():
            return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"no JSON for {type(value).__name__}")


def moment(value: datetime) -> str:
    """RFC 3339 in UTC to the millisecond, with Z. Raises ValueError for a naive one."""
    if value.tzinfo is None:
        raise ValueError("a naive moment says nothing")
    return to_millisecond(value).astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def to_millisecond(value: datetime) -> datetime:
    """The moment rounded to the nearest millisecond, so that picture, manifest, record and event line name the same one."""
    rounded = value + timedelta(microseconds=500)
    return rounded.replace(microsecond=rounded.microsecond // 1000 * 1000)


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of the bytes, hex."""
    return sha256(data).hexdigest()
