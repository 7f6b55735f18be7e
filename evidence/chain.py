"""The chain: signed links apart from the packages that say which were made, in which order, and which were deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from evidence.canonical import moment, sha256_hex
from evidence.signing import SignedFormError, SignedLine, Signer, read_signed_line, signed_line

LINK_FORMAT = "stopline-link/1"
CHECKPOINT_FORMAT = "stopline-checkpoint/1"
NO_LINK = "0" * 64
"""What stands for the hash of a link where there is none: before the first one."""

SHA256_HEX = re.compile(r"[0-9a-f]{64}")
LINK_FIELDS = frozenset({"at", "chain", "kind", "manifest_sha256", "number", "previous_sha256"})
CHECKPOINT_FIELDS = frozenset({"at", "chain", "count", "head_sha256"})


class LinkKind(StrEnum):
    """A package that was made, or one that was deleted by retention."""

    CASE = "case"
    TOMBSTONE = "tombstone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link. ``line`` is all of it as signed; the rest is what that says. ``number`` counts from 1.

    ``manifest_sha256`` names the package that was made or deleted, ``previous_sha256`` the link before.
    """

    chain_id: str
    number: int
    kind: LinkKind
    manifest_sha256: str
    previous_sha256: str
    at: datetime
    line: str
    signed: SignedLine

    @property
    def sha256(self) -> str:
        """The hash by which the next link names this one: of the line without its line end."""
        return sha256_hex(self.line.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far the chain was at a moment: ``count`` links, the last of which has the hash ``head_sha256``."""

    chain_id: str
    count: int
    head_sha256: str
    at: datetime
    line: str
    signed: SignedLine


NextLink = Callable[[Link | None], Link]
"""Makes the link that follows the given one (None: the first of its chain)."""


def link_after(
    head: Link | None, *, chain_id: str, kind: LinkKind, manifest_sha256: str, at: datetime, signer: Signer
) -> Link:
    """The signed link that follows ``head``."""
    line = signed_line(
        signer,
        LINK_FORMAT,
        {
            "at": moment(at),
            "chain": chain_id,
            "kind": kind.value,
            "manifest_sha256": manifest_sha256,
            "number": 1 if head is None else head.number + 1,
            "previous_sha256": NO_LINK if head is None else head.sha256,
        },
    )
    return read_link(line.encode())


def read_link(line: bytes) -> Link:
    """The link in the line, without its line end. Raises SignedFormError where it is none; its signature is not checked."""
    signed = read_signed_line(line, LINK_FORMAT, LINK_FIELDS)
    said = signed.fields
    return Link(
        chain_id=_text(said["chain"], "chain"),
        number=_count(said["number"], 1),
        kind=_kind(said["kind"]),
        manifest_sha256=_sha256(said["manifest_sha256"], "manifest_sha256"),
        previous_sha256=_sha256(said["previous_sha256"], "previous_sha256"),
        at=_moment(said["at"]),
        line=line.decode(),
        signed=signed,
    )


def checkpoint_of(head: Link | None, *, chain_id: str, at: datetime, signer: Signer) -> Checkpoint:
    """The signed checkpoint of a chain whose last link is ``head``."""
    line = signed_line(
        signer,
        CHECKPOINT_FORMAT,
        {
            "at": moment(at),
            "chain": chain_id,
            "count": 0 if head is None else head.number,
            "head_sha256": NO_LINK if head is None else head.sha256,
        },
    )
    return read_checkpoint(line.encode())


def read_checkpoint(line: bytes) -> Checkpoint:
    """The checkpoint in the line, without its line end. Raises SignedFormError; its signature is not checked."""
    signed = read_signed_line(line, CHECKPOINT_FORMAT, CHECKPOINT_FIELDS)
    said = signed.fields
    return Checkpoint(
        chain_id=_text(said["chain"], "chain"),
        count=_count(said["count"], 0),
        head_sha256=_sha256(said["head_sha256"], "head_sha256"),
        at=_moment(said["at"]),
        line=line.decode(),
        signed=signed,
    )


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise SignedFormError(f"its {name} is no text")
    return value


def _sha256(value: Any, name: str) -> str:
    if not (isinstance(value, str) and SHA256_HEX.fullmatch(value)):
        raise SignedFormError(f"its {name} is not 64 hex digits")
    return value


def _count(value: Any, least: int) -> int:
    if type(value) is not int or value < least:
        raise SignedFormError(f"it counts {value!r:.40}")
    return value


def _kind(value: Any) -> LinkKind:
    try:
        return LinkKind(value)
    except ValueError as exc:
        raise SignedFormError(
            f"its kind is {value!r:.40}, and this version knows case and tombstone"
        ) from exc


def _moment(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value)
        is_exact = moment(at) == value
    except (TypeError, ValueError, OverflowError):
        is_exact = False
    if not is_exact:
        raise SignedFormError(f"{value!r:.40} is no moment in UTC to the millisecond")
    return at
