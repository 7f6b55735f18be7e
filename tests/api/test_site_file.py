"""A site file either becomes the site that was drawn, or every mistake in it is named with line, field and remedy."""

from __future__ import annotations

import math
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.errors import ConfigInvalidError
from api.site_file import SiteFile, load_site_file, parse_site_file
from evidence.retention import Period, Periods
from rules.observation import ObjectClass
from rules.site import PlatePolicy, View, Window
from rules.site_movement import TurnOnRed

EXAMPLE = Path(__file__).parents[2] / "api" / "example.site.yaml"

TEXT = """\
site: {id: crossing, name: A crossing, time_zone: Asia/Shanghai}
heads:
  - {id: left, camera: north, box: [0.1, 0.1, 0.12, 0.2]}
  - {id: unseen}
cameras:
  - id: north
    size_px: [1000, 500]
    stop_lines:
      - id: ahead
        movement: straight
        line: [[0.2, 0.8], [0.8, 0.8]]
        further_on: [[0.2, 0.5], [0.8, 0.5]]
        direction: [[0.5, 0.9], [0.5, 0.4]]
        view: departing
        scale: {from: [0.5, 0.9], to: [0.5, 0.7], length_m: 5}
        heads: [left]
    no_parking:
      - id: kerb
        zone: [[0.0, 0.0], [0.1, 0.0], [0.1, 0.1], [0.0, 0.1]]
        allowed_stop_s: 60
        windows: [{days: [fri, sat], from: 22:00, to: 06:00}]
        exempt: [bus]
    gates:
      - {id: gate, line: [[0.0, 0.3], [1.0, 0.3]], direction: [[0.5, 0.9], [0.5, 0.1]]}
"""


def changed(old: str, new: str) -> str:
    assert TEXT.count(old) >= 1, f"{old!r} is not in the text"
    return TEXT.replace(old, new, 1)


