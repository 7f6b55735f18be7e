"""A camera that sends a recording over RTSP gives the events of that recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import av
import pytest

from api.cli.main import main
from tests import rtsp
from tests.replay.conftest import SITES, Run

pytestmark = pytest.mark.footage

CLIP = "hanoi_redlight"
NEARLY_ALL_S = 63.0
"""The clip is 64 s long; a viewer that ends by itself need not wait for the end of the stream to be noticed."""


@pytest.fixture(scope="module")
def live(
    tmp_path_factory: pytest.TempPathFactory, shared: Path, weights: Path, absent: Callable[[str], NoReturn]
) -> Run:
    """The run over the stream of a real RTSP server."""
    out = tmp_path_factory.mktemp("live")
    with (
        pytest.MonkeyPatch.context() as patch,
        rtsp.serve(shared / "footage" / f"{CLIP}.mp4", absent) as camera,
    ):
        patch.setenv("STOPLINE_CAMERA_NETWORKS", "127.0.0.0/8")
        arguments = ["replay", camera.url, "--site", str(SITES / f"{CLIP}.yaml"), "--out", str(out)]
        arguments += ["--weights", str(weights), "--duration", str(NEARLY_ALL_S), "--progress", "none"]
        assert main(arguments) == 0
    return Run(folder=out)


def frame_s(shared: Path) -> float:
    with av.open(str(shared / "footage" / f"{CLIP}.mp4")) as container:
        rate = container.streams.video[0].average_rate
        assert rate is not None
        return float(1 / rate)


def test_the_stream_gives_the_events_of_the_file_within_a_frame(
    live: Run, replayed: Callable[..., Run], shared: Path, figure: Callable[[str, object], None]
) -> None:
    def key(event: dict[str, Any]) -> tuple[str, str, str]:
        return (event["rule"], event["status"], event["vehicle_class"])

    by_file, by_stream = replayed(CLIP).events, live.events
    figure("events of the file, of the stream", f"{len(by_file)}, {len(by_stream)}")
    assert [key(event) for event in by_stream] == [key(event) for event in by_file]
    apart_s = [abs(one["t_s"] - other["t_s"]) for one, other in zip(by_file, by_stream, strict=True)]
    figure("largest difference s", max(apart_s))
    assert max(apart_s) <= frame_s(shared)


def test_the_stream_is_stamped_by_arrival_or_by_the_camera(live: Run) -> None:
    assert all(event["captured_at"] is not None for event in live.events)
    assert live.summary["frames"] > 300
