"""The model manifest: ours is in order, and every mistake in one is named with its file and field."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from api.model_manifest import (
    ManifestError,
    ModelFileError,
    ModelKind,
    load_manifest,
    model_path,
    verified_path,
)
from tests.builders.plate_models import MANIFEST

DIGEST = "0" * 64
WHEEL = f"""
[wheels.tools]
file = "tools-1.0-py3-none-any.whl"
requirement = "tools==1.0"
sha256 = "{DIGEST}"
"""
MODEL = f"""
[models.reader]
kind = "wheel"
wheel = "tools"
member = "tools/reader.onnx"
sha256 = "{DIGEST}"
licence = "Apache-2.0"
input = "a picture"
classes = ["plate"]
figures = []
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "manifest.toml"
    path.write_text(text, "utf-8")
    return path


def test_our_manifest_is_in_order() -> None:
    manifest = load_manifest(MANIFEST)
    names = [model.name for model in manifest.models]
    assert {"plate-detector", "plate-recogniser", "plate-charset", "yolox-nano"} <= set(names)
    assert all(model.licence for model in manifest.models)
    assert len({model.sha256 for model in manifest.models}) == len(names)
    assert manifest.model("yolox-nano").kind is ModelKind.PATH


def test_the_weights_of_the_shared_material_are_those_of_the_manifest(weights: Path) -> None:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert load_manifest(MANIFEST).model("yolox-nano").sha256 == digest


def test_our_plate_files_have_the_hashes_of_the_design(shared: Path) -> None:
    design = (shared / "design.md").read_text("utf-8")
    models = [model for model in load_manifest(MANIFEST).models if model.kind is ModelKind.WHEEL]
    assert len(models) == 3
    for model in models:
        assert model.sha256 in design
        assert model.wheel is not None
        assert f"{model.wheel.sha256[:8]}…{model.wheel.sha256[-8:]}" in design


def test_nothing_in_a_manifest_can_be_changed() -> None:
    model = load_manifest(MANIFEST).models[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.sha256 = ""  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("models = 3", "models", "a table of tables"),
        ("[models]\nreader = 3", "models.reader", "expected a table"),
        (MODEL, "models.reader.wheel", r"no such table under \[wheels\]; known: none"),
        (
            WHEEL + MODEL.replace('kind = "wheel"', 'kind = "url"'),
            "models.reader.kind",
            "one of wheel, file, path",
        ),
        (WHEEL + MODEL.replace('kind = "wheel"\n', ""), "models.reader.kind", "is missing"),
        (WHEEL + MODEL.replace(DIGEST, "0" * 63), "models.reader.sha256", "64 lower-case hexadecimal"),
        (WHEEL.replace(DIGEST, "X" * 64) + MODEL, "wheels.tools.sha256", "64 lower-case hexadecimal"),
        (WHEEL.replace("tools==1.0", "tools>=1.0") + MODEL, "wheels.tools.requirement", "pinned"),
        (WHEEL.replace("any.whl", "any.zip") + MODEL, "wheels.tools.file", "file name of a wheel"),
        (WHEEL + MODEL.replace("tools/reader", "../reader"), "models.reader.member", r"without '\.\.'"),
        (WHEEL + MODEL.replace("tools/reader", "/tools/reader"), "models.reader.member", "relative"),
        (WHEEL + MODEL.replace('"Apache-2.0"', '""'), "models.reader.licence", "expected a text"),
        (WHEEL + MODEL.replace('["plate"]', '"plate"'), "models.reader.classes", "list of texts"),
        (WHEEL + MODEL.replace("figures = []", "figures = [1]"), "models.reader.figures", "list of texts"),
        (WHEEL + MODEL + "colour = 1", "models.reader.colour", "not a field known here"),
        (WHEEL + MODEL + "[others]", "others", "not a field known here"),
        (
            '[models.own]\nkind = "file"\nfile = "../x.onnx"\n',
            "models.own.file",
            "a file name without folders",
        ),
    ],
)
def test_every_mistake_names_file_and_field(tmp_path: Path, text: str, field: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ManifestError, match=message) as caught:
        load_manifest(path)
    assert caught.value.file == path
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{path}: {field}: ")


@pytest.mark.parametrize("content", [b"[models", b"\xff\xfe"])
def test_what_is_no_toml_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "manifest.toml"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match="is not TOML"):
        load_manifest(path)


def test_a_missing_manifest_is_said(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"absent\.toml: cannot be read"):
        load_manifest(tmp_path / "absent.toml")


def test_a_file_beside_the_manifest_is_found_and_verified(tmp_path: Path) -> None:
    content = b"weights"
    digest = hashlib.sha256(content).hexdigest()
    text = f"""
[models.own]
kind = "file"
file = "own.onnx"
sha256 = "{digest}"
licence = "Apache-2.0"
input = "a picture"
classes = []
figures = []
"""
    manifest = load_manifest(write(tmp_path, text))
    with pytest.raises(ModelFileError, match=r"'own'.*own\.onnx: there is no such file") as caught:
        verified_path(manifest, "own", tmp_path / "cache")
    assert caught.value.path == tmp_path / "own.onnx"
    (tmp_path / "own.onnx").write_bytes(b"others")
    with pytest.raises(ModelFileError, match=f"SHA-256 is .*expected {digest}"):
        verified_path(manifest, "own", tmp_path / "cache")
    (tmp_path / "own.onnx").write_bytes(content)
    assert verified_path(manifest, "own", tmp_path / "cache") == tmp_path / "own.onnx"
    (tmp_path / "own.onnx").unlink()
    (tmp_path / "own.onnx").mkdir()
    with pytest.raises(ModelFileError, match="cannot be read"):
        verified_path(manifest, "own", tmp_path / "cache")


def test_a_model_that_is_not_there_or_has_no_place_is_named(tmp_path: Path) -> None:
    manifest = load_manifest(MANIFEST)
    with pytest.raises(
        ManifestError, match=r"models\.absent: there is no such model; known: default-detector, plate"
    ):
        verified_path(manifest, "absent", tmp_path)
    with pytest.raises(ManifestError, match=r"yolox-nano\.kind: its path is for the caller to give"):
        verified_path(manifest, "yolox-nano", tmp_path)
    assert model_path(manifest, manifest.model("yolox-nano"), tmp_path) is None
    with pytest.raises(ModelFileError, match="stopline models pull"):
        verified_path(manifest, "plate-detector", tmp_path)
