"""What a measurement was made on: the machine without its name, and the commit."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine; ``cores`` are those that this process may use."""

    cpu: str
    cores: int
    memory_gib: float
    os: str
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The checked-out commit; ``changes_sha256`` is of the uncommitted changes to tracked files, None without any."""

    sha: str
    changes_sha256: str | None


def this_machine() -> Machine:
    """The machine this runs on (Linux or macOS). No host name, user or path is in it."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = f"{platform.system()} {platform.release()}"
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        os=f"{system}, {platform.machine()}",
        python=platform.python_version(),
    )


def this_commit(checkout: Path) -> Commit:
    """The commit of that git checkout. Raises CalledProcessError where it is none."""
    changes = _git(checkout, "diff", "HEAD")
    return Commit(
        sha=_git(checkout, "rev-parse", "HEAD").decode().strip(),
        changes_sha256=hashlib.sha256(changes).hexdigest() if changes else None,
    )


def _git(checkout: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=checkout, check=True, capture_output=True).stdout


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