def problems(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(ConfigInvalidError) as caught:
        parse_site_file(text.encode(), "crossing.yaml")
    assert caught.value.code == "config_invalid"
    assert all(line.startswith("crossing.yaml") for line in str(caught.value).splitlines())
    return [(p.line, p.field, p.message) for p in caught.value.problems]


def parse(text: str) -> SiteFile:
    return parse_site_file(text.encode(), "crossing.yaml")


def test_shares_become_pixels_of_the_cameras_picture() -> None:
    site = parse(TEXT).site
    camera = site.camera("north")
    (line,) = camera.stop_lines
    assert line.line_px == ((200.0, 400.0), (800.0, 400.0))
    assert line.direction == (0.0, -1.0)
    assert line.view is View.DEPARTING
    assert line.scale_px_per_m == pytest.approx(100.0 / 5.0)
    assert site.heads[0].box_px == pytest.approx((100.0, 50.0, 120.0, 100.0))
    (zone,) = camera.no_parking
    assert zone.polygon_px[1] == (100.0, 0.0)
    assert zone.exempt_classes == {ObjectClass.BUS}
    assert zone.windows == (Window(days=frozenset({4, 5}), start_min=1320, end_min=360),)
    assert camera.gates[0].direction == (0.0, -1.0)


def test_a_scale_measured_at_a_slant_is_projected_on_the_direction() -> None:
    text = changed("to: [0.5, 0.7], length_m: 5", "to: [0.53, 0.7], length_m: 5")
    (line,) = parse(text).site.camera("north").stop_lines
    # 30 px across and 100 px along: only the 100 count.
    assert line.scale_px_per_m == pytest.approx(20.0)


def test_what_is_left_out_gets_the_default_that_the_rules_declare() -> None:
    camera = parse(TEXT).site.camera("north")
    assert camera.stop_lines[0].grace_s == 0.3
    assert camera.stop_lines[0].standing_s == 3.0
    assert camera.no_parking[0].max_unseen_share == 0.2
    assert camera.max_gap_s == 0.5
    assert camera.plates is PlatePolicy.CANDIDATES


def test_a_head_that_no_camera_sees_is_named_by_its_line_and_sampled_by_nobody() -> None:
    site = parse(changed("heads: [left]", "heads: [unseen]")).site
    assert site.camera("north").stop_lines[0].head_ids == ("unseen",)
    assert [head.head_id for head in site.heads] == ["left"]


def test_the_same_bytes_have_the_same_hash() -> None:
    assert parse(TEXT).sha256 == parse(TEXT).sha256 != parse(TEXT + "\n").sha256


def test_the_example_is_in_order() -> None:
    assert load_site_file(EXAMPLE).site.site_id == "beishan-jiefang"


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        ("movement: straight", "movment: straight", 10, "movment", "did you mean 'movement'?"),
        ("heads: [left]", "heads: [lefft]", 16, "heads[0]", "unknown head 'lefft'; did you mean 'left'?"),
        ("heads: [left]", "heads: []", 16, "heads", "at least one is wanted"),
        ("heads: [left]", "heads: [left, left]", 16, "heads[1]", "named twice"),
        ("Asia/Shanghai", "Asia/Shangai", 1, "site.time_zone", "did you mean 'Asia/Shanghai'?"),
        ("Asia/Shanghai", "Moon/Base", 1, "site.time_zone", "give an IANA name such as Asia/Shanghai"),
        ("id: unseen", "id: left", 4, "heads[1].id", "duplicate id 'left', already used by heads[0]"),
        ("id: gate", "id: ahead", 24, "gates[0].id", "already used by cameras[0].stop_lines[0]"),
        ("id: crossing", "id: a/b", 1, "site.id", "only letters, digits, - and _ are allowed"),
        ("id: crossing", "id: 12", 1, "site.id", "put it in quotes"),
        ("name: A crossing, ", "", 1, "site.name", "missing: The site's name"),
        ("camera: north, box", "camera: nord, box", 3, "heads[0].camera", "did you mean 'north'?"),
        ("camera: north, ", "", 3, "heads[0]", "camera is missing: give camera and box, or neither"),
        ("[0.1, 0.1, 0.12, 0.2]", "[0.1, 0.1, 0.102, 0.11]", 3, "heads[0].box", "2.0 x 5.0 px is too small"),
        ("[0.1, 0.1, 0.12, 0.2]", "[0.12, 0.1, 0.1, 0.2]", 3, "heads[0].box", "[left, top, right, bottom]"),
        ("[0.1, 0.1, 0.12, 0.2]", "[0.1, 0.1, 0.12]", 3, "heads[0].box[3]", "a value is missing"),
        ("[0.1, 0.1, 0.12, 0.2]", "[0.1, 0.1, 1.12, 0.2]", 3, "heads[0].box", "outside the picture"),
        ("[[0.2, 0.8], [0.8, 0.8]]", "[[0.2, 0.8], [1.8, 0.8]]", 11, "line[1]", "from 0 to 1"),
        ("[[0.2, 0.8], [0.8, 0.8]]", "[[200, 400], [800, 400]]", 11, "line[0]", "outside the picture"),
        ("[[0.2, 0.8], [0.8, 0.8]]", "[[-0.1, 0.8], [0.8, 0.8]]", 11, "line[0]", "outside the picture"),
        ("[[0.2, 0.8], [0.8, 0.8]]", "[[0.2, 0.8], [0.2, 0.8]]", 11, "line", "two different ones"),
        ("[[0.2, 0.8], [0.8, 0.8]]", "[[0.2, 0.8], [.nan, 0.8]]", 11, "line[1][0]", "valid number"),
        ("further_on: [[0.2, 0.5]", "further_on: [[0.2, 0.9]", 12, "further_on", "before the stop line"),
        ("[[0.5, 0.9], [0.5, 0.4]]", "[[0.1, 0.9], [0.9, 0.9]]", 13, "direction", "runs along the line"),
        ("[[0.5, 0.9], [0.5, 0.4]]", "[[0.5, 0.4], [0.5, 0.9]]", 12, "further_on", "turn the arrow"),
        ("view: departing", "view: leaving", 14, "view", "one of approaching, departing"),
        ("to: [0.5, 0.7], length", "to: [0.5, 0.9], length", 15, "scale", "two different ones"),
        ("to: [0.5, 0.7], length", "to: [0.9, 0.9], length", 15, "scale", "90° to the direction of travel"),
        ("length_m: 5", "length_m: 0", 15, "scale.length_m", "greater than 0"),
        ("size_px: [1000, 500]", "size_px: [1000.5, 500]", 7, "size_px[0]", "valid integer"),
        (
            "[0.1, 0.0], [0.1, 0.1]",
            "[0.1, 0.1], [0.1, 0.0]",
            19,
            "zone",
            "corners 1–2 crosses or touches the edge between corners 3–4",
        ),
        (", [0.1, 0.1], [0.0, 0.1]]", "]", 19, "zone", "2 corners; a zone needs at least 3"),
        (", [0.0, 0.1]]", ", [0.0, 0.0]]", 19, "zone", "the last corner repeats the first"),
        ("[0.1, 0.0], [0.1, 0.1], [0.0, 0.1]", "[0.1, 0.0], [0.1, 0.00001]", 19, "zone", "needs an area"),
        ("allowed_stop_s: 60", "allowed_stop_s: -1", 20, "allowed_stop_s", "-1: input should be greater"),
        ("allowed_stop_s: 60", 'allowed_stop_s: "60"', 20, "allowed_stop_s", "valid number"),
        ("[bus]", "[buss]", 22, "exempt[0]", "did you mean 'bus'?"),
        ("[fri, sat]", "[fri, saturday]", 21, "days[1]", "did you mean 'sat'?"),
        ("from: 22:00", "from: 22.00", 21, "from", "write HH:MM"),
        ("from: 22:00", "from: 25:00", 21, "from", "write HH:MM"),
        ("from: 22:00", "from: 06:00", 21, "windows[0]", "whole day is from 00:00 to 24:00"),
        ("from: 22:00", "from: 24:00", 21, "windows[0]", "cannot start at 24:00"),
        ("[[0.0, 0.3], [1.0, 0.3]]", "[[0.5, 0.0], [0.5, 1.0]]", 24, "direction", "runs along the line"),
        ("    size_px", "    plates: every\n    size_px", 7, "plates", "one of off, candidates, all"),
        (
            "cameras:",
            "detector: {input_size: [400, 416]}\ncameras:",
            5,
            "input_size[0]",
            "384 is the nearest",
        ),
        ("site: {", "site: {id: again, ", 1, "site.id", "given twice (first on line 1)"),
    ],
)
def test_a_mistake_is_named_with_its_line_its_field_and_the_remedy(
    old: str, new: str, line: int, field: str, message: str
) -> None:
    found = problems(changed(old, new))
    assert any(f[0] == line and f[1].endswith(field) and message in f[2] for f in found), found


