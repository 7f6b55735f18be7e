"""Turns a place in the queue into an opaque text and back."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta

from api.records.queue import Place
from rules.errors import StoplineError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CursorMalformedError(StoplineError):
    """A cursor that this server did not give out."""

    code = "cursor_malformed"

    def __init__(self) -> None:
        super().__init__("the cursor is not one that this server gave out; start again without one")


def encode_cursor(number: int) -> str:
    """The cursor that goes on after the case of that number."""
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The number in the cursor. Raises CursorMalformedError."""
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise CursorMalformedError from exc
    found = re.fullmatch(r"after:(0|[1-9]\d{0,17})", plain, re.ASCII)
    if found is None or encode_cursor(int(found[1])) != cursor:
        raise CursorMalformedError
    return int(found[1])


def encode_place(place: Place, *, by_due: bool) -> str:
    """The cursor that goes on after that place of the queue, in the order of recording or of deadlines."""
    if not by_due or place.due_from is None:
        return encode_cursor(place.number)
    at_us = (place.due_from - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"due:{at_us}:{place.number}".encode()).decode().rstrip("=")


def decode_place(cursor: str, *, by_due: bool) -> Place:
    """The place in the cursor, which must be of the same order. Raises CursorMalformedError."""
    if not by_due:
        return Place(number=decode_cursor(cursor))
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise CursorMalformedError from exc
    found = re.fullmatch(r"due:([1-9]\d{0,15}):(0|[1-9]\d{0,17})", plain, re.ASCII)
    if found is None:
        raise CursorMalformedError
    place = Place(number=int(found[2]), due_from=EPOCH + timedelta(microseconds=int(found[1])))
    if encode_place(place, by_due=True) != cursor:
        raise CursorMalformedError
    return place


def encode_name(name: str) -> str:
    """The cursor that goes on after that name."""
    return base64.urlsafe_b64encode(f"name:{name}".encode()).decode().rstrip("=")


def decode_name(cursor: str) -> str:
    """The name in the cursor. Raises CursorMalformedError."""
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise CursorMalformedError from exc
    kind, _, name = plain.partition(":")
    if kind != "name" or encode_name(name) != cursor or "\x00" in name:
        raise CursorMalformedError
    return name
