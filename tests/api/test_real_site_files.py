"""The site files of the real clips hold what a person drew and measured there, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest
import yaml

from api.site_file import load_site_file
from rules.site import NoParkingZone, PlatePolicy, StopLine

SITES = Path(__file__).parents[1] / "sites"
CLIPS = (
    "carpark_cars",
    "carpark_person_bicycle_car",
    "hangzhou_parked_cars",
    "hanoi_crowd_at_stopline",
    "hanoi_redlight",
    "twoway_road",
    "uk_signal_cycle",
)
DRAWN = {
    "document": {"site", "heads", "cameras", "detector"},
    "site": {"id", "name", "time_zone"},
    "heads": {"id", "camera", "box"},
    "cameras": {"id", "size_px", "stop_lines", "no_parking", "gates"},
    "stop_lines": {"id", "movement", "line", "further_on", "direction", "view", "scale", "heads"},
    "scale": {"from", "to", "length_m"},
    "no_parking": {"id", "zone", "allowed_stop_s"},
    "gates": {"id", "line", "direction"},
    "detector": {"input_size"},
}


def site_text(name: str) -> str:
    return (SITES / f"{name}.yaml").read_text(encoding="utf-8")


def test_each_real_clip_has_a_site_file_and_there_is_one_variant_that_reads_all_plates(shared: Path) -> None:
    assert {path.stem for path in (shared / "footage").glob("*.mp4")} == set(CLIPS)
    assert {path.stem for path in SITES.glob("*.yaml")} == {*CLIPS, "hangzhou_parked_cars_all_plates"}
    strip_remarks = "\n".join(
        line for line in site_text("hangzhou_parked_cars").splitlines() if "# " not in line
    )
    assert (
        site_text("hangzhou_parked_cars_all_plates").split("\n", 1)[1]
        == f"{strip_remarks}\n    plates: all\n"
    )


@pytest.mark.parametrize("name", CLIPS)
def test_every_setting_is_the_default(name: str) -> None:
    def check(part: Any, kind: str) -> None:
        if isinstance(part, list):
            for item in part:
                check(item, kind)
        elif isinstance(part, dict):
            assert set(part) <= DRAWN[kind], kind
            for key in set(part) & set(DRAWN):
                check(part[key], key)

    check(yaml.safe_load(site_text(name)), "document")


@pytest.mark.parametrize("name", CLIPS)
def test_the_site_as_loaded_differs_from_the_rules_defaults_in_geometry_only(name: str) -> None:
    site = load_site_file(SITES / f"{name}.yaml").site
    assert site.plate_profile == "ga36"
    (camera,) = site.cameras
    assert (camera.plates, camera.max_gap_s) == (PlatePolicy.CANDIDATES, 0.5)
    for line in camera.stop_lines:
        assert (line.grace_s, line.standing_s) == (
            StopLine.__dataclass_fields__["grace_s"].default,
            StopLine.__dataclass_fields__["standing_s"].default,
        )
    for zone in camera.no_parking:
        assert (zone.windows, zone.exempt_classes) == ((), frozenset())
        assert zone.max_unseen_share == NoParkingZone.__dataclass_fields__["max_unseen_share"].default


@pytest.mark.parametrize("name", CLIPS)
def test_the_picture_is_as_large_as_the_site_file_says(name: str, shared: Path) -> None:
    (camera,) = load_site_file(SITES / f"{name}.yaml").site.cameras
    with av.open(str(shared / "footage" / f"{name}.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (camera.width_px, camera.height_px)


def test_the_geometry_that_truth_knows_is_unrounded(shared: Path) -> None:
    truth = json.loads((shared / "footage" / "truth.json").read_text(encoding="utf-8"))

    known = truth["hanoi_redlight.mp4"]
    site = load_site_file(SITES / "hanoi_redlight.yaml").site
    (line,) = site.cameras[0].stop_lines
    assert [list(end) for end in line.line_px] == [pytest.approx(end, abs=1e-9) for end in known["stop_line"]]
    assert list(site.heads[0].box_px) == pytest.approx(known["signal_head"]["box"], abs=1e-9)
    assert line.direction == (0.0, -1.0)
    assert line.scale_px_per_m == pytest.approx(75 / 4.4)

    known = truth["hangzhou_parked_cars.mp4"]
    (zone,) = load_site_file(SITES / "hangzhou_parked_cars.yaml").site.cameras[0].no_parking
    assert [list(corner) for corner in zone.polygon_px] == [
        pytest.approx(corner, abs=1e-9) for corner in known["no_parking_zone"]
    ]
    assert zone.allowed_stop_s == known["use_allowed_stop_s"]


def test_no_stop_line_whose_signal_is_not_in_the_picture_has_a_head_that_is_sampled() -> None:
    for name in ("hanoi_crowd_at_stopline", "twoway_road"):
        site = load_site_file(SITES / f"{name}.yaml").site
        assert site.cameras[0].stop_lines
        assert site.heads == ()
