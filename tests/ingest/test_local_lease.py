"""One holder of a camera at a time, and a number that only ever rises."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from ingest.errors import LeaseError
from ingest.local_lease import LocalLeases
from ingest.ports import Lease, Leases


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    leases: Leases = LocalLeases(tmp_path / "leases")
    first: Lease | None = leases.acquire("north")
    assert first is not None
    assert first.holds()
    assert LocalLeases(tmp_path / "leases").acquire("north") is None
    assert leases.acquire("south") is not None
    first.release()
    first.release()
    assert not first.holds()
    second = leases.acquire("north")
    assert second is not None
    assert second.number > first.number


def test_segments_are_numbered_once_for_ever(tmp_path: Path) -> None:
    seen: list[int] = []
    for _ in range(3):
        lease = LocalLeases(tmp_path).acquire("north")
        assert lease is not None
        seen += islice(lease.segments(), 3)
        assert lease.number == seen[-1]
        lease.release()
    assert seen == sorted(set(seen))


def test_a_process_that_dies_leaves_no_lease_behind(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ingest.local_lease import LocalLeases\n"
        "lease = LocalLeases(Path(sys.argv[1])).acquire('north'); print(lease.number, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        assert LocalLeases(tmp_path).acquire("north") is None
        process.kill()
        process.wait()
    lease = LocalLeases(tmp_path).acquire("north")
    assert lease is not None
    assert lease.number == number + 1


def test_what_cannot_be_a_lease_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LeaseError, match="cannot name a file"):
        LocalLeases(tmp_path).acquire("../north")
    (tmp_path / "file").touch()
    with pytest.raises(LeaseError, match="cannot be kept") as caught:
        LocalLeases(tmp_path / "file").acquire("north")
    assert caught.value.retryable
