"""Serves a recording over RTSP for the length of a test; ``serve_rtsp`` is its fixture (tests/ingest/conftest.py)."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

SYSTEM_PYTHON = Path("/usr/bin/python3")
SERVER = Path(__file__).with_name("rtsp_server.py")
NEEDS = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "raise SystemExit([name for name in ('qtdemux', 'h264parse', 'rtph264pay', 'h265parse', 'rtph265pay', 'appsrc')"
    " if Gst.ElementFactory.find(name) is None] or None)"
)
END_WITHIN_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A recording being served. ``url`` has the account in it, where there is one."""

    url: str
    port: int
    process: subprocess.Popen[str]


def why_not() -> str | None:
    """Why no RTSP server can be run here; None when one can."""
    if not SYSTEM_PYTHON.is_file():
        return f"needs {SYSTEM_PYTHON} with gi and GStreamer's RTSP server (make setup-system)"
    tried = subprocess.run([SYSTEM_PYTHON, "-c", NEEDS], capture_output=True, text=True, check=False)
    if tried.returncode == 0:
        return None
    reason = tried.stderr.strip().splitlines()[-1] if tried.stderr.strip() else "unknown"
    return f"needs gi and GStreamer's RTSP server for {SYSTEM_PYTHON} (make setup-system): {reason}"


@contextmanager
def serve(
    path: Path | str,
    absent: Callable[[str], NoReturn],
    *more: Path | str,
    user: str | None = None,
    password: str = "",
    basic: bool = False,
    loop: bool = False,
    port: int = 0,
) -> Iterator[Camera]:
    """Serves ``path`` (H.264 or H.265 in MP4, or "sound") and ``more`` until the block ends, on a free port where none is given.

    ``absent`` is called where that cannot be.
    """
    reason = why_not()
    if reason:
        absent(reason)
    options = ["--user", user, "--password", password] if user else []
    options += ["--basic"] * basic + ["--loop"] * loop + ["--port", str(port)]
    process = subprocess.Popen(
        [SYSTEM_PYTHON, SERVER, path, *more, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            assert ready[:1] == ["ready"], "the RTSP server did not start"
            login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
            bound = int(ready[1])
            yield Camera(url=f"rtsp://{login}127.0.0.1:{bound}/camera", port=bound, process=process)
        finally:
            process.send_signal(signal.SIGCONT)  # of a test that froze it
            process.terminate()
            try:
                process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
