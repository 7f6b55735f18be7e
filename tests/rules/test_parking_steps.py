"""The rule for parking frame by frame: where a stay's vehicle is looked for, when it has left, what is watched and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rules import parking
from rules.finding import Finding, Output, Release, Rule, Watch
from rules.observation import Box, LampState, ObjectClass, Observation, TrackPoint
from rules.parking import ParkingState
from rules.parking_stay import Stay
from rules.schedule import LocalTime
from rules.signal import HeadState
from rules.site import Camera, NoParkingZone, QueueLane, Use, UseKind, Window
from rules.standing import Sample
from tests.builders.stop_line import a_frame, a_head, a_point

CAR, TRUCK, PERSON = ObjectClass.CAR, ObjectClass.TRUCK, ObjectClass.PERSON
PLACE: Box = (240.0, 210.0, 360.0, 300.0)
AWAY: Box = (440.0, 210.0, 560.0, 300.0)
BESIDE: Box = (440.0, 110.0, 560.0, 200.0)
"""Out of the zone."""

ZONE = NoParkingZone(
    zone_id="kerb",
    polygon_px=((0.0, 250.0), (640.0, 250.0), (640.0, 340.0), (0.0, 340.0)),
    allowed_stop_s=60.0,
)


def a_stay(seen_s: float = 20.0, **options: Any) -> Stay:
    """A car that stands at the place since 10 s."""
    sample = Sample(stamp=a_frame(seen_s).stamp, object_class=CAR, box_px=PLACE)
    fields: dict[str, Any] = {
        "zone_id": "kerb",
        "tracks": (1,),
        "place_px": PLACE,
        "arrival_s": (10.0, 10.0),
        "classes": ((CAR, 9),),
        "last": sample,
        "clock_s": (10.0, 10.0),
        "watch_next_s": 1000.0,
    }
    return Stay(**{**fields, **options})


class Kerb:
    """The rule at one kerb whose car was seen last at 20 s: frames go in, what it says is collected."""

    def __init__(self, stay: Stay | None = None, zone: NoParkingZone = ZONE, **state: Any) -> None:
        self.camera = Camera(camera_id="cam", width_px=640, height_px=480, no_parking=(zone,))
        fields = {"in_force_since_s": {zone.zone_id: 0.0}, "last_s": 20.0, **state}
        self.state = ParkingState(stays=(stay or a_stay(),), **fields)
        self.said: list[Output] = []

    def sees(
        self,
        at_s: float,
        *seen: TrackPoint,
        local: LocalTime | None = None,
        heads: dict[str, HeadState] | None = None,
    ) -> tuple[Output, ...]:
        self.state, said = parking.step(self.state, a_frame(at_s, *seen), self.camera, local, heads)
        self.said.extend(said)
        return said

    @property
    def stay(self) -> Stay:
        (stay,) = self.state.stays
        return stay


def car(box: Box = PLACE, track_id: int = 1, object_class: ObjectClass = CAR) -> TrackPoint:
    return a_point(track_id, box, object_class)


def test_a_vehicle_at_its_place_is_sighted() -> None:
    kerb = Kerb(a_stay(elsewhere=False, empty_since_s=19.0))
    kerb.sees(20.2, car((250.0, 210.0, 370.0, 300.0)))
    assert kerb.stay.last.stamp.media_s == 20.2
    assert (kerb.stay.elsewhere, kerb.stay.empty_since_s) == (None, None)
    assert (kerb.state.last_s, kerb.stay.classes) == (20.2, ((CAR, 10),))


def test_what_remains_visible_of_a_covered_vehicle_is_a_sighting_and_without_a_cover_none() -> None:
    half: Box = (240.0, 210.0, 300.0, 300.0)
    covered, shrunk = Kerb(), Kerb()
    covered.sees(20.2, car(half), car((290.0, 200.0, 500.0, 330.0), 2))
    shrunk.sees(20.2, car(half))
    assert covered.stay.last.stamp.media_s == 20.2
    assert shrunk.stay.last.stamp.media_s == 20.0


@pytest.mark.parametrize(
    ("box", "at_s", "elsewhere"),
    [
        (AWAY, 20.2, True),
        ((440.0, 210.0, 470.0, 240.0), 20.2, False),
        ((440.0, 210.0, 470.0, 240.0), 20.5, False),
        ((440.0, 210.0, 470.0, 240.0), 20.6, True),
        ((300.0, 210.0, 420.0, 300.0), 20.2, None),
    ],
)
def test_a_track_that_shows_elsewhere_drove_there_unless_it_jumped_to_a_box_of_another_size(
    box: Box, at_s: float, elsewhere: bool | None
) -> None:
    kerb = Kerb()
    kerb.sees(at_s, car(box))
    assert kerb.stay.elsewhere is elsewhere
    kerb.sees(at_s + 0.2, car((470.0, 210.0, 590.0, 300.0)))
    assert kerb.stay.elsewhere is (True if elsewhere is None else elsewhere)


@pytest.mark.parametrize(
    ("bus", "at_s", "elsewhere"),
    [
        ((220.0, 150.0, 400.0, 320.0), 20.2, False),
        ((220.0, 150.0, 400.0, 320.0), 20.5, False),
        ((220.0, 150.0, 400.0, 320.0), 20.6, None),
        ((260.0, 150.0, 420.0, 320.0), 20.2, None),
        ((230.0, 200.0, 370.0, 315.0), 20.2, None),
    ],
)
def test_a_track_whose_box_swallows_the_place_at_once_has_gone_over_to_what_hides_it(
    bus: Box, at_s: float, elsewhere: bool | None
) -> None:
    kerb = Kerb()
    kerb.sees(at_s, car(bus))
    assert kerb.stay.elsewhere is elsewhere
    kerb.sees(at_s + 1.0, car(AWAY))
    assert kerb.stay.elsewhere is (True if elsewhere is None else elsewhere)


def test_a_place_looks_empty_since_nobody_was_seen_there_and_anew_after_a_gap_in_the_pictures() -> None:
    kerb = Kerb()
    kerb.sees(20.2)
    kerb.sees(20.7)
    assert kerb.stay.empty_since_s == 20.2
    kerb.sees(21.3)
    assert kerb.stay.empty_since_s == 21.3
    kerb.sees(21.5, car((300.0, 200.0, 500.0, 330.0), 2))
    assert kerb.stay.empty_since_s is None


def test_who_was_seen_elsewhere_has_left_once_its_place_was_empty_for_a_second_and_a_half() -> None:
    kerb = Kerb()
    for tick in range(1, 9):
        kerb.sees(20.0 + 0.25 * tick, car(BESIDE))
        assert len(kerb.state.stays) == (1 if tick <= 7 else 0)
    assert [stay.tracks for stay in kerb.state.closed] == [(1,)]


@pytest.mark.parametrize(("elsewhere", "left_s"), [(None, 30.0), (False, 30.0), (True, 1.5)])
def test_an_empty_place_was_left_after_half_a_minute_whatever_became_of_the_track(
    elsewhere: bool | None, left_s: float
) -> None:
    for after_s, stands in ((left_s, 1), (left_s + 0.1, 0)):
        kerb = Kerb(
            a_stay(60.0, said_s=55.0, elsewhere=elsewhere, empty_since_s=100.0), last_s=100.0 + after_s - 0.1
        )
        kerb.sees(100.0 + after_s)
        assert len(kerb.state.stays) == stands


@pytest.mark.parametrize(("said_s", "stands"), [(None, 0), (15.0, 1)])
def test_a_covered_vehicle_that_is_not_seen_for_half_a_minute_has_left_unless_it_was_told(
    said_s: float | None, stands: int
) -> None:
    kerb = Kerb(a_stay(said_s=said_s), last_s=50.0)
    kerb.sees(50.1, car((200.0, 200.0, 400.0, 330.0), 2))
    assert len(kerb.state.stays) == stands
    still = Kerb(last_s=49.9)
    still.sees(50.0, car((200.0, 200.0, 400.0, 330.0), 2))
    assert len(still.state.stays) == 1


def test_a_stay_whose_track_came_to_rest_elsewhere_is_over() -> None:
    kerb = Kerb(a_stay(replaced=True))
    kerb.sees(20.2, car())
    assert kerb.state.stays == ()


def test_people_and_frames_without_detection_or_zones_change_nothing() -> None:
    kerb = Kerb()
    before = kerb.state
    kerb.state, said = parking.step(
        before, Observation(stamp=a_frame(20.2).stamp, tracks=None), kerb.camera, None
    )
    assert (kerb.state, said) == (before, ())
    bare = Camera(camera_id="cam", width_px=640, height_px=480)
    assert parking.step(ParkingState(), a_frame(20.2, car()), bare, None) == (ParkingState(), ())
    kerb.sees(20.2, car(track_id=5, object_class=PERSON))
    assert set(kerb.state.trails) == set()


def test_a_standing_vehicle_is_watched_for_a_second_each_four() -> None:
    kerb = Kerb(a_stay(watch_next_s=20.2, tracks=(1, 7)))
    watch = Watch(track_id=7, why="stands in kerb", until_s=21.2)
    assert [one for one in kerb.sees(20.2, car(track_id=7)) if isinstance(one, Watch)] == [watch]
    assert kerb.stay.watch_next_s == 24.2
    for at_s, watched in ((20.4, False), (24.0, False), (24.2, True)):
        kerb.state = replace(kerb.state, last_s=at_s - 0.1)
        said = kerb.sees(at_s, car(track_id=7))
        assert any(isinstance(one, Watch) for one in said) is watched


def test_who_is_not_seen_or_was_told_or_does_not_count_is_not_watched() -> None:
    hidden = Kerb(a_stay(watch_next_s=0.0))
    told = Kerb(a_stay(watch_next_s=0.0, said_s=15.0))
    assert [one for one in hidden.sees(20.2) if isinstance(one, Watch)] == []
    assert [one for one in told.sees(20.2, car()) if isinstance(one, Watch)] == []
    later = Window(days=frozenset(range(7)), start_min=600, end_min=660)
    outside = Kerb(a_stay(watch_next_s=0.0, clock_s=None), replace(ZONE, windows=(later,)))
    early = LocalTime.of(datetime(2024, 5, 1, 1, 0, tzinfo=UTC))
    assert [one for one in outside.sees(20.2, car(), local=early) if isinstance(one, Watch)] == []


def test_what_was_told_of_a_zone_and_a_track_is_remembered_until_it_may_be_told_again() -> None:
    zone = replace(ZONE, reenforce_s=100.0)
    kerb = Kerb(a_stay(said_s=15.0, tracks=(1, 7)), zone)
    kerb.sees(20.2, car(track_id=7))
    assert kerb.state.said_s == {("kerb", 1): 15.0, ("kerb", 7): 15.0}
    old = Kerb(a_stay(114.9, clock_s=(110.0, 110.0)), zone, said_s={("kerb", 9): 15.0, ("kerb", 8): 10.0})
    old.state = replace(old.state, last_s=114.9)
    old.sees(115.0, car())
    assert old.state.said_s == {("kerb", 9): 15.0}


@pytest.mark.parametrize(("at_s", "anew"), [(115.0, False), (115.1, True)])
def test_a_vehicle_that_still_stands_after_the_re_enforcement_interval_begins_a_new_stay(
    at_s: float, anew: bool
) -> None:
    kerb = Kerb(a_stay(114.9, said_s=15.0), replace(ZONE, reenforce_s=100.0), last_s=114.9)
    kerb.sees(at_s, car())
    assert (kerb.stay.said_s is None) is anew
    assert kerb.stay.arrival_s == ((at_s, at_s) if anew else (10.0, 10.0))


LOADING = Use(kind=UseKind.LOADING, classes=frozenset({TRUCK, CAR}), allowed_stop_s=300.0)


def test_a_use_lets_it_stand_longer_and_when_it_ends_nothing_of_it_counts() -> None:
    window = Window(days=frozenset(range(7)), start_min=0, end_min=60)
    zone = replace(ZONE, uses=(replace(LOADING, windows=(window,)),))
    within, after = (LocalTime.of(datetime(2024, 5, 1, hour, 30, tzinfo=UTC)) for hour in (0, 1))
    kerb = Kerb(zone=zone)
    kerb.sees(20.2, car(), local=within)
    assert (kerb.stay.granted, kerb.stay.free_s, kerb.stay.clock_s) == (True, None, (10.0, 10.0))
    kerb.sees(20.4, car(), local=after)
    assert (kerb.stay.granted, kerb.stay.free_s, kerb.stay.clock_s) == (False, 20.4, None)
    kerb.sees(20.6, car(), local=after)
    assert (kerb.stay.free_s, kerb.stay.clock_s) == (20.4, (20.4, 20.4))


def test_who_waits_in_a_queue_does_not_park_and_counts_from_its_end() -> None:
    lane = QueueLane(direction=(1.0, 0.0), head_ids=("ahead",), longest_s=600.0)
    kerb = Kerb(zone=replace(ZONE, queue=lane))
    red = {"ahead": a_head((LampState.RED, 0.0, 20.2), head_id="ahead")}
    kerb.sees(20.2, car(), heads=red)
    assert (kerb.stay.free_s, kerb.stay.clock_s) == (20.2, None)
    kerb.state = replace(kerb.state, last_s=35.3)
    kerb.sees(35.4, car(), heads=red)
    assert kerb.stay.clock_s == (20.2, 20.2)
    assert Kerb(zone=replace(ZONE, queue=lane)).sees(20.2, car()) != ()


def test_hours_count_since_they_were_first_seen_to_hold() -> None:
    kerb = Kerb(a_stay(clock_s=None), in_force_since_s={})
    kerb.sees(20.2, car())
    assert kerb.state.in_force_since_s == {"kerb": 20.2}
    assert kerb.stay.clock_s == (20.2, 20.2)
    kerb.sees(20.4, car())
    assert kerb.state.in_force_since_s == {"kerb": 20.2}
    window = Window(days=frozenset(range(7)), start_min=600, end_min=660)
    closed = Kerb(zone=replace(ZONE, windows=(window,)))
    closed.sees(20.2, car(), local=LocalTime.of(datetime(2024, 5, 1, 1, 0, tzinfo=UTC)))
    assert closed.state.in_force_since_s == {}
    assert closed.stay.clock_s is None


def test_all_tracks_of_a_vehicle_that_stands_or_just_left_are_known() -> None:
    state = ParkingState(stays=(a_stay(tracks=(1, 4)),), closed=(a_stay(tracks=(2, 5)),))
    assert parking.tracks_of(state, 4) == (1, 4)
    assert parking.tracks_of(state, 2) == (2, 5)
    assert parking.tracks_of(state, 9) == (9,)


def test_what_is_left_when_the_segment_ends_is_held_or_let_go() -> None:
    over = Kerb(a_stay(80.0, limit=a_frame(70.0).stamp))
    after, said = parking.finish(over.state, over.camera)
    (finding,) = said
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.camera_id, finding.allowed_stop_s) == (Rule.NO_PARKING, "cam", 60.0)
    assert (after.stays, after.closed) == ((), over.state.stays)
    loading = Kerb(a_stay(80.0, limit=a_frame(70.0).stamp), replace(ZONE, uses=(LOADING,)))
    assert parking.finish(loading.state, loading.camera)[1] == ()
    assert not any(isinstance(one, Release) for one in said)


def test_a_track_that_comes_to_rest_in_the_zone_begins_a_stay_and_ends_the_one_it_had() -> None:
    kerb = Kerb(a_stay(0.0, said_s=5.0), last_s=19.8)
    for tick in range(6):
        kerb.sees(20.0 + 0.25 * tick, car(AWAY))
    assert [(stay.place_px, stay.replaced) for stay in kerb.state.closed] == [(PLACE, True)]
    stay = kerb.stay
    assert (stay.place_px, stay.zone_id, stay.tracks) == (AWAY, "kerb", (1,))
    assert (stay.arrival_s, stay.said_s) == ((20.0, 20.0), 5.0)


def test_a_vehicle_beside_the_zone_and_one_whose_zone_lacks_a_clock_begin_no_stay() -> None:
    window = Window(days=frozenset(range(7)), start_min=0, end_min=1440)
    for zone, box in ((ZONE, BESIDE), (replace(ZONE, windows=(window,)), AWAY)):
        kerb = Kerb(zone=zone)
        for tick in range(8):
            kerb.sees(20.0 + 0.25 * tick, car(box, 2), car())
        assert len(kerb.state.stays) == 1
