"""What is installed: every file of the rooms in the wheel, and locks that are hashed, complete, host-free and torch-free."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import CHECKOUT, ROOMS, tracked_files

LOCKS = ("requirements.lock", "requirements-dev.lock")
HEAVY = ("torch", "torchvision", "torchaudio", "ultralytics", "triton", "nvidia-")
"""Beginnings of the names that belong to the extras [ultralytics] and [train] only."""


def required(*, dev: bool) -> list[Requirement]:
    """What the lock must satisfy: core and build requirements, with ``dev`` the test tools too."""
    config = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    texts = config["project"]["dependencies"] + config["dependency-groups"]["build"]
    if dev:
        texts += config["project"]["optional-dependencies"]["dev"]
    return [Requirement(text) for text in texts]


def pins(lock: str) -> dict[str, str]:
    """Name to version of each entry of the lock. Fails where an entry is no exact pin or has no hash."""
    text = (CHECKOUT / lock).read_text(encoding="utf-8")
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    found = {}
    for entry in filter(str.strip, text.splitlines()):
        match = re.fullmatch(
            r"([\w.-]+)==(\S+)(?: ; [^#]+?)?((?:\s+--hash=sha256:[0-9a-f]{64})+)", entry.rstrip()
        )
        assert match, f"{lock}: not an exact pin with hashes: {entry[:80]}"
        assert match[1] not in found, f"{lock}: {match[1]} stands twice"
        found[match[1]] = match[2]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_fits_pyproject(lock: str) -> None:
    locked = pins(lock)
    for requirement in required(dev="dev" in lock):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{lock} lacks {requirement.name}: run 'make lock'"
        assert requirement.specifier.contains(version), (
            f"{lock} has {requirement.name} {version}: run 'make lock'"
        )


def test_both_locks_agree() -> None:
    core, dev = (pins(lock) for lock in LOCKS)
    assert core.items() <= dev.items(), dict(core.items() - dev.items())


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_host_and_nothing_heavy(lock: str) -> None:
    text = (CHECKOUT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host| @ ", text)
    assert [name for name in pins(lock) if name.startswith(HEAVY)] == []


def test_the_wheel_holds_every_file_of_the_rooms_and_the_models(tmp_path: Path) -> None:
    wanted = {path for path in tracked_files() if path.split("/")[0] in ROOMS}
    wanted |= {path for path in tracked_files() if re.fullmatch(r"models/[\w.-]+\.(toml|onnx|py)", path)}
    assert "models/manifest.toml" in wanted
    for path in wanted | {"pyproject.toml", "README.md", "LICENSE"}:
        target = tmp_path / "source" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / path, target)
    subprocess.run(
        [sys.executable, "-c", "import setuptools.build_meta as build; build.build_wheel('..')"],
        cwd=tmp_path / "source",
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == wanted, f"add to [tool.setuptools] of pyproject.toml: {sorted(wanted ^ held)}"
