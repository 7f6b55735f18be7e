"""Why evidence has errors of its own: an operator must tell a full disk from a damaged package and from a lost file.

StoplineError
└── EvidenceError
    ├── DiskFullError         no room for what has to be written; making room and resuming helps
    ├── DiskError             the disk refused for another reason
    ├── ClipError             these packets cannot become a clip; a package says so and goes on without one
    ├── PackageMissingError   the store has no package of that id, or lost a file of it
    └── PackageDamagedError   a sealed file is not what its manifest says
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
            "is listed; make room and run the same command again with --resume"
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
