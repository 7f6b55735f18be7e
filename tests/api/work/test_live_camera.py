"""A mistake of ours ends no camera: it is told with its place, and the camera begins anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from api.bootstrap import OpenedSource
from api.clock import SystemClock
from api.settings import load_settings
from api.work.camera_figures import CameraFigures, CameraState
from api.work.custody import open_custody
from api.work.live_camera import LiveCamera
from api.work.package_store import open_store
from evidence.budget import Budget
from evidence.delivery import InlineDelivery
from evidence.records_sql import SqlRecords
from ingest.local_lease import LocalLeases
from tests.builders.live import Script, ScriptedLivePipeline
from tests.builders.scripted import a_site
from tests.builders.signing import a_signer


@dataclass
class Mistaken(ScriptedLivePipeline):
    """Divides by zero when it is to connect; notes what was told of the camera at each attempt, and ends it at the second."""

    ended: Callable[[], None] = lambda: None
    told: Callable[[], CameraFigures] | None = None
    seen: list[CameraFigures] = field(default_factory=list)

    def open_live(self, segment: int, on_thread: Callable[[int], None]) -> OpenedSource:
        assert self.told is not None
        self.seen.append(self.told())
        if len(self.seen) == 2:
            self.ended()
        raise ZeroDivisionError


def test_a_mistake_is_told_with_its_place_and_the_camera_is_tried_again(tmp_path: Path) -> None:
    clock = SystemClock()
    pipeline = Mistaken(a_site(), "cam1", Script(), load_settings(), clock)
    with closing(SqlRecords(tmp_path / "records.sqlite")) as records:
        custody = open_custody(tmp_path, records, a_signer(), clock.now)
        camera = LiveCamera(
            pipeline.site_file,
            "cam1",
            pipeline,
            data=tmp_path,
            lease=lambda: LocalLeases(tmp_path / "leases").acquire("cam1"),
            delivery=InlineDelivery(tmp_path, open_store(tmp_path, None, clock.now), custody),
            sign=custody.signature,
            budget=Budget(),
            clock=clock,
            chance=lambda: 0.0,
        )
        pipeline.told, pipeline.ended = camera.meter.figures, camera.stop
        camera.run()
    first, second = pipeline.seen
    assert (first.state, first.message) == (CameraState.CONNECTING, None)
    assert (second.state, second.code) == (CameraState.FAILED, "internal")
    assert second.message is not None
    assert second.message.startswith("ZeroDivisionError in test_live_camera.py, line ")
    assert camera.meter.figures().state is CameraState.STOPPED