def test_no_mistake_draws_a_second_complaint_about_what_is_right() -> None:
    assert len(problems(changed("movement: straight", "movment: straight"))) == 1
    assert len(problems(changed("allowed_stop_s: 60", "allowed_stop_s: -1"))) == 1
    assert len(problems(changed("heads: [left]", "heads: [lefft]"))) == 1


def test_several_mistakes_are_reported_at_once_in_the_order_of_their_lines() -> None:
    text = (
        TEXT.replace("[[0.2, 0.8], [0.8, 0.8]]", "[[0.2, 1.8], [0.8, 0.8]]")
        .replace("allowed_stop_s: 60", "allowed_stop: 60")
        .replace("view: departing", "view: behind")
        .replace("[0.1, 0.0], [0.1, 0.1]", "[0.1, 0.1], [0.1, 0.0]")
    )
    assert [line for line, _, _ in problems(text)] == [11, 14, 18, 19, 20]


def test_every_part_that_refers_to_another_is_checked_at_once() -> None:
    text = (
        TEXT.replace("heads: [left]", "heads: [none]")
        .replace("Asia/Shanghai", "Shanghai")
        .replace("id: gate", "id: kerb")
    )
    assert [line for line, _, _ in problems(text)] == [1, 16, 24]


@pytest.mark.parametrize("top", ["", "[]", "3", "site", "site: 3", "cameras: {}", "site:\ncameras:"])
def test_a_document_that_is_no_site_at_all_says_what_is_wanted(top: str) -> None:
    assert all(message for _, _, message in problems(top))


def test_a_file_that_is_not_there_and_one_that_is_a_folder(tmp_path: Path) -> None:
    for path, why in [(tmp_path / "no.yaml", "No such file"), (tmp_path, "directory")]:
        with pytest.raises(ConfigInvalidError, match=why) as caught:
            load_site_file(path)
        assert str(path) in str(caught.value)


def test_garbage_in_any_place_is_an_error_with_a_place_or_still_a_site() -> None:
    """Whatever stands in a field: a site, or a ConfigInvalidError; nothing else escapes."""
    rng = random.Random(20260101)
    junk: list[Any] = [None, True, 0, -1, 1e308, math.inf, "", "x", "{}", "{0}", "%s", [], {}, [[]], [[0, 0]]]
    refused = 0
    for _ in range(600):
        document = yaml.safe_load(TEXT.replace("22:00", '"22:00"').replace("06:00", '"06:00"'))
        for _ in range(rng.randint(1, 3)):
            _put(document, rng, rng.choice(junk))
        try:
            parse_site_file(yaml.safe_dump(document).encode(), "f.yaml")
        except ConfigInvalidError as exc:
            refused += all(problem.message for problem in exc.problems)
    assert refused > 300


