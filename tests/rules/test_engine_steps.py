"""What one camera's rules do together in single frames: feeds and lamps, who is blind, plates, exemptions, what is said once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from rules import engine
from rules.approaching import Approaching
from rules.engine import EngineState
from rules.finding import DisarmCause, Disarmed, Finding, Output, Passage, Rule, Status, Watch
from rules.lost import Lost
from rules.observation import (
    FrameStamp,
    LampSample,
    LampState,
    ObjectClass,
    Observation,
    SceneFault,
    SceneState,
    SignalReport,
)
from rules.once import said_of
from rules.red_light import RedLightState
from rules.schedule import LocalTime
from rules.signal import HeadState
from rules.site import (
    Camera,
    Crosswalk,
    ExemptPlate,
    Gate,
    Head,
    NoParkingZone,
    PlatePolicy,
    QueueLane,
    Site,
    StopLine,
)
from rules.site_movement import HeadKind
from tests.builders.scene import a_reading, a_stamp
from tests.builders.stop_line import a_box, a_frame, a_head, a_line, a_point, a_track, seen_at
from tests.rules.test_once import PLATE, a_finding, a_plate

RED, AMBER, GREEN, UNKNOWN = LampState.RED, LampState.AMBER, LampState.GREEN, LampState.UNKNOWN
SQUARE = ((0.0, 0.0), (90.0, 0.0), (90.0, 90.0), (0.0, 90.0))
STARTED_AT = datetime(2024, 5, 1, tzinfo=UTC)
RED_HEAD = a_head((AMBER, 0.0, 4.9), (RED, 5.0, 20.0))


def a_camera(**options: Any) -> Camera:
    return Camera(**{"camera_id": "cam", "width_px": 640, "height_px": 1600, **options})


def a_site(camera: Camera | None = None, **options: Any) -> Site:
    fields: dict[str, Any] = {
        "site_id": "s",
        "name": "Somewhere",
        "time_zone": "Asia/Shanghai",
        "plate_profile": "ga36",
        "heads": (),
        "cameras": (camera or a_camera(stop_lines=(a_line(),)),),
    }
    return Site(**{**fields, **options})


def about_to_be_told(site: Site | None = None, head: HeadState = RED_HEAD, **options: Any) -> EngineState:
    """A car at 10.0 s that crossed on red and was just seen past the line; the next sighting is beyond."""
    history = seen_at([-6.5, -4.5, -2.5, -0.5, 1.5, 3.5], from_s=9.5)
    return replace(
        engine.initial(site or a_site(), "cam"),
        heads={"main": head},
        red_light={"north": RedLightState(tracks={1: a_track(history)})},
        last_s=10.0,
        looked_s=10.0,
        **options,
    )


def step(
    state: EngineState, observation: Observation, site: Site | None = None, local: LocalTime | None = None
) -> tuple[EngineState, tuple[Output, ...]]:
    return engine.step(state, observation, site or a_site(), "cam", local)


def findings(said: tuple[Output, ...]) -> list[Finding]:
    return [output for output in said if isinstance(output, Finding)]


BEYOND = a_frame(10.1, a_point(1, a_box(5.5)))
TODAY = LocalTime.of(STARTED_AT)


def test_at_first_nothing_is_known_of_every_head_that_anything_of_the_camera_names() -> None:
    zone = NoParkingZone(
        zone_id="lane",
        polygon_px=SQUARE,
        allowed_stop_s=60.0,
        queue=QueueLane(direction=(0.0, 1.0), head_ids=("ahead",)),
    )
    free = replace(zone, zone_id="kerb", queue=None)
    walk = Crosswalk(crosswalk_id="walk", polygon_px=SQUARE, head_ids=("walkers",))
    camera = a_camera(stop_lines=(a_line(),), crosswalks=(walk,), no_parking=(free, zone))
    arrow = Head(head_id="arrow", camera_id="cam", box_px=(0.0, 0.0, 9.0, 9.0), kind=HeadKind.ARROW_LEFT)
    state = engine.initial(a_site(camera, heads=(arrow,)), "cam")
    assert state.heads == {
        name: HeadState(head_id=name, kind=kind)
        for name, kind in [
            ("main", HeadKind.ROUND),
            ("walkers", HeadKind.ROUND),
            ("ahead", HeadKind.ROUND),
            ("arrow", HeadKind.ARROW_LEFT),
        ]
    }
    assert state.red_light == {"north": RedLightState()}
    assert (state.last_s, state.looked_s, state.local, state.said) == (0.0, None, None, ())
    with pytest.raises(KeyError, match="other"):
        engine.initial(a_site(), "other")


def test_a_car_that_is_seen_beyond_is_found_and_remembered() -> None:
    state, said = step(about_to_be_told(), BEYOND)
    (finding,) = findings(said)
    assert (finding.rule, finding.status, finding.plate) == (Rule.RED_LIGHT, Status.ASSERTED, None)
    assert finding.codes
    assert state.said == (said_of(finding),)
    assert (state.last_s, state.looked_s) == (10.1, 10.1)
    assert state.red_light["north"].tracks[1].judged


def test_what_was_said_before_is_not_said_again_but_counts_on() -> None:
    said_before = (said_of(a_finding(9.0, plate=a_plate())),)
    read = replace(BEYOND, plates=(a_reading(1, PLATE),))
    state, said = step(about_to_be_told(said=said_before), read)
    assert findings(said) == []
    assert state.said == said_before
    _, other = step(about_to_be_told(said=()), read)
    assert len(findings(other)) == 1


def test_a_frame_without_detection_is_no_look_at_the_road() -> None:
    state, said = step(about_to_be_told(), replace(BEYOND, tracks=None))
    assert (state.last_s, state.looked_s, said) == (10.1, 10.0, ())


def test_the_lamps_are_folded_first_and_a_lamp_of_no_head_is_nobodys() -> None:
    lamps = (
        LampSample(head_id="main", state=RED, confidence=0.9),
        LampSample(head_id="elsewhere", state=GREEN, confidence=0.9),
    )
    state, _ = step(engine.initial(a_site(), "cam"), a_frame(10.0, lamps=lamps))
    assert set(state.heads) == {"main"}
    assert state.heads["main"].pending == (RED, 10.0)


def a_report(at_s: float, state: LampState = RED, error_s: float = 0.25) -> SignalReport:
    return SignalReport(
        head_id="main",
        state=state,
        at=STARTED_AT + timedelta(seconds=at_s),
        error_s=error_s,
        source="controller",
    )


def dated(at_s: float, **options: Any) -> Observation:
    return Observation(stamp=a_stamp(at_s, camera_id="cam", started_at=STARTED_AT), tracks=(), **options)


def test_a_report_tells_of_a_head_for_five_seconds_with_the_clocks_error() -> None:
    state, _ = step(engine.initial(a_site(), "cam"), dated(10.0, signals=(a_report(10.0),)))
    for at_s in (10.4, 14.9, 15.0):
        state, _ = step(state, dated(at_s))
    head = state.heads["main"]
    assert (head.error_s, head.doubt, head.last_usable_s) == (0.25, None, 15.0)
    assert state.reports["main"] == (a_report(10.0),)
    state, _ = step(state, dated(15.1))
    assert state.heads["main"].last_usable_s == 15.0


def test_how_long_a_feed_may_be_silent_is_the_sites_own() -> None:
    site = a_site(feed_silence_s=1.0)
    state, _ = step(engine.initial(site, "cam"), dated(10.0, signals=(a_report(10.0),)), site)
    state, _ = step(state, dated(11.0), site)
    state, _ = step(state, dated(11.1), site)
    assert state.heads["main"].last_usable_s == 11.0


def test_the_greatest_error_of_a_heads_clocks_stays_and_a_doubt_goes() -> None:
    seen = (LampSample(head_id="main", state=GREEN, confidence=0.9),)
    state, _ = step(engine.initial(a_site(), "cam"), dated(10.0, signals=(a_report(10.0),), lamps=seen))
    assert state.heads["main"].doubt == "controller says red for head main, the camera sees green"
    state, _ = step(state, dated(10.1))
    assert (state.heads["main"].doubt, state.heads["main"].error_s) == (None, 0.25)
    state, _ = step(state, dated(10.2, signals=(a_report(10.2, error_s=0.0),)))
    assert state.heads["main"].error_s == 0.25


MOVED = SceneState(faults=frozenset({SceneFault.MOVED}), shift=0.1)


def moved(state: EngineState) -> EngineState:
    """Disarmed since 8 s: the camera moved."""
    for at_s in (8.0, 9.0):
        trusted, _ = step(state, replace(a_frame(at_s), tracks=None, scene=MOVED))
        state = replace(state, trust=trusted.trust)
    return state


def test_while_the_camera_is_disarmed_its_rules_see_nothing() -> None:
    before = moved(about_to_be_told())
    state, said = step(before, BEYOND)
    assert said == ()
    assert state.red_light is before.red_light
    assert (state.last_s, state.looked_s) == (10.1, 10.1)
    assert step(about_to_be_told(), BEYOND)[1] != ()


def test_a_disarmed_camera_says_so_and_accuses_nobody_when_the_segment_ends() -> None:
    beyond = a_track(seen_at([-4.5, -2.5, -0.5, 1.5, 5.5], from_s=9.5))
    state = replace(about_to_be_told(), red_light={"north": RedLightState(tracks={1: beyond})})
    (asserted,) = findings(engine.finish(state, a_site(), "cam"))
    assert asserted.status is Status.ASSERTED
    ended = engine.finish(moved(state), a_site(), "cam")
    assert [(one.cause, one.to_s) for one in ended if isinstance(one, Disarmed)] == [
        (DisarmCause.CAMERA_MOVED, 10.0)
    ]
    (finding,) = findings(ended)
    assert finding.status is Status.HELD
    assert finding.reasons[:-1] == asserted.reasons
    assert "the camera moved" in finding.reasons[-1]


def test_a_gap_in_red_is_told_as_lost_once_pictures_come_again() -> None:
    _, said = step(about_to_be_told(), a_frame(11.0))
    (lost,) = [one for one in said if isinstance(one, Lost)]
    assert (lost.place_id, lost.from_s, lost.to_s, lost.tracks) == ("north", 10.0, 11.0, (1,))
    for quiet in (
        replace(about_to_be_told(), looked_s=None),
        moved(about_to_be_told()),
        about_to_be_told(head=a_head((GREEN, 0.0, 20.0))),
    ):
        _, said = step(quiet, a_frame(11.0))
        assert [one for one in said if isinstance(one, Lost)] == []
    _, said = step(about_to_be_told(), replace(a_frame(11.0), tracks=None))
    assert said == ()


def test_a_line_whose_lamp_was_in_doubt_when_it_was_crossed_holds_and_other_lines_do_not() -> None:
    doubt = Disarmed(
        camera_id="cam",
        place_id="north",
        cause=DisarmCause.LAMP,
        reason="the lamp could not be read",
        from_s=9.0,
        to_s=9.9,
    )
    for place_id, status in (("north", Status.HELD), ("south", Status.ASSERTED)):
        state = about_to_be_told()
        state = replace(state, trust=replace(state.trust, ended=(replace(doubt, place_id=place_id),)))
        (finding,) = findings(step(state, BEYOND)[1])
        assert finding.status is status
        assert (finding.reasons[-1] == "the lamp could not be read") is (status is Status.HELD)


def test_readings_under_all_its_tracks_are_its_plate() -> None:
    track = a_track(seen_at([-6.5, -4.5, -2.5, -0.5, 1.5, 3.5], from_s=9.5), names=(7,))
    state = replace(about_to_be_told(), red_light={"north": RedLightState(tracks={1: track})})
    state, _ = step(state, replace(a_frame(10.05, a_point(1, a_box(4.5))), plates=(a_reading(7, PLATE),)))
    assert state.plate_read_s == {7: 10.05}
    (finding,) = findings(step(state, BEYOND)[1])
    assert finding.plate is not None
    assert (finding.plate.text, finding.plate.readings) == (PLATE, 1)


@pytest.mark.parametrize(("local", "status"), [(TODAY, Status.EXEMPT), (None, Status.HELD)])
def test_a_listed_plate_is_exempt_on_the_day_of_the_frame(local: LocalTime | None, status: Status) -> None:
    listed = ExemptPlate(text=PLATE, why="permit 7", first=date(2024, 5, 1), last=date(2024, 5, 1))
    read = replace(BEYOND, plates=(a_reading(1, PLATE),))
    site = a_site(exempt_plates=(listed,))
    state, said = step(about_to_be_told(site), read, site, local)
    (finding,) = findings(said)
    assert finding.status is status
    assert state.local == local
    assert bool(finding.codes) is (status is not Status.EXEMPT)


def test_codes_are_those_of_the_sites_jurisdiction_on_the_day_of_the_frame() -> None:
    site = a_site(jurisdiction="mainland_china")
    (finding,) = findings(step(about_to_be_told(site), BEYOND, site, TODAY)[1])
    assert [(code.code, code.points) for code in finding.codes] == [("1625", 6)]


@pytest.mark.parametrize(("at_s", "known"), [(300.0, {1, 2}), (300.1, {2})])
def test_a_plate_is_forgotten_five_minutes_after_it_was_read_last(at_s: float, known: set[int]) -> None:
    state, _ = step(engine.initial(a_site(), "cam"), replace(a_frame(0.0), plates=(a_reading(1, PLATE),)))
    state, _ = step(state, replace(a_frame(at_s), plates=(a_reading(2, PLATE),)))
    assert set(state.plates) == set(state.plate_read_s) == known
    assert state.plate_read_s[2] == at_s


ZONE = NoParkingZone(
    zone_id="kerb",
    polygon_px=((0.0, 250.0), (640.0, 250.0), (640.0, 340.0), (0.0, 340.0)),
    allowed_stop_s=20.0,
)


def parked(**options: Any) -> tuple[EngineState, Site]:
    """A car that stands in the zone since 0 s, at 2 s."""
    site = a_site(a_camera(no_parking=(ZONE,)), **options)
    state = engine.initial(site, "cam")
    for tick in range(11):
        state, _ = step(state, a_frame(tick / 5.0, a_point(1, (240.0, 210.0, 360.0, 300.0))), site)
    return state, site


def test_the_plate_of_a_vehicle_that_still_stands_is_kept() -> None:
    state, site = parked()
    assert len(state.parking.stays) == 1
    state, _ = step(state, replace(a_frame(2.2), tracks=None, plates=(a_reading(1, PLATE),)), site)
    state, _ = step(state, replace(a_frame(900.0), tracks=None, plates=(a_reading(2, PLATE),)), site)
    assert set(state.plates) == {1, 2}


def test_a_standing_car_is_found_with_what_was_read_and_the_codes_of_the_day() -> None:
    state, site = parked(jurisdiction="mainland_china")
    state, _ = step(state, replace(a_frame(2.2), tracks=None, plates=(a_reading(1, PLATE),)), site)
    for tick in range(11, 119):
        frame = a_frame(tick / 5.0, a_point(1, (240.0, 210.0, 360.0, 300.0)))
        state, said = step(state, frame, site, TODAY)
        if findings(said):
            break
    (finding,) = findings(said)
    assert (finding.rule, finding.place_id, finding.status) == (Rule.NO_PARKING, "kerb", Status.ASSERTED)
    assert finding.plate is not None
    assert finding.plate.text == PLATE
    assert [(code.code, code.points) for code in finding.codes] == [("1039", 0), ("1344", 1), ("1345", 1)]
    assert engine.finish(state, site, "cam") == ()


def test_who_walks_on_red_is_counted_and_never_identified() -> None:
    walk = Crosswalk(
        crosswalk_id="walk",
        polygon_px=((0.0, 200.0), (640.0, 200.0), (640.0, 400.0), (0.0, 400.0)),
        head_ids=("main",),
    )
    site = a_site(a_camera(crosswalks=(walk,)))
    state = replace(engine.initial(site, "cam"), heads={"main": RED_HEAD})
    said: tuple[Output, ...] = ()
    for tick in range(10):
        box = (300.0, 100.0 + 10.0 * tick, 330.0, 180.0 + 10.0 * tick)
        frame = replace(
            a_frame(10.0 + tick / 10.0, a_point(1, box, ObjectClass.PERSON)), plates=(a_reading(1, PLATE),)
        )
        state, now = step(state, frame, site)
        said = (*said, *now)
    (finding,) = findings(said)
    assert (finding.rule, finding.place_id, finding.plate) == (Rule.CROSSWALK_RED, "walk", None)
    assert set(state.crosswalks) == {"walk"}
    assert finding.crossing_s == pytest.approx((10.2, 10.3), abs=0.11)
    assert finding.grace_s == 1.0


def test_passages_carry_the_vote_over_their_plate_also_at_the_end() -> None:
    gate = Gate(gate_id="in", line_px=((0.0, 300.0), (640.0, 300.0)), direction=(0.0, 1.0))
    site = a_site(a_camera(gates=(gate,), plates=PlatePolicy.ALL))
    state = engine.initial(site, "cam")
    said: tuple[Output, ...] = ()
    for tick in range(8):
        box = (300.0, 200.0 + 10.0 * tick, 340.0, 260.0 + 10.0 * tick)
        frame = replace(a_frame(tick / 10.0, a_point(1, box)), plates=(a_reading(1, PLATE),))
        state, now = step(state, frame, site)
        said = (*said, *now)
    assert [one.why for one in said if isinstance(one, Watch)] == ["every plate is read"] * 2
    (passed,) = engine.finish(state, site, "cam")
    assert isinstance(passed, Passage)
    assert (passed.camera_id, passed.gate_id, passed.direction) == ("cam", "in", "forward")
    assert passed.plate is not None
    assert passed.plate.text == PLATE
    assert passed.t_s == pytest.approx(0.4)


def test_each_line_is_judged_by_its_own_heads() -> None:
    lines: tuple[StopLine, ...] = (a_line(), a_line(line_id="south", head_ids=("other",)))
    site = a_site(a_camera(stop_lines=lines))
    track: Approaching = a_track(seen_at([-6.5, -4.5, -2.5, -0.5, 1.5, 3.5], from_s=9.5))
    state = replace(
        engine.initial(site, "cam"),
        heads={"main": RED_HEAD, "other": a_head((GREEN, 0.0, 20.0), head_id="other")},
        red_light={name: RedLightState(tracks={1: track}) for name in ("north", "south")},
        last_s=10.0,
        looked_s=10.0,
    )
    after, said = step(state, BEYOND, site)
    assert [finding.place_id for finding in findings(said)] == ["north"]
    assert set(after.red_light) == {"north", "south"}
    ended = findings(engine.finish(state, site, "cam"))
    assert [(finding.place_id, finding.status) for finding in ended] == [("north", Status.HELD)]


def test_the_time_of_the_last_frame_ends_what_is_disarmed() -> None:
    stamp = FrameStamp(camera_id="cam", segment=0, index=1, media_s=9.5)
    state = moved(about_to_be_told())
    state, _ = step(state, Observation(stamp=stamp, tracks=None))
    (ended,) = [one for one in engine.finish(state, a_site(), "cam") if isinstance(one, Disarmed)]
    assert (ended.from_s, ended.to_s) == (8.0, 9.5)
