"""The packages of the real clips' findings: whole, or saying why not, and showing what each photo must show."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from rules.geometry import distance_along
from tests.replay.conftest import Run

pytestmark = pytest.mark.footage

Replayed = Callable[..., Run]

CLIPS = ["hanoi_redlight", "hangzhou_parked_cars"]
AROUND_S = 5.0


def packages(run: Run) -> list[tuple[dict[str, Any], Path, dict[str, Any], dict[str, Any]]]:
    """Each asserted event with its folder, its manifest and its trace."""
    found = []
    for event in run.asserted:
        folder = run.folder / event["evidence"]
        manifest = json.loads((run.folder / event["manifest"]).read_text(encoding="utf-8"))
        trace = json.loads((folder / "trace.json").read_text(encoding="utf-8"))
        found.append((event, folder, manifest, trace))
    return found


@pytest.mark.parametrize("clip", CLIPS)
def test_every_package_is_complete_or_lacks_only_a_readable_plate_or_a_red_third_photo(
    replayed: Replayed, clip: str, figure: Callable[[str, object], None]
) -> None:
    built = packages(replayed(clip))
    assert built
    complete = 0
    for event, folder, manifest, _ in built:
        assert sha256((folder / "manifest.json").read_bytes()).hexdigest() == event["manifest_sha256"]
        assert {"scene-1.jpg", "scene-2.jpg", "scene-3.jpg", "clip.mp4", "trace.json"} <= {
            path.name for path in folder.iterdir()
        }
        complete += manifest["package"] == "complete"
        # Who jumps the last seconds of a red light is photographed beyond the line when it is green.
        assert all(
            "plate" in reason or ("'further_on'" in reason and reason.endswith("is green, not red"))
            for reason in manifest["reasons"]
        )
        assert bool(manifest["reasons"]) == (manifest["package"] == "incomplete")
    figure(f"{clip}: packages complete, of {len(built)}", complete)


@pytest.mark.parametrize("clip", CLIPS)
def test_each_file_of_a_package_is_as_its_manifest_says(replayed: Replayed, clip: str) -> None:
    for _, folder, manifest, _ in packages(replayed(clip)):
        listed = {entry["name"]: entry["sha256"] for entry in manifest["files"]}
        assert set(listed) | {"manifest.json", "manifest.sig"} == {path.name for path in folder.iterdir()}
        for name, expected in listed.items():
            assert sha256((folder / name).read_bytes()).hexdigest() == expected


def test_red_light_photos_show_before_the_line_past_it_and_further_on(replayed: Replayed) -> None:
    for event, _, _, trace in packages(replayed("hanoi_redlight")):
        points = {point["index"]: point for point in trace["trace"]}
        photos = {photo["role"]: photo for photo in trace["photos"]}
        if event["rule"] != "red_light":
            continue
        assert points[photos["before_line"]["index"]]["leading_m"] < 0.0
        assert points[photos["past_line"]["index"]]["trailing_m"] >= 0.0
        further = points[photos["further_on"]["index"]]
        (ax, ay), (bx, by) = trace["further_line_px"]
        left, _, right, bottom = further["box_px"]
        shown = ((left + right) / 2.0, bottom)
        assert distance_along(shown, ((ax, ay), (bx, by)), (0.0, -1.0)) >= 0.0
        assert (
            photos["before_line"]["media_s"]
            < photos["past_line"]["media_s"]
            < photos["further_on"]["media_s"]
        )


def test_parking_photos_lie_further_apart_than_the_allowed_stop(replayed: Replayed) -> None:
    for _, _, _, trace in packages(replayed("hangzhou_parked_cars")):
        taken = [photo["media_s"] for photo in trace["photos"]]
        assert len(taken) == 3
        assert taken[-1] - taken[0] > trace["allowed_stop_s"]
        assert all(later - earlier >= 10.0 for earlier, later in pairwise(taken))


@pytest.mark.parametrize("clip", CLIPS)
def test_the_clip_reaches_five_seconds_around_the_event_or_says_where_the_footage_ends(
    replayed: Replayed, clip: str
) -> None:
    for event, folder, manifest, _ in packages(replayed(clip)):
        told = manifest["clip"]
        if told["begins"] == "as_wanted":
            assert told["first_media_s"] <= event["t_s"] - AROUND_S
        else:
            assert "start" in told["begins"]
        if told["ends"] == "as_wanted":
            assert told["last_media_s"] >= event["t_s"] + AROUND_S
        else:
            assert "end" in told["ends"]
        with av.open(str(folder / "clip.mp4")) as container:
            pictures = sum(1 for _ in container.decode(video=0))
        assert pictures == sum(part["pictures"] for part in told["parts"])
