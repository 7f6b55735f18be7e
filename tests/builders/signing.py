"""A signing key and a clock for tests: the same in every run, so that what is signed is the same too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.custody import Custody
from evidence.durable import Disk
from evidence.records import Records
from evidence.signing import Signer

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def a_signer(number: int = 1) -> Signer:
    """A signer for each number."""
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)))


class Ticking:
    """A clock that a test moves; each look at it takes a millisecond."""

    def __init__(self, at: datetime = BEGIN) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


def a_custody(data_dir: Path, records: Records, disk: Disk | None = None) -> Custody:
    """Custody by the first signer."""
    return Custody(data_dir, records, a_signer(), Ticking(), disk)
