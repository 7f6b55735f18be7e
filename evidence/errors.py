"""Why evidence has errors of its own: an operator must tell a full disk from a damaged package and from a lost file.

StoplineError
└── EvidenceError
    ├── DiskFullError         no room for what has to be written; making room and resuming helps
    ├── DiskError             the disk refused for another reason
    ├── ClipError             these packets cannot become a clip; a package says so and goes on without one
    ├── PackageMissingError   the store has no package of that id, or lost a file of it
    ├── PackageDamagedError   a sealed file is not what its manifest says
    ├── StoreUnavailableError the store cannot be reached or is busy; the spool keeps the package until it can
    ├── ObjectMissingError    the bucket has no object of that key
├── StoreRefusedError     the store says no: account, bucket, lock or clock are not as they must be
    ├── ExtraMissingError     what was asked for needs a package that was not installed
    └── StoreConflictError    an object of that name is there already, with other content
"""

from __future__ import annotations

from pathlib import Path

from rules.errors import StoplineError


class EvidenceError(StoplineError):
    """Any failure to make, keep or find evidence."""

    code = "evidence"


class DiskFullError(EvidenceError):
    """No room for ``path``; ``needed_bytes`` is what it wanted, ``free_bytes`` what the disk had left (None: unknown)."""

    code = "disk_full"
    retryable = True

    def __init__(self, path: Path, needed_bytes: int, free_bytes: int | None) -> None:
        free = "unknown" if free_bytes is None else f"{free_bytes / 1e6:.1f} MB"
        super().__init__(
            f"{path}: the disk is full ({needed_bytes / 1e6:.1f} MB to write, {free} free). Nothing half-written "
            "is listed; make room and run the same command again (a replay with --resume)"
        )
        self.path = path
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes


class DiskError(EvidenceError):
    """The disk refused ``path`` for another reason than room; ``reason`` is the system's word for it."""

    code = "disk"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; check the data folder's disk and permissions")
        self.path = path
        self.reason = reason


class ClipError(EvidenceError):
    """The packets cannot be put into an MP4 unchanged; ``reason`` says why."""

    code = "clip"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PackageMissingError(EvidenceError):
    """``name`` of the package ``case_id`` is not in the store."""

    code = "evidence_missing"

    def __init__(self, case_id: str, name: str) -> None:
        super().__init__(f"{name} of case {case_id} is not in the evidence store")
        self.case_id = case_id
        self.name = name


class PackageDamagedError(EvidenceError):
    """``name`` of the package ``case_id`` is not what was sealed; ``why`` says how it differs."""

    code = "evidence_damaged"

    def __init__(self, case_id: str, name: str, why: str) -> None:
        super().__init__(f"{name} of case {case_id} is not what was sealed: {why}")
        self.case_id = case_id
        self.name = name
        self.why = why


class StoreUnavailableError(EvidenceError):
    """``where`` cannot be reached or is busy; ``reason`` is its word, or the network's."""

    code = "store_unavailable"
    retryable = True

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"{where}: the evidence store does not answer ({reason}). What was sealed waits in the spool and is sent "
            "when it does"
        )
        self.where = where
        self.reason = reason


class StoreRefusedError(EvidenceError):
    """``where`` said no with the code ``reason``; ``why`` says what an operator can do about it."""

    code = "store_refused"

    def __init__(self, where: str, reason: str, why: str) -> None:
        super().__init__(f"{where}: refused ({reason}): {why}")
        self.where = where
        self.reason = reason
        self.why = why


class ObjectMissingError(EvidenceError):
    """``where`` of a bucket is not there."""

    code = "evidence_missing"

    def __init__(self, where: str) -> None:
        super().__init__(f"{where}: there is no such object; verify the package")
        self.where = where


class StoreConflictError(EvidenceError):
    """``name`` of ``case_id`` is in the store with the SHA-256 ``theirs``, and was to be stored with ``ours``."""

    code = "store_conflict"

    def __init__(self, case_id: str, name: str, ours: str, theirs: str) -> None:
        super().__init__(
            f"{name} of case {case_id} is in the store already with other content: it has SHA-256 {theirs}, ours has "
            f"{ours}. Nothing was overwritten; find out who wrote it before either is used"
        )
        self.case_id = case_id
        self.name = name
        self.ours = ours
        self.theirs = theirs


class ExtraMissingError(EvidenceError):
    """``what`` needs the packages of the extra ``extra``, which are not installed."""

    code = "config_invalid"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} need packages that are not installed; run: pip install -e '.[{extra}]'")
        self.what = what
        self.extra = extra
