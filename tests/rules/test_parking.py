"""Parking: who stood too long in a zone is found once, at the right time, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import parking
from rules.finding import Finding, Keep, Output, PhotoRole, Release, Rule, Status, Watch
from rules.geometry import iou
from rules.observation import Box, ObjectClass, Observation
from rules.schedule import LocalTime
from rules.site import Camera, NoParkingZone, Window
from rules.standing import stands_in
from tests.builders.scene import (
    Actor,
    a_bicycle,
    a_bus,
    a_car,
    a_motorcycle,
    a_person,
    observe,
)

KERB = NoParkingZone(
    zone_id="kerb", polygon_px=((0, 250), (640, 250), (640, 340), (0, 340)), allowed_stop_s=20
)
PLACE = (300.0, 300.0)
LANE_Y = 390.0
MIDNIGHT = datetime(2024, 4, 1, tzinfo=UTC)


def a_camera(*zones: NoParkingZone) -> Camera:
    return Camera(camera_id="cam1", width_px=640, height_px=480, no_parking=zones)


def judged(
    observations: Sequence[Observation],
    camera: Camera | None = None,
    wall_clock_from: datetime | None = None,
) -> list[Output]:
    """All outputs, in order, the end of the segment included."""
    camera = camera or a_camera(KERB)
    state = parking.initial(camera)
    said: list[Output] = []
    for observation in observations:
        local = None
        if wall_clock_from is not None:
            local = LocalTime.of(wall_clock_from + timedelta(seconds=observation.stamp.media_s))
        state, outputs = parking.step(state, observation, camera, local)
        said.extend(outputs)
    said.extend(parking.finish(state, camera)[1])
    return said


def findings(outputs: Sequence[Output]) -> list[Finding]:
    return [output for output in outputs if isinstance(output, Finding)]


def the_finding(outputs: Sequence[Output]) -> Finding:
    (finding,) = findings(outputs)
    return finding


def an_arriving_car(track: int = 1, stop_s: float = 4.0) -> Actor:
    """A car that drives in from the left and comes to rest at the place, braking at some 2 m/s²."""
    return (
        a_car(track)
        .drives((-60, 300), (190, 300), stop_s - 4.0, stop_s - 2.0)
        .brakes_to(PLACE, stop_s - 2.0, stop_s)
    )


def a_passing_bus(from_s: float, hides_s: float, track: int = 50) -> Actor:
    """A bus in the next lane that covers the place wholly for ``hides_s``."""
    bus = a_bus(track, (400.0, 220.0))
    speed = (400.0 - 120.0) / hides_s
    lead_s = 260.0 / speed
    return bus.drives(
        (300 - 200 - 60 - 260, LANE_Y), (1000, LANE_Y), from_s - lead_s, from_s - lead_s + 1220.0 / speed
    )


def seen_by_a_camera(actors: Sequence[Actor], **conditions: object) -> list[Observation]:
    """The observations, with every vehicle hidden while a box nearer to the camera covers nine tenths of it."""
    hidden_of: dict[int, list[tuple[float, float]]] = {actor.track: [] for actor in actors}
    step_s = 0.04
    for actor in actors:
        for index in range(int(120 / step_s)):
            box = actor.box_at(index * step_s)
            if box is None:
                continue
            for other in actors:
                cover = other.box_at(index * step_s) if other is not actor else None
                if cover is not None and cover[3] > box[3] and _covered_share(box, cover) > 0.9:
                    hidden_of[actor.track].append((index * step_s, (index + 1) * step_s))
    hidden = [replace(actor, unseen=(*actor.unseen, *hidden_of[actor.track])) for actor in actors]
    return observe(hidden, **conditions)  # type: ignore[arg-type]


def _covered_share(box: Box, cover: Box) -> float:
    width = min(box[2], cover[2]) - max(box[0], cover[0])
    height = min(box[3], cover[3]) - max(box[1], cover[1])
    return max(0.0, width) * max(0.0, height) / ((box[2] - box[0]) * (box[3] - box[1]))


def test_a_car_that_stands_from_the_start_is_found_when_the_allowed_stop_is_over() -> None:
    finding = the_finding(judged(observe([a_car(1).stands_at(PLACE, 0, 40)], until_s=45)))
    assert finding.status is Status.ASSERTED
    assert finding.rule is Rule.NO_PARKING
    assert (finding.t_s, finding.t_error_s) == (20.0, 0.0)
    assert finding.stamp.media_s == 20.0
    assert finding.id == "cam1-no_parking-s0-f000500-t1"
    assert (finding.place_id, finding.camera_id, finding.track_id) == ("kerb", "cam1", 1)
    assert finding.at_px == PLACE
    assert finding.object_class is ObjectClass.CAR
    assert finding.allowed_stop_s == 20
    assert finding.dwell_s is not None
    assert 20 < finding.dwell_s < 24
    assert finding.unseen_s == 0
    assert finding.zone_px == KERB.polygon_px
    assert finding.missing == ()


def test_the_photos_are_frames_of_the_standing_car_and_first_to_last_exceeds_the_allowed_stop() -> None:
    observations = observe([an_arriving_car().stands(40)], until_s=40, random=Random(4), jitter=0.05)
    finding = the_finding(judged(observations))
    first, middle, last = finding.photos
    assert [photo.role for photo in finding.photos] == [PhotoRole.FIRST, PhotoRole.MIDDLE, PhotoRole.LAST]
    assert last.stamp.media_s - first.stamp.media_s > 20
    assert middle.stamp.media_s - first.stamp.media_s >= 10
    assert last.stamp.media_s - middle.stamp.media_s >= 10
    assert first.stamp.media_s >= 4.0
    by_stamp = {observation.stamp: observation.tracks for observation in observations}
    for photo in finding.photos:
        assert [track.box_px for track in by_stamp[photo.stamp] or ()] == [photo.box_px]


def test_a_short_limit_still_gets_photos_ten_seconds_apart() -> None:
    zone = replace(KERB, allowed_stop_s=5)
    finding = the_finding(judged(observe([a_car(1).stands_at(PLACE, 0, 60)], until_s=60), a_camera(zone)))
    times = [photo.stamp.media_s for photo in finding.photos]
    assert finding.t_s == 5.0
    assert finding.status is Status.ASSERTED
    assert times[1] - times[0] >= 10
    assert times[2] - times[1] >= 10


def test_each_photo_is_kept_when_it_is_taken_and_let_go_after_the_finding() -> None:
    outputs = [
        output
        for output in judged(observe([a_car(1).stands_at(PLACE, 0, 40)], until_s=40))
        if not isinstance(output, Watch)
    ]
    keeps, finding, release = outputs[:3], outputs[3], outputs[4]
    assert isinstance(finding, Finding)
    assert len(outputs) == 5
    assert release == Release(rule=Rule.NO_PARKING, track_id=1)
    for keep, photo in zip(keeps, finding.photos, strict=True):
        assert keep == Keep(
            rule=Rule.NO_PARKING, track_id=1, role=photo.role, stamp=photo.stamp, cut_now=True
        )


def test_a_car_that_leaves_in_time_is_let_go() -> None:
    outputs = judged(observe([an_arriving_car().stands(22).drives_to((760, 300), 25)], until_s=40))
    assert findings(outputs) == []
    assert Release(rule=Rule.NO_PARKING, track_id=1) in outputs
    assert sum(isinstance(output, Keep) for output in outputs) == 2


@pytest.mark.parametrize("stood_s", [19.0, 20.0])
@pytest.mark.parametrize("away_s", [2.0, 4.0, 8.0])
def test_rolling_off_slowly_at_the_limit_is_no_offence(stood_s: float, away_s: float) -> None:
    leaving = an_arriving_car().stands(4 + stood_s)
    for step in range(1, 21):
        share = step / 20
        leaving = leaving.at(4 + stood_s + share * away_s, (300 + 240 * share**2, 300))
    found = findings(judged(observe([leaving], until_s=40)))
    assert [finding for finding in found if finding.status is Status.ASSERTED] == []


def test_a_car_that_left_after_the_limit_but_before_the_last_photo_is_held_with_what_is_missing() -> None:
    zone = replace(KERB, allowed_stop_s=5)
    car = a_car(1).stands_at(PLACE, 0, 16).drives_to((760, 300), 19)
    outputs = judged(observe([car], until_s=40), a_camera(zone))
    finding = the_finding(outputs)
    assert finding.status is Status.HELD
    assert [role for role, _ in finding.missing] == [PhotoRole.LAST]
    assert any("'last'" in reason for reason in finding.reasons)
    assert outputs[-1] == Release(rule=Rule.NO_PARKING, track_id=1)


def test_a_car_that_rolls_off_right_after_the_last_photo_is_held() -> None:
    car = a_car(1).stands_at(PLACE, 0, 22.4).drives_to((760, 300), 25)
    finding = the_finding(judged(observe([car], until_s=40)))
    assert len(finding.photos) == 3
    assert finding.status is Status.HELD
    assert "after the last photo" in finding.reasons[-1]


def test_the_end_of_the_recording_holds_what_could_not_be_proven() -> None:
    zone = replace(KERB, allowed_stop_s=5)
    finding = the_finding(judged(observe([a_car(1).stands_at(PLACE, 0, 15)], until_s=15), a_camera(zone)))
    assert finding.status is Status.HELD
    assert findings(judged(observe([a_car(1).stands_at(PLACE, 0, 6)], until_s=6), a_camera(zone))) == []


def test_passing_and_creeping_traffic_is_nobodys_parking() -> None:
    passing = [a_car(n).drives((-60, 300), (700, 300), 3.0 * n, 3.0 * n + 4.0) for n in range(1, 12)]
    creeping = a_car(40).drives((-60, 320), (700, 320), 0, 60)
    assert findings(judged(observe([*passing, creeping], until_s=60))) == []


def test_stop_and_go_does_not_add_up() -> None:
    car = a_car(1).stands_at((100, 300), 0, 12)
    for leg in range(1, 5):
        car = car.drives_to((100 + 60 * leg, 300), 12 * leg + 1.5).stands(12 * (leg + 1))
    assert findings(judged(observe([car], until_s=60))) == []


def test_a_car_beside_the_zone_is_free_to_stand() -> None:
    assert findings(judged(observe([a_car(1).stands_at((300, 400), 0, 60)], until_s=60))) == []


def test_people_and_bicycles_may_stand_and_motorcycles_may_not() -> None:
    standing = [a_person(1).stands_at((100, 300), 0, 50), a_bicycle(2).stands_at((200, 300), 0, 50)]
    assert findings(judged(observe(standing, until_s=50))) == []
    motorcycle = a_motorcycle(3).stands_at((400, 300), 0, 50)
    assert the_finding(judged(observe([motorcycle], until_s=50))).object_class is ObjectClass.MOTORCYCLE


def test_an_exempt_class_is_let_go() -> None:
    zone = replace(KERB, exempt_classes=frozenset({ObjectClass.BUS}))
    bus = a_bus(1, (160, 80)).stands_at(PLACE, 0, 50)
    outputs = judged(observe([bus], until_s=50), a_camera(zone))
    assert findings(outputs) == []
    assert Release(rule=Rule.NO_PARKING, track_id=1) in outputs
    assert len(findings(judged(observe([a_car(1).stands_at(PLACE, 0, 50)], until_s=50), a_camera(zone)))) == 1


def test_two_cars_standing_one_before_the_other_are_two_findings() -> None:
    front, behind = a_car(1).stands_at((300, 300), 0, 40), a_car(2).stands_at((380, 270), 0, 40)
    found = findings(judged(observe([front, behind], until_s=40, random=Random(2), jitter=0.05, missed=0.2)))
    assert sorted(finding.track_id for finding in found) == [1, 2]


def test_a_second_detection_of_the_same_car_is_not_a_second_case() -> None:
    car = a_car(1).stands_at(PLACE, 0, 60)
    double = Actor(2, ObjectClass.TRUCK, (126.0, 95.0)).stands_at((302, 301), 3, 60)
    assert len(findings(judged(observe([car, double], until_s=60)))) == 1


def test_a_standing_car_is_watched_so_that_its_plate_gets_read() -> None:
    car = an_arriving_car().stands(60).becomes(9, 15)
    outputs = judged(observe([car], until_s=60))
    watches = [output for output in outputs if isinstance(output, Watch)]
    finding = the_finding(outputs)
    assert {watch.track_id for watch in watches} == {1, 9}
    assert all("kerb" in watch.why for watch in watches)
    assert max(watch.until_s for watch in watches) < finding.stamp.media_s + 5
    assert judged(observe([a_car(1).drives((-60, 300), (700, 300), 0, 4)], until_s=6)) == []


def test_the_finding_comes_once_while_the_car_stands_for_an_hour_and_again_after_that() -> None:
    car = a_car(1).stands_at(PLACE, 0, 3700)
    observations = observe([car], until_s=3700, fps=4)
    found = findings(judged(observations))
    assert [round(finding.t_s) for finding in found] == [
        20,
        round(found[0].photos[-1].stamp.media_s + 1.5 + 3600 + 20),
    ]
    assert len({finding.id for finding in found}) == 2


def test_a_car_that_leaves_and_another_that_comes_are_two_stays() -> None:
    first = an_arriving_car(1).stands(30).drives_to((760, 300), 33)
    second = an_arriving_car(2, stop_s=42).stands(80)
    found = findings(judged(observe([first, second], until_s=80)))
    assert [finding.track_id for finding in found] == [1, 2]
    assert found[1].t_s == pytest.approx(62, abs=0.6)


def test_a_car_that_takes_the_place_of_another_does_not_inherit_its_dwell() -> None:
    first = an_arriving_car(1).stands(16).drives_to((760, 300), 19)
    second = an_arriving_car(2, stop_s=21).stands(36).drives_to((760, 300), 39)
    assert findings(judged(observe([first, second], until_s=60))) == []


def test_moving_up_within_the_zone_after_the_finding_is_no_second_case() -> None:
    car = an_arriving_car().stands(30).drives_to((480, 300), 33).stands(90)
    assert len(findings(judged(observe([car], until_s=90)))) == 1


def test_a_reported_car_that_gets_covered_by_another_and_uncovered_is_no_second_case() -> None:
    car = a_car(1).stands_at(PLACE, 0, 150).hidden(40, 100).becomes(7, 100)
    cover = a_bus(2, (240, 180)).drives((-200, 345), (300, 345), 37, 41).stands(99).drives_to((900, 345), 104)
    found = findings(judged(observe([car, cover], until_s=150)))
    assert [finding.track_id for finding in found if finding.object_class is ObjectClass.CAR] == [1]


def test_an_occlusion_is_bridged_counted_and_shown() -> None:
    car = an_arriving_car().stands(60).becomes(9, 17)
    observations = seen_by_a_camera([car, a_passing_bus(12, 5)], until_s=60)
    outputs = judged(observations)
    finding = the_finding(outputs)
    assert finding.status is Status.ASSERTED
    assert finding.t_s == pytest.approx(24, abs=finding.t_error_s + 0.1)
    assert finding.unseen_s == pytest.approx(5, abs=1.0)
    assert finding.dwell_s is not None
    assert finding.unseen_s is not None
    assert finding.unseen_s <= 0.2 * finding.dwell_s
    assert [span.seen for span in finding.dwell] == [True, False, True]
    assert sum(span.to_s - span.from_s for span in finding.dwell) == pytest.approx(finding.dwell_s)
    for earlier, later in zip(finding.dwell, finding.dwell[1:], strict=False):
        assert earlier.to_s == later.from_s


@pytest.mark.parametrize("mixed_up_s", [12.2, 14.0, 16.6])
def test_a_passing_bus_that_swaps_tracks_with_the_car_makes_no_second_case(mixed_up_s: float) -> None:
    car = an_arriving_car().stands(70).becomes(50, mixed_up_s)
    bus = a_passing_bus(12, 4).becomes(1, mixed_up_s)
    found = findings(judged(seen_by_a_camera([car, bus], until_s=70)))
    assert [finding.status for finding in found] == [Status.ASSERTED]


def test_a_track_that_jumps_to_a_passing_bus_does_not_interrupt_the_dwell() -> None:
    car = an_arriving_car().stands(70).becomes(9, 12)
    bus = a_passing_bus(12, 4).becomes(1, 12)
    finding = the_finding(judged(seen_by_a_camera([car, bus], until_s=70)))
    assert finding.t_s == pytest.approx(24, abs=finding.t_error_s + 0.1)


def test_too_much_unseen_is_held_with_its_sentence() -> None:
    car = a_car(1).stands_at(PLACE, 0, 26).hidden(6, 17).drives_to((760, 300), 29)
    finding = the_finding(judged(observe([car], until_s=50)))
    assert finding.status is Status.HELD
    assert finding.t_s == 20.0
    assert any("not seen for 10.5 s" in reason and "20 %" in reason for reason in finding.reasons)


def test_how_much_may_be_unseen_is_set_per_zone() -> None:
    zone = replace(KERB, max_unseen_share=0.5)
    car = a_car(1).stands_at(PLACE, 0, 30).hidden(6, 17).drives_to((760, 300), 33)
    assert the_finding(judged(observe([car], until_s=50), a_camera(zone))).status is Status.ASSERTED


def test_a_sighting_vouches_for_a_quarter_of_a_second_around_it() -> None:
    """At five frames a second two lost ones in a row leave 0.6 s between sightings, of which 0.1 s are unseen."""
    car = a_car(1).stands_at(PLACE, 0, 40)
    lost = [(start + 0.15, start + 0.55) for start in range(2, 40, 2)]
    finding = the_finding(judged(observe([car], until_s=40, fps=5, dropped=lost)))
    assert finding.status is Status.ASSERTED
    unseen = [span.to_s - span.from_s for span in finding.dwell if not span.seen]
    assert unseen == pytest.approx([0.1] * len(unseen))
    assert finding.unseen_s == pytest.approx(sum(unseen))
    assert len(unseen) >= 9


def test_a_gap_in_the_recording_counts_as_unseen() -> None:
    car = a_car(1).stands_at(PLACE, 0, 70)
    finding = the_finding(judged(observe([car], until_s=70, dropped=[(5, 15)])))
    assert finding.unseen_s == pytest.approx(10 - 0.5, abs=0.1)
    assert finding.status is Status.HELD or (finding.dwell_s or 0) >= 47


def test_frames_without_detection_change_nothing() -> None:
    observations = observe([an_arriving_car().stands(40)], until_s=40)
    thinned = [
        replace(observation, tracks=None) if observation.stamp.index % 5 else observation
        for observation in observations
    ]
    kept = [observation for observation in observations if observation.stamp.index % 5 == 0]
    assert judged(thinned) == judged(kept)
    assert the_finding(judged(thinned)).t_s == pytest.approx(24, abs=0.6)


def test_the_tracks_under_which_a_standing_car_was_seen_are_known() -> None:
    camera = a_camera(KERB)
    state = parking.initial(camera)
    for observation in observe([a_car(1).stands_at(PLACE, 0, 30).becomes(9, 10).becomes(12, 20)], until_s=30):
        state, _ = parking.step(state, observation, camera, None)
    assert parking.tracks_of(state, 1) == (1, 9, 12)
    assert parking.tracks_of(state, 12) == (1, 9, 12)
    assert parking.tracks_of(state, 5) == (5,)
    assert parking.tracks_of(parking.finish(state, camera)[0], 1) == (1, 9, 12)


ALL_WEEK = frozenset(range(7))
SEVEN_TO_NINE = replace(KERB, windows=(Window(days=ALL_WEEK, start_min=7 * 60, end_min=9 * 60),))


def test_hours_without_a_wall_clock_accuse_nobody() -> None:
    outputs = judged(observe([a_car(1).stands_at(PLACE, 0, 60)], until_s=60), a_camera(SEVEN_TO_NINE))
    assert outputs == []


def test_the_legal_clock_starts_with_the_hours_when_the_car_stood_before() -> None:
    observations = observe([a_car(1).stands_at(PLACE, 0, 100)], until_s=100)
    start = MIDNIGHT + timedelta(hours=7, seconds=-30)
    finding = the_finding(judged(observations, a_camera(SEVEN_TO_NINE), start))
    assert finding.t_s == 50.0
    assert finding.t_error_s == 0.0
    assert finding.photos[0].stamp.media_s == 30.0
    assert finding.dwell_s is not None
    assert finding.dwell_s < 24


def test_a_stay_that_the_end_of_the_hours_cuts_short_is_no_offence() -> None:
    observations = observe([a_car(1).stands_at(PLACE, 0, 100)], until_s=100)
    start = MIDNIGHT + timedelta(hours=9, seconds=-19)
    outputs = judged(observations, a_camera(SEVEN_TO_NINE), start)
    assert findings(outputs) == []
    assert Release(rule=Rule.NO_PARKING, track_id=1) in outputs


def test_arriving_just_before_the_hours_counts_from_their_start() -> None:
    observations = observe([an_arriving_car().stands(60)], until_s=60)
    finding = the_finding(
        judged(observations, a_camera(SEVEN_TO_NINE), MIDNIGHT + timedelta(hours=7, seconds=-5))
    )
    assert finding.t_s == 25.0


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((250, 210, 350, 300), True),
        ((250, 310, 350, 400), False),
        ((250, 160, 350, 249), False),
        ((560, 210, 760, 300), False),
        ((540, 210, 700, 300), True),
        ((250, 253, 350, 345), True),
        ((250, 266, 350, 358), False),
    ],
)
def test_a_car_is_in_the_zone_where_its_ground_is(box: Box, inside: bool) -> None:
    assert stands_in(box, KERB.polygon_px) is inside


def mirrored(observations: Sequence[Observation], width: float = 640) -> list[Observation]:
    return [
        replace(
            observation,
            tracks=tuple(
                replace(
                    point,
                    box_px=(
                        width - point.box_px[2],
                        point.box_px[1],
                        width - point.box_px[0],
                        point.box_px[3],
                    ),
                )
                for point in observation.tracks or ()
            ),
        )
        for observation in observations
    ]


def scaled(observations: Sequence[Observation], scale: float) -> list[Observation]:
    return [
        replace(
            observation,
            tracks=tuple(
                replace(
                    point,
                    box_px=(
                        point.box_px[0] * scale,
                        point.box_px[1] * scale,
                        point.box_px[2] * scale,
                        point.box_px[3] * scale,
                    ),
                )
                for point in observation.tracks or ()
            ),
        )
        for observation in observations
    ]


conditions = st.fixed_dictionaries(
    {
        "random": st.integers(0, 2**16).map(Random),
        "fps": st.sampled_from([6.0, 12.5, 25.0]),
        "jitter": st.floats(0, 0.05),
        "missed": st.floats(0, 0.2),
    }
)


@settings(max_examples=60)
@given(
    conditions,
    st.floats(4, 8),
    st.lists(st.floats(9, 45), max_size=3),
    st.one_of(st.none(), st.tuples(st.floats(12, 45), st.floats(0.5, 5))),
)
def test_whatever_the_camera_misses_a_parked_car_is_found_exactly_once_at_the_right_time(
    seen: dict[str, object], stop_s: float, switches: list[float], hides: tuple[float, float] | None
) -> None:
    car = an_arriving_car(stop_s=stop_s).stands(70).drives_to((760, 300), 73)
    for number, at_s in enumerate(sorted(switches)):
        car = car.becomes(10 + number, at_s)
    actors = [car] if hides is None else [car, a_passing_bus(*hides)]
    finding = the_finding(judged(seen_by_a_camera(actors, until_s=80, **seen)))
    assert finding.status is Status.ASSERTED
    assert abs(finding.t_s - (stop_s + 20)) <= finding.t_error_s + 0.3
    assert finding.t_error_s <= 1.5
    assert finding.track_id == 1
    assert iou(finding.photos[0].box_px, (240, 210, 360, 300)) > 0.7


@settings(max_examples=60)
@given(
    conditions,
    st.floats(0, 20),
    st.lists(st.floats(9, 25), max_size=3),
    st.one_of(st.none(), st.tuples(st.floats(12, 25), st.floats(0.5, 5))),
)
def test_whatever_the_camera_misses_a_car_that_leaves_in_time_is_not_accused(
    seen: dict[str, object], stood_s: float, switches: list[float], hides: tuple[float, float] | None
) -> None:
    car = an_arriving_car().stands(4 + stood_s).drives_to((760, 300), 4 + stood_s + 3)
    for number, at_s in enumerate(sorted(switches)):
        car = car.becomes(10 + number, at_s)
    actors = [car] if hides is None else [car, a_passing_bus(*hides)]
    assert findings(judged(seen_by_a_camera(actors, until_s=60, **seen))) == []


@settings(max_examples=30)
@given(conditions, st.lists(st.tuples(st.floats(0, 40), st.floats(60, 300)), min_size=1, max_size=8))
def test_whatever_the_camera_misses_passing_traffic_is_not_accused(
    seen: dict[str, object], cars: list[tuple[float, float]]
) -> None:
    actors = [
        a_car(number).drives((-60, 300), (700, 300), start_s, start_s + 760 / speed)
        for number, (start_s, speed) in enumerate(cars, 1)
    ]
    assert findings(judged(observe(actors, until_s=50, **seen))) == []  # type: ignore[arg-type]


@settings(max_examples=20)
@given(conditions, st.floats(0.3, 4.0), st.booleans())
def test_a_mirrored_or_scaled_picture_gives_the_same_answer(
    seen: dict[str, object], scale: float, mirror: bool
) -> None:
    observations = seen_by_a_camera(
        [an_arriving_car().stands(70).becomes(9, 17), a_passing_bus(12, 4)], until_s=60, **seen
    )
    changed = scaled(mirrored(observations) if mirror else observations, scale)
    polygon = tuple(((640 - x if mirror else x) * scale, y * scale) for x, y in KERB.polygon_px)
    expected = the_finding(judged(observations))
    actual = the_finding(judged(changed, a_camera(replace(KERB, polygon_px=polygon))))
    assert actual.t_s == pytest.approx(expected.t_s, abs=1e-6)
    assert actual.t_error_s == pytest.approx(expected.t_error_s, abs=1e-6)
    assert [photo.stamp for photo in actual.photos] == [photo.stamp for photo in expected.photos]


def test_the_same_observations_give_the_same_outputs_and_leave_the_state_before_untouched() -> None:
    camera = a_camera(KERB)
    observations = observe(
        [an_arriving_car().stands(50)], until_s=50, random=Random(3), jitter=0.05, missed=0.2
    )
    assert judged(observations) == judged(observations)
    state = parking.initial(camera)
    for observation in observations[:300]:
        state, _ = parking.step(state, observation, camera, None)
    before = repr(state)
    again = [parking.step(state, observations[300], camera, None) for _ in range(2)]
    assert repr(state) == before
    assert again[0] == again[1]
