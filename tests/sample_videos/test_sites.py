"""The committed clips against the product: site files load, lamps read as the truth says, lines lie where wheels cross."""

from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np
import pytest

from api.site_file import load_site_file
from detector.lamps import read_head
from rules.geometry import distance_along
from tests.sample_videos.clip_files import SAMPLES, present, truth

CLIPS = present()


@pytest.mark.parametrize("clip", CLIPS)
def test_site_file_is_in_order(clip: str) -> None:
    loaded = load_site_file(SAMPLES / f"{clip}.yaml")
    (camera,) = loaded.site.cameras
    assert [camera.width_px, camera.height_px] == truth()[clip]["size"]


@pytest.mark.parametrize("clip", CLIPS)
def test_crossings_lie_on_their_line(clip: str) -> None:
    (camera,) = load_site_file(SAMPLES / f"{clip}.yaml").site.cameras
    lines = {line.line_id: line for line in camera.stop_lines}
    for crossing in truth()[clip]["crossings"]:
        line = lines[crossing["line"]]
        point = (crossing["at_px"][0], crossing["at_px"][1])
        assert abs(distance_along(point, line.line_px, line.direction)) < 2.5


@pytest.mark.parametrize("clip", [clip for clip in CLIPS if truth()[clip]["signal"]])
def test_lamps_read_as_they_are(clip: str, figure: Callable[[str, object], None]) -> None:
    """Away from changes by a fifth of a second, every lamp that is read is right, and 95 % are read."""
    heads = {head.head_id: head.box_px for head in load_site_file(SAMPLES / f"{clip}.yaml").site.heads}
    right = wrong = unknown = 0
    with av.open(str(SAMPLES / f"{clip}.mp4")) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 10:
                continue
            planes = [
                np.asarray(memoryview(p)).reshape(p.height, p.line_size)[:, : p.width] for p in frame.planes
            ]
            t_s = number / truth()[clip]["fps"]
            for head_id, spans in truth()[clip]["signal"].items():
                state = next((s for s, a, b in spans if a + 0.2 <= t_s < b - 0.2), None)
                if head_id not in heads or state is None or state.startswith("flashing"):
                    continue
                read, _ = read_head(planes[0], planes[1], planes[2], heads[head_id])
                right += read == state
                unknown += read == "unknown"
                wrong += read not in (state, "unknown")
    figure(f"{clip}_lamps", f"{right} right, {unknown} unknown, {wrong} wrong")
    assert wrong == 0
    assert right >= 0.95 * (right + unknown)