def _put(document: Any, rng: random.Random, value: Any) -> None:
    part = document
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        if not keys:
            return
        key = rng.choice(keys)
        if not isinstance(part[key], dict | list) or not part[key] or rng.random() < 0.2:
            part[key] = value
            return
        part = part[key]


LANES = """\
        movements:
          - {movement: left, heads: [left]}
          - {movement: right, heads: [unseen], on_red: allowed, exit: [[0.9, 0.5], [0.9, 0.7]]}
        lanes:
          - {id: "1", share: [0, 0.4], movements: [left]}
          - {id: "2", share: [0.4, 1], movements: [left, right]}
"""


def with_lanes(old: str = "", new: str = "") -> str:
    assert old in LANES
    text = TEXT.replace("        movement: straight\n", "").replace(
        "        heads: [left]\n", LANES.replace(old, new)
    )
    assert LANES.replace(old, new) in text
    return text


def test_a_stop_line_may_have_lanes_whose_movements_have_their_own_heads() -> None:
    (line,) = parse(with_lanes()).site.camera("north").stop_lines
    assert [(way.name, way.head_ids, way.on_red) for way in line.ways] == [
        ("left", ("left",), TurnOnRed.FORBIDDEN),
        ("right", ("unseen",), TurnOnRed.ALLOWED),
    ]
    assert line.ways[1].exit_px == ((900.0, 250.0), (900.0, 350.0))
    assert line.head_ids == ("left", "unseen")
    assert [lane.share for lane in line.lanes] == [(0.0, 0.4), (0.4, 1.0)]


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("heads: [unseen]", "heads: [usneen]", "movements[1].heads[0]", "unknown head 'usneen'"),
        ("heads: [unseen]", "heads: []", "movements[1].heads", "the list is empty"),
        ("movement: right", "movement: left", "movements[1].movement", "'left' is given twice"),
        ("[left, right]", "[left, straight]", "lanes[1].movements[1]", "none of the line's movements"),
        ("[0.4, 1]", "[0.3, 1]", "lanes[1].share", "lies partly in lane '1'"),
        ("[0.4, 1]", "[0.9, 0.4]", "lanes[1]", "from less than to"),
        ('id: "2"', 'id: "1"', "lanes[1].id", "duplicate id '1'"),
        ("        movements:\n", "        heads: [left]\n        movements:\n", "", "not both"),
    ],
)
def test_lanes_that_contradict_are_named(old: str, new: str, field: str, message: str) -> None:
    found = problems(with_lanes(old, new))
    assert any(name.endswith(field) and message in text for _, name, text in found), found


def test_a_stop_line_without_heads_or_with_an_unknown_line_before_it_is_named() -> None:
    assert "heads is missing" in problems(changed("        heads: [left]\n", ""))[0][2]
    lone = problems(changed("        heads: [left]\n", "        heads: [left]\n        waiting_for: ahead\n"))
    assert lone[0][1].endswith("waiting_for")


KERB = """\
        holiday_windows: []
        exceptions: [{from: 12:00, to: 13:00}]
        uses: [{use: loading, classes: [truck], allowed_stop_s: 900, windows: [{from: 05:00, to: 10:00}]}]
        queue: {direction: [[0.0, 0.5], [1.0, 0.5]], heads: [left], longest_s: 90}
        reenforce_s: 7200
    crosswalks:
      - {id: zebra, zone: [[0.2, 0.2], [0.3, 0.2], [0.3, 0.3]], heads: [left]}
"""
USE = "cameras[0].no_parking[0].uses[0]"
FULL = TEXT.replace(
    "Asia/Shanghai}",
    "Asia/Shanghai, holidays: [2026-10-01], exempt_plates: [{plate: 浙A1, why: permit, to: 2026-12-31}]}",
).replace("        exempt: [bus]\n", "        exempt: [bus]\n" + KERB)


def test_all_that_a_kerb_and_a_crossing_may_say_reaches_the_rules() -> None:
    site = parse_site_file(FULL.encode(), "crossing.yaml").site
    (zone,), (crossing,) = site.cameras[0].no_parking, site.cameras[0].crosswalks
    assert zone.holidays == {date(2026, 10, 1)}
    assert zone.holiday_windows == ()
    assert zone.exceptions == (Window(days=frozenset(range(7)), start_min=720, end_min=780),)
    (use,) = zone.uses
    assert use.classes == {ObjectClass.TRUCK}
    assert (use.kind.value, use.allowed_stop_s) == ("loading", 900)
    assert zone.queue is not None
    assert (zone.queue.direction, zone.queue.head_ids, zone.queue.longest_s) == ((1.0, 0.0), ("left",), 90)
    assert zone.reenforce_s == 7200
    assert (crossing.crosswalk_id, crossing.head_ids, crossing.grace_s) == ("zebra", ("left",), 1.0)
    (plate,) = site.exempt_plates
    assert (plate.text, plate.why, plate.first, plate.last) == ("浙A1", "permit", None, date(2026, 12, 31))


