"""A file system so small that it fills up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn


@contextmanager
def small_disk(folder: Path, size_mb: int, absent: Callable[[str], NoReturn]) -> Iterator[Path]:
    """A file system of that size at the folder."""
    if os.geteuid() != 0:
        absent("only root can mount a small file system")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        absent("this root may not mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
