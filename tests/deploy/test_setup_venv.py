"""Setting up on a machine that lacks something: a real pip in a small checkout, each time said what happened, and run again."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

import pytest

from tests.builders.small_disk import small_disk

pytestmark = pytest.mark.timeout(600)  # a dozen runs of pip on a busy machine

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "setup_venv.sh"
WHEEL = "tiny-1.0-py3-none-any.whl"
IMPORTED = ("av", "cv2", "onnxruntime", "scipy/optimize")
BACKEND = """
import zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.writestr("small-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 1.0\\n")
        wheel.writestr("small-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("small-1.0.dist-info/RECORD", "")
    return name

build_wheel = build_editable
"""


def pack(wheel: Path, *, pad_bytes: int = 0, modules: tuple[str, ...] = IMPORTED) -> Path:
    """A wheel with modules of the names that the set-up tries to import, and nothing in them."""
    wheel.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for module in modules:
            archive.writestr(f"{module}/__init__.py" if "/" not in module else f"{module}.py", "")
        if any("/" in module for module in modules):
            archive.writestr("scipy/__init__.py", "")
        archive.writestr("tiny_padding.bin", os.urandom(pad_bytes))
        info = "tiny-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def lock(checkout: Path, wheel: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (checkout / "requirements.lock").write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with an empty virtual environment: making one takes seconds, copying it none."""
    checkout = tmp_path_factory.mktemp("made") / "checkout"
    (checkout / "deploy").mkdir(parents=True)
    shutil.copy(SCRIPT, checkout / "deploy")
    (checkout / "backend.py").write_text(BACKEND)
    (checkout / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "small"\nversion = "1.0"\n'
    )
    subprocess.run([sys.executable, "-m", "venv", checkout / ".venv"], check=True)
    return checkout


@pytest.fixture
def checkout(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "checkout", symlinks=True)


def environment(**more: str) -> Mapping[str, str]:
    """This process's without its settings of pip, and with a cache that nothing lies in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return {**clean, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0", **more}


def set_up(checkout: Path, venv: str = ".venv", **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "deploy" / "setup_venv.sh", sys.executable, venv, "requirements.lock"],
        capture_output=True,
        text=True,
        env=environment(**more),
        check=False,
    )


def goes_on(checkout: Path, wheel: Path, venv: str = ".venv") -> None:
    """The same command, when its cause is gone, ends well."""
    again = set_up(checkout, venv, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheel.parent))
    assert again.returncode == 0, again.stderr
    assert "is complete; the command is" in again.stderr


@contextmanager
def index(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A package index on a free port of this machine, whose only file is answered so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(".whl"):
                answer(self)
                return
            page = f'<a href="/{WHEEL}">{WHEEL}</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_no_package_index_in_reach(checkout: Path, tmp_path: Path) -> None:
    wheel = pack(tmp_path / "wheels" / WHEEL)
    lock(checkout, wheel)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}/simple"
    ran = set_up(checkout, PIP_INDEX_URL=closed)
    assert ran.returncode == 1
    assert "setup: no package index in reach" in ran.stderr
    assert "PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER" in ran.stderr
    goes_on(checkout, wheel)


@pytest.mark.parametrize("broken", [1, 9])
def test_a_connection_that_breaks_in_the_middle_of_a_wheel(
    checkout: Path, tmp_path: Path, broken: int
) -> None:
    """Once: it is fetched anew, past pip's cache. Each time: it is said."""
    wheel = pack(tmp_path / "wheels" / WHEEL, pad_bytes=200_000)
    lock(checkout, wheel)
    cache = {"PIP_NO_CACHE_DIR": "0", "PIP_CACHE_DIR": str(tmp_path / "cache")}
    asked = 0

    def half(request: BaseHTTPRequestHandler) -> None:
        nonlocal asked
        asked += 1
        data = wheel.read_bytes()
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[: len(data) // 2] if asked <= broken else data)

    with index(half) as url:
        ran = set_up(checkout, PIP_INDEX_URL=url, **cache)
    if asked > broken:
        assert ran.returncode == 0, ran.stderr
        return
    assert ran.returncode == 1
    assert "half downloaded" in ran.stderr or "broke in the middle of a file" in ran.stderr
    assert "run the same command again" in ran.stderr
    assert "Traceback" not in ran.stderr
    goes_on(checkout, wheel)


def test_a_wheel_that_is_half_there_or_another_one(checkout: Path, tmp_path: Path) -> None:
    wheel = pack(tmp_path / "wheels" / WHEEL)
    whole = wheel.read_bytes()
    lock(checkout, wheel)
    for damaged in (whole[: len(whole) // 2], whole[:-1] + b"x"):
        wheel.write_bytes(damaged)
        ran = set_up(checkout, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheel.parent))
        assert ran.returncode == 1
        assert "not the one that requirements.lock names" in ran.stderr
        assert "Nothing of it was installed" in ran.stderr
        assert WHEEL in ran.stderr
        assert not list(checkout.glob(".venv/lib/*/site-packages/cv2"))
    wheel.write_bytes(whole)
    goes_on(checkout, wheel)


def test_no_space_left(checkout: Path, tmp_path: Path, absent: Callable[[str], NoReturn]) -> None:
    wheel = pack(tmp_path / "wheels" / WHEEL, pad_bytes=3_000_000)
    lock(checkout, wheel)
    size_mb = sum(path.lstat().st_size for path in (checkout / ".venv").rglob("*")) // 1_000_000
    with small_disk(checkout / "disk", size_mb + 12, absent) as disk:
        shutil.copytree(checkout / ".venv", disk / "venv", symlinks=True)
        filler = disk / "filler"
        filler.write_bytes(b"x" * max(shutil.disk_usage(disk).free - 1_000_000, 0))
        ran = set_up(checkout, "disk/venv", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheel.parent))
        assert ran.returncode == 1
        assert "setup: no space left for the packages" in ran.stderr
        assert "disk/venv" in ran.stderr
        filler.unlink()
        goes_on(checkout, wheel, "disk/venv")


def test_a_package_that_cannot_be_loaded(checkout: Path, tmp_path: Path) -> None:
    """As where a library of the system is missing, which an ordinary user cannot install."""
    wheel = pack(tmp_path / "wheels" / WHEEL, modules=("av", "onnxruntime", "scipy/optimize"))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(
            "cv2/__init__.py", "raise ImportError('libGL.so.1: cannot open shared object file')\n"
        )
    lock(checkout, wheel)
    ran = set_up(checkout, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheel.parent))
    assert ran.returncode == 1
    assert "libGL.so.1: cannot open shared object file" in ran.stderr
    assert "without root, ask who administers this machine" in ran.stderr


def test_a_python_that_is_missing_or_too_old(checkout: Path) -> None:
    script = checkout / "deploy" / "setup_venv.sh"
    ran = subprocess.run(
        [script, "python9.9", ".venv", "requirements.lock"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "there is no 'python9.9' here" in ran.stderr
    old = checkout / "old"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n')
    old.chmod(0o755)
    ran = subprocess.run(
        [script, old, ".venv", "requirements.lock"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "is Python 3.9.2; Stopline needs 3.11 or newer" in ran.stderr
