"""The models that Stopline may use, as models/manifest.toml names them, and where their files lie."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from rules.errors import StoplineError

MANIFEST = "manifest.toml"
"""The manifest's name in the folder of the models."""

CHUNK_BYTES = 1 << 20


class ModelKind(StrEnum):
    """Where a model's file comes from."""

    WHEEL = "wheel"
    FILE = "file"
    PATH = "path"


class ManifestError(StoplineError):
    """A manifest that cannot be used; ``file`` and ``field`` say where."""

    code = "manifest_invalid"

    def __init__(self, file: Path, field: str, message: str) -> None:
        super().__init__(f"{file}: {field}: {message}" if field else f"{file}: {message}")
        self.file = file
        self.field = field
        self.message = message


class ModelFileError(StoplineError):
    """A model's file that is missing or is another one; ``name`` is the model's, ``path`` where it should be."""

    code = "model_file"

    def __init__(self, name: str, path: Path, message: str) -> None:
        super().__init__(f"model {name!r}: {path}: {message}")
        self.name = name
        self.path = path
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A pinned Python wheel: its file name, how pip is asked for it, and its SHA-256 (hex)."""

    name: str
    file: str
    requirement: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of the manifest. ``wheel`` and ``member`` are set for WHEEL, ``file`` for FILE."""

    name: str
    kind: ModelKind
    sha256: str
    licence: str
    input: str
    classes: tuple[str, ...]
    figures: tuple[str, ...]
    wheel: Wheel | None = None
    member: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest that is in order: the file it was read from, and its models in the file's order."""

    path: Path
    models: tuple[Model, ...]

    def model(self, name: str) -> Model:
        """The model of that name. Raises ManifestError where there is none."""
        for model in self.models:
            if model.name == name:
                return model
        known = ", ".join(model.name for model in self.models)
        raise ManifestError(self.path, f"models.{name}", f"there is no such model; known: {known}")


def load_manifest(path: Path) -> Manifest:
    """The manifest in the file ``path``. Raises ManifestError with the file and the field."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise ManifestError(path, "", f"cannot be read: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ManifestError(path, "", f"is not TOML: {exc}") from exc
    root = _Table(path, "", document)
    wheels = {table.name: _wheel(table) for table in root.tables("wheels")}
    models = tuple(_model(table, wheels) for table in root.tables("models"))
    root.done()
    return Manifest(path=path, models=models)


def model_path(manifest: Manifest, model: Model, cache: Path) -> Path | None:
    """Where the model's file lies, whether it is there or not; None for one that the caller gives the path of."""
    if model.kind is ModelKind.WHEEL and model.member is not None:
        return cache / "models" / model.sha256 / PurePosixPath(model.member).name
    if model.kind is ModelKind.FILE and model.file is not None:
        return manifest.path.parent / model.file
    return None


def verified_path(manifest: Manifest, name: str, cache: Path) -> Path:
    """The path of that model's file, which is there and has the right hash.

    Raises ModelFileError, or ManifestError for a name that the manifest does not have or gives no place to.
    """
    model = manifest.model(name)
    path = model_path(manifest, model, cache)
    if path is None:
        raise ManifestError(manifest.path, f"models.{name}.kind", "its path is for the caller to give")
    found = sha256_of(name, path)
    remedy = "run 'stopline models pull'" if model.kind is ModelKind.WHEEL else "restore it"
    if found is None:
        raise ModelFileError(name, path, f"there is no such file; {remedy}")
    if found != model.sha256:
        raise ModelFileError(name, path, f"its SHA-256 is {found}, expected {model.sha256}; {remedy}")
    return path


def sha256_of(name: str, path: Path) -> str | None:
    """SHA-256 (hex) of the file of the model ``name``, or None where there is none. Raises ModelFileError."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ModelFileError(name, path, f"cannot be read: {exc.strerror}") from exc
    return digest.hexdigest()


class _Table:
    """A table of the manifest that knows its place, and in the end whether anything in it was not asked for."""

    def __init__(self, path: Path, field: str, values: Mapping[str, object]) -> None:
        self.name = field.rpartition(".")[2]
        self._path = path
        self._field = field
        self._left = dict(values)

    def wrong(self, key: str, message: str) -> ManifestError:
        return ManifestError(self._path, f"{self._field}.{key}".strip("."), message)

    def take(self, key: str, expected: str) -> object:
        if key not in self._left:
            raise self.wrong(key, f"is missing; expected {expected}")
        return self._left.pop(key)

    def text(self, key: str, pattern: str, expected: str) -> str:
        value = self.take(key, expected)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise self.wrong(key, f"is {value!r}; expected {expected}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.take(key, "a list of texts")
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, f"is {value!r}; expected a list of texts")
        return tuple(value)

    def tables(self, key: str) -> list[_Table]:
        value = self._left.pop(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "expected a table of tables")
        place = f"{self._field}.{key}".strip(".")
        for name, item in value.items():
            if not isinstance(item, dict):
                raise self.wrong(f"{key}.{name}", "expected a table")
        return [_Table(self._path, f"{place}.{name}", item) for name, item in value.items()]

    def done(self) -> None:
        for key in self._left:
            raise self.wrong(key, "is not a field known here")


SHA256 = ("[0-9a-f]{64}", "a SHA-256 as 64 lower-case hexadecimal digits")
FILE_NAME = (r"(?!\.)[\w.+-]+", "a file name without folders")
INNER_PATH = (r"(?!/)(?!.*\.\.)[\w.+/ -]+[\w.+-]", "a relative path with '/' and without '..'")
LINE = (r".*\S.*", "a text")


def _wheel(table: _Table) -> Wheel:
    wheel = Wheel(
        name=table.name,
        file=table.text("file", r"[\w.+-]+\.whl", "the file name of a wheel"),
        requirement=table.text("requirement", r"[\w.-]+==[\w.+!]+", "a pinned requirement, name==version"),
        sha256=table.text("sha256", *SHA256),
    )
    table.done()
    return wheel


def _model(table: _Table, wheels: Mapping[str, Wheel]) -> Model:
    kinds = "|".join(ModelKind)
    kind = ModelKind(table.text("kind", kinds, f"one of {', '.join(ModelKind)}"))
    wheel, member, file = None, None, None
    if kind is ModelKind.WHEEL:
        known = ", ".join(wheels) or "none"
        wheel = wheels.get(table.text("wheel", *LINE))
        if wheel is None:
            raise table.wrong("wheel", f"there is no such table under [wheels]; known: {known}")
        member = table.text("member", *INNER_PATH)
    elif kind is ModelKind.FILE:
        file = table.text("file", *FILE_NAME)
    model = Model(
        name=table.name,
        kind=kind,
        sha256=table.text("sha256", *SHA256),
        licence=table.text("licence", *LINE),
        input=table.text("input", *LINE),
        classes=table.texts("classes"),
        figures=table.texts("figures"),
        wheel=wheel,
        member=member,
        file=file,
    )
    table.done()
    return model
