"""What tests of ingest may ask for besides what every test may: a camera on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.rtsp import Camera, serve

Serve = Callable[..., Camera]


@pytest.fixture
def serve_rtsp(absent: Callable[[str], NoReturn]) -> Iterator[Serve]:
    """``serve_rtsp(path, user=…, password=…)`` serves a recording over RTSP until the test ends."""
    with ExitStack() as stack:

        def begin(path: Path, *more: Path, **options: Any) -> Camera:
            return stack.enter_context(serve(path, absent, *more, **options))

        yield begin