@pytest.mark.parametrize(
    ("old", "new", "field", "told"),
    [
        ("2026-10-01", "1 October", "site.holidays[0]", "write YYYY-MM-DD"),
        ("2026-10-01", "2026-13-01", "site.holidays[0]", "write YYYY-MM-DD"),
        ("permit, to", "permit, from: 2027-01-01, to", "site.exempt_plates[0]", "to lies before from"),
        ("use: loading", "use: picnic", "cameras[0].no_parking[0].uses[0].use", "picnic"),
        ("heads: [left], longest", "heads: [lef], longest", "cameras[0].no_parking[0].queue.heads[0]", "lef"),
        ("0.3]], heads: [left]", "0.3]], heads: []", "cameras[0].crosswalks[0].heads", "at least one"),
        ("0.3]], heads: [left]", "0.3]], heads: [x]", "cameras[0].crosswalks[0].heads[0]", "unknown head"),
        ("id: zebra", "id: kerb", "cameras[0].crosswalks[0].id", "duplicate id"),
        ("id: gate,", "id: gate, lanes: [0.6, 0.4],", "cameras[0].gates[0].lanes", "do not rise"),
        ("id: gate,", "id: gate, pictures: yes,", "cameras[0].gates[0].pictures", "one of none, forward"),
        (", holidays: [2026-10-01]", "", "cameras[0].no_parking[0].holiday_windows", "give site.holidays"),
        (
            "allowed_stop_s: 900",
            "allowed_stop_s: 60",
            f"{USE}.allowed_stop_s",
            "60 s is no more than the 60 s",
        ),
        ("classes: [truck]", "classes: [truck, bus]", f"{USE}.classes", "bus is exempt from the zone"),
        (
            "from: 05:00, to: 10:00",
            "from: 07:00, to: 22:00",
            f"{USE}.windows",
            "outside the hours of the zone",
        ),
        (
            "exceptions: [{from: 12:00, to: 13:00}]",
            "exceptions: [{from: 21:00, to: 02:00}, {from: 02:00, to: 06:30}]",
            "cameras[0].no_parking[0].exceptions",
            "would never hold",
        ),
    ],
)
def test_a_mistake_about_a_kerb_or_a_crossing_is_named(old: str, new: str, field: str, told: str) -> None:
    assert FULL.count(old) == 1
    ((line, where, message),) = problems(FULL.replace(old, new))
    assert line is not None
    assert where == field
    assert told in message


def test_periods_of_retention_reach_whoever_deletes() -> None:
    text = "retention:\n  rejected: {at_least_days: 30, at_most_days: 40}\n" + TEXT
    assert parse(text).document.retention.periods() == Periods(
        rejected=Period(at_least_days=30, at_most_days=40)
    )
    assert parse(TEXT).document.retention.periods() == Periods(), "nothing is deleted unasked"


@pytest.mark.parametrize(
    ("period", "field", "told"),
    [
        (
            "rejected: {at_least_days: 40, at_most_days: 30}",
            "retention.rejected",
            "stays 40 days at least cannot be",
        ),
        (
            "rejected: {at_least_days: -1, at_most_days: 30}",
            "retention.rejected.at_least_days",
            "greater than or",
        ),
        ("rejected: {at_least_days: 1.5, at_most_days: 3}", "retention.rejected.at_least_days", "integer"),
        (
            "rejected: {at_least_days: 1, at_most_days: 40000}",
            "retention.rejected.at_most_days",
            "less than or",
        ),
        (
            "rejected: {at_least_days: 30}",
            "retention.rejected.at_most_days",
            "missing: Days after which it must",
        ),
        ("rejected: 30", "retention.rejected", "named fields are wanted here"),
        ("confirm: {at_least_days: 1, at_most_days: 3}", "retention.confirm", "did you mean 'confirmed'"),
        (
            "appealed: {at_least_days: 1, at_most_days: 3}",
            "retention.appealed",
            "known here: open, held, exempt",
        ),
    ],
)
def test_a_mistake_about_retention_is_named(period: str, field: str, told: str) -> None:
    ((line, named, message),) = problems(f"retention:\n  {period}\n{TEXT}")
    assert (line, named) == (2, field)
    assert told in message
