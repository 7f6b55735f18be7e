"""``stopline models``: listed, fetched from a wheel and checked, with the exit codes of the command line."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from api.model_manifest import load_manifest
from tests.api.cli.conftest import Stopline
from tests.builders.plate_models import MANIFEST
from tests.builders.scripted import SITE, a_recording

CONTENT = b"a model"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that a manifest names; what the settings say points at the manifest and at an empty cache."""
    path = tmp_path / "plates-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plates/model.onnx", CONTENT)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "manifest.toml").write_text(
        f"""
        [wheels.plates]
        file = "{path.name}"
        requirement = "plates==1.0"
        sha256 = "{digest}"
        [models.plate-detector]
        kind = "wheel"
        wheel = "plates"
        member = "plates/model.onnx"
        sha256 = "{hashlib.sha256(CONTENT).hexdigest()}"
        licence = "Apache-2.0"
        input = "none"
        classes = []
        figures = []
        """,
        encoding="utf-8",
    )
    monkeypatch.setenv("STOPLINE_MODELS", str(folder))
    monkeypatch.setenv("STOPLINE_CACHE", str(tmp_path / "cache"))
    return path


def put_by_hand(wheel: Path, cache: Path) -> None:
    folder = cache / "models" / "wheels"
    folder.mkdir(parents=True)
    (folder / wheel.name).write_bytes(wheel.read_bytes())


def test_a_model_is_missing_then_pulled_then_in_place(
    stopline: Stopline, wheel: Path, tmp_path: Path
) -> None:
    assert stopline("models", "list").out.split()[:2] == ["plate-detector", "missing"]
    missing = stopline("models", "check")
    assert missing.code == 3
    assert "run 'stopline models pull'" in missing.err

    put_by_hand(wheel, tmp_path / "cache")
    pulled = stopline("models", "pull")
    assert (pulled.code, pulled.err) == (0, "")
    assert pulled.out.split()[:2] == ["plate-detector", "ready"]
    assert stopline("models", "check").code == 0
    listed = json.loads(stopline("models", "list", "--format", "jsonl").out)
    assert listed["state"] == "ready"
    assert Path(listed["path"]).read_bytes() == CONTENT

    Path(listed["path"]).write_bytes(b"another")
    assert stopline("models", "list").out.split()[1] == "wrong"
    assert stopline("models", "check").code == 3


def test_a_manifest_that_is_broken_or_missing_names_its_file(
    stopline: Stopline, wheel: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "models" / "manifest.toml"
    manifest.write_text(manifest.read_text().replace("licence", "license"), encoding="utf-8")
    broken = stopline("models", "list")
    assert broken.code == 3
    assert "manifest.toml: models.plate-detector.licence: is missing" in broken.err
    manifest.unlink()
    assert "manifest.toml: cannot be read" in stopline("models", "list").err


def test_a_replay_that_wants_plates_says_how_to_get_their_models(
    stopline: Stopline, wheel: Path, weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    clip = a_recording(tmp_path / "clip.mp4", 0.5)
    arguments = [
        "replay",
        clip,
        "--site",
        tmp_path / "site.yaml",
        "--weights",
        weights,
        "--out",
        tmp_path / "out",
    ]
    refused = stopline(*arguments)
    assert refused.code == 3
    assert "model 'plate-detector'" in refused.err
    assert "run 'stopline models pull'" in refused.err
    assert not (tmp_path / "out").exists()
    assert stopline(*arguments, "--no-plates").code == 0


def test_a_wrong_setting_in_the_environment_is_an_invalid_configuration(
    stopline: Stopline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOPLINE_THREADS", "none")
    ran = stopline("models", "list")
    assert ran.code == 3
    assert "environment: STOPLINE_THREADS: 'none'" in ran.err


def test_a_replay_without_weights_uses_the_model_that_comes_with_stopline(
    stopline: Stopline, tmp_path: Path
) -> None:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    clip = a_recording(tmp_path / "clip.mp4", 0.5)
    out = tmp_path / "out"
    ran = stopline("replay", clip, "--site", tmp_path / "site.yaml", "--no-plates", "--out", out)
    assert ran.code == 0, ran.err
    used = json.loads((out / "summary.json").read_text("utf-8"))["weights"]
    entry = load_manifest(MANIFEST).model("default-detector")
    assert used == {"name": entry.file, "sha256": entry.sha256}
