"""A watch in a thread of the test, its worker processes real, and what it logged and showed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.clock import SystemClock
from api.settings import Settings
from api.work.camera_figures import CameraFigures, CameraState
from api.work.live_metrics import FleetFigures
from api.work.watch import WatchRequest, watch
from tests.builders.live import Script, ScriptedPipelines


@dataclass
class Watching:
    """``log`` are the events so far; ``figures`` those shown last."""

    data: Path
    log: list[dict[str, Any]] = field(default_factory=list)
    figures: FleetFigures | None = None
    failure: BaseException | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def shown(self) -> FleetFigures:
        """The figures shown last; an AssertionError while there are none."""
        assert self.figures is not None
        return self.figures

    def camera(self, camera_id: str) -> CameraFigures:
        """The figures of that camera; raises KeyError while there are none."""
        return {one.camera_id: one for one in self.shown.cameras}[camera_id]

    def until(self, holds: Callable[[], bool], within_s: float = 60.0) -> float:
        """Waits until it holds; the seconds that it took. Real cameras and processes can't be handed a clock."""
        began_s = time.monotonic()
        while time.monotonic() - began_s < within_s:
            if self.failure is not None:
                raise self.failure
            try:
                if holds():
                    return time.monotonic() - began_s
            except (KeyError, AssertionError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"not within {within_s} s; {self.figures}; {self.log[-20:]}")

    def is_live(self, *camera_ids: str) -> bool:
        return all(
            self.camera(one).state is CameraState.LIVE and self.camera(one).frames for one in camera_ids
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.log if one["event"] == name]

    def end(self) -> None:
        """Stops it and waits until it has finished."""
        self.stop.set()
        assert self.thread is not None
        self.thread.join(60.0)
        assert not self.thread.is_alive()
        if self.failure is not None:
            raise self.failure


@contextmanager
def watching(
    sites: Path,
    data: Path,
    scripts: Mapping[str, Script],
    *,
    workers: int = 2,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Watching]:
    """Watches the cameras of the site files in ``sites`` until the block ends."""
    settings = Settings.of(
        {"HOME": str(data), "STOPLINE_CAMERA_NETWORKS": "127.0.0.0/8", **(environment or {})}
    )
    found = Watching(data=data)
    request = WatchRequest(
        sites=[sites],
        data=data,
        settings=settings,
        pipelines=ScriptedPipelines(scripts=scripts),
        workers=workers,
    )

    def log(event: str, **facts: object) -> None:
        found.log.append({"event": event, **facts})

    def show(figures: FleetFigures) -> None:
        found.figures = figures

    def run() -> None:
        try:
            watch(request, SystemClock(), log, found.stop.is_set, show)
        except BaseException as exc:  # noqa: BLE001 - it is raised in the test's thread
            found.failure = exc

    found.thread = threading.Thread(target=run)
    found.thread.start()
    try:
        yield found
    finally:
        found.stop.set()
        found.thread.join(60.0)
    if found.failure is not None:
        raise found.failure
