"""The rule for red lights on hand-made drives: who is accused, who is held, and who is left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import red_light, signal
from rules.approach import REAR_TO_FRONT_M
from rules.finding import Finding, PhotoRole, Rule, Status, Watch
from rules.observation import FrameStamp, LampSample, LampState, ObjectClass, Observation, TrackPoint
from rules.red_light import RedLightState
from rules.signal import HeadState
from rules.site import Camera, StopLine, View

FPS = 25.0
PX_PER_M = 20.0
LINE_Y = 400.0
RED_AT_S = 2.0

Drive = Callable[[float], float]
"""Media seconds to the distance in metres of the vehicle's *leading* point past the line."""


def a_line(view: View, heads: tuple[str, ...] = ("main",)) -> StopLine:
    """A line across the picture; traffic drives up it when departing and down it when approaching."""
    ahead = -1.0 if view is View.DEPARTING else 1.0
    further_y = LINE_Y + ahead * 5.0 * PX_PER_M
    return StopLine(
        line_id="north",
        movement="straight",
        line_px=((100.0, LINE_Y), (500.0, LINE_Y)),
        further_on_px=((100.0, further_y), (500.0, further_y)),
        direction=(0.0, ahead),
        view=view,
        scale_px_per_m=PX_PER_M,
        head_ids=heads,
    )


CAR_M = REAR_TO_FRONT_M[ObjectClass.CAR]
CAMERA = Camera(camera_id="cam", width_px=640, height_px=800)


def a_box(lead_m: float, view: View, length_m: float, x: float) -> tuple[float, float, float, float]:
    ahead = -1.0 if view is View.DEPARTING else 1.0
    ground_m = lead_m - length_m if view is View.DEPARTING else lead_m
    bottom = LINE_Y + ahead * ground_m * PX_PER_M
    return (x - 20.0, bottom - 60.0, x + 20.0, bottom)


def replay(
    drives: dict[int, Drive],
    *,
    view: View = View.DEPARTING,
    lamp: Callable[[float], LampState] = lambda t: LampState.RED if t >= RED_AT_S else LampState.AMBER,
    until_s: float = 12.0,
    fps: float = FPS,
    x: float = 300.0,
    length_m: float = CAR_M,
    object_class: ObjectClass = ObjectClass.CAR,
    hidden: Callable[[float], bool] = lambda t: False,
    line: StopLine | None = None,
) -> list[Finding]:
    """The findings of the rule on vehicles that drive as told."""
    used = line or a_line(view)
    state = RedLightState()
    heads = [HeadState(head_id=head_id) for head_id in used.head_ids]
    findings: list[Finding] = []
    for index in range(round(until_s * fps)):
        media_s = index / fps
        stamp = FrameStamp(camera_id="cam", segment=0, index=index, media_s=media_s)
        sample = LampSample(head_id="main", state=lamp(media_s), confidence=1.0)
        heads = [signal.step(head, sample, media_s, CAMERA.max_gap_s) for head in heads]
        tracks = tuple(
            TrackPoint(
                track_id=track_id,
                object_class=object_class,
                box_px=a_box(drive(media_s), view, length_m, x + 100.0 * (track_id - 1)),
                score=0.9,
            )
            for track_id, drive in drives.items()
            if not hidden(media_s)
        )
        observation = Observation(stamp=stamp, tracks=tracks)
        state, outputs = red_light.step(state, observation, heads, used, CAMERA)
        findings.extend(output for output in outputs if isinstance(output, Finding))
    findings.extend(o for o in red_light.finish(state, heads, used, CAMERA) if isinstance(o, Finding))
    return findings


def crossing_at(t_s: float, speed_m_s: float = 10.0) -> Drive:
    return lambda t: (t - t_s) * speed_m_s


def stopping_at(lead_m: float, stand_from_s: float, go_s: float = 1e9, speed_m_s: float = 5.0) -> Drive:
    """Drives up to ``lead_m``, stands there from ``stand_from_s`` to ``go_s``, then drives on."""

    def drive(t: float) -> float:
        if t < stand_from_s:
            return lead_m - (stand_from_s - t) * speed_m_s
        return lead_m + max(0.0, t - go_s) * speed_m_s

    return drive


BOTH_VIEWS = pytest.mark.parametrize("view", [View.DEPARTING, View.APPROACHING])


@BOTH_VIEWS
def test_a_car_that_crosses_two_seconds_into_red_is_accused_once(view: View) -> None:
    findings = replay({1: crossing_at(RED_AT_S + 2.0)}, view=view)
    assert [(f.rule, f.status) for f in findings] == [(Rule.RED_LIGHT, Status.ASSERTED)]
    finding = findings[0]
    assert finding.t_s == pytest.approx(RED_AT_S + 2.0, abs=0.02)
    assert finding.crossing_s is not None
    assert finding.crossing_s[0] <= RED_AT_S + 2.0 <= finding.crossing_s[1]
    assert finding.time_into_red_min_s is not None
    assert finding.time_into_red_max_s is not None
    assert finding.time_into_red_min_s <= 2.0 <= finding.time_into_red_max_s
    assert finding.at_px == pytest.approx((300.0, LINE_Y), abs=0.5)


@BOTH_VIEWS
def test_its_photos_show_it_before_past_and_further_on(view: View) -> None:
    finding = replay({1: crossing_at(RED_AT_S + 2.0)}, view=view)[0]
    assert [photo.role for photo in finding.photos] == [
        PhotoRole.BEFORE_LINE,
        PhotoRole.PAST_LINE,
        PhotoRole.FURTHER_ON,
    ]
    trace = {point.index: point for point in finding.trace}
    before, past, further = (trace[photo.stamp.index] for photo in finding.photos)
    assert before.leading_m is not None
    assert before.leading_m < 0.0
    assert past.trailing_m is not None
    assert past.trailing_m >= 0.0
    ground_m = further.trailing_m if view is View.DEPARTING else further.leading_m
    assert ground_m is not None
    assert ground_m >= 5.0
    assert before.index < past.index < further.index


@BOTH_VIEWS
def test_nobody_is_accused_who_crosses_on_green_amber_or_within_the_grace(view: View) -> None:
    green = replay({1: crossing_at(6.0)}, view=view, lamp=lambda t: LampState.GREEN)
    amber = replay({1: crossing_at(RED_AT_S - 0.3)}, view=view)
    grace = replay({1: crossing_at(RED_AT_S + 0.1)}, view=view)
    assert [f for f in green + amber + grace if f.status is Status.ASSERTED] == []
    assert green == []
    assert amber == []


def test_front_over_on_amber_and_rear_over_in_red_seen_from_behind_is_nothing() -> None:
    """At 10 m/s the rear of a car follows its front wheels by 0.28 s: the box bottom alone would accuse."""
    assert replay({1: crossing_at(RED_AT_S - 0.1)}, view=View.DEPARTING) == []


@BOTH_VIEWS
def test_a_crossing_whose_interval_reaches_into_the_grace_is_held_with_its_sentence(view: View) -> None:
    findings = replay({1: crossing_at(RED_AT_S + 0.31, speed_m_s=3.0)}, view=view)
    assert [f.status for f in findings] == [Status.HELD]
    assert "grace 0.30 s" in findings[0].reasons[0]
    assert findings[0].grace_s == 0.3


@BOTH_VIEWS
def test_a_vehicle_over_the_line_when_red_began_may_leave(view: View) -> None:
    assert replay({1: stopping_at(1.5, stand_from_s=1.0, go_s=8.0)}, view=view) == []


@BOTH_VIEWS
def test_a_vehicle_that_stops_before_the_line_and_leaves_on_green_is_left_alone(view: View) -> None:
    def lamp(t: float) -> LampState:
        return LampState.RED if 2.0 <= t < 7.0 else LampState.GREEN

    assert replay({1: stopping_at(-1.5, stand_from_s=3.0, go_s=7.5)}, view=view, lamp=lamp) == []


@BOTH_VIEWS
def test_a_vehicle_that_stops_before_the_line_and_leaves_on_red_is_accused(view: View) -> None:
    findings = replay({1: stopping_at(-1.5, stand_from_s=3.0, go_s=8.0)}, view=view)
    assert [(f.rule, f.status) for f in findings] == [(Rule.RED_LIGHT, Status.ASSERTED)]
    assert findings[0].t_s == pytest.approx(8.3, abs=0.05)


@BOTH_VIEWS
def test_a_vehicle_that_crosses_on_red_and_stands_is_stopped_past_the_line(view: View) -> None:
    findings = replay({1: stopping_at(2.0, stand_from_s=5.0)}, view=view)
    assert [(f.rule, f.status) for f in findings] == [(Rule.STOPPED_PAST_LINE, Status.ASSERTED)]
    assert findings[0].t_s == pytest.approx(8.0, abs=0.2)
    assert [photo.role for photo in findings[0].photos] == [
        PhotoRole.BEFORE_LINE,
        PhotoRole.PAST_LINE,
        PhotoRole.LAST,
    ]


def test_driving_on_after_standing_past_the_line_is_held_not_asserted() -> None:
    findings = replay({1: stopping_at(2.0, stand_from_s=4.0, go_s=9.0)})
    assert [(f.rule, f.status) for f in findings] == [
        (Rule.STOPPED_PAST_LINE, Status.ASSERTED),
        (Rule.RED_LIGHT, Status.HELD),
    ]


def test_red_seen_for_12_s_without_its_onset_is_asserted_with_at_least() -> None:
    findings = replay({1: crossing_at(12.0)}, lamp=lambda t: LampState.RED, until_s=14.0)
    assert [f.status for f in findings] == [Status.ASSERTED]
    assert findings[0].time_into_red_max_s is None
    assert "at least 11.9" in findings[0].reasons[0] or "at least 12.0" in findings[0].reasons[0]


@pytest.mark.parametrize("lamp", [LampState.UNKNOWN, LampState.OFF, LampState.RED_AMBER])
def test_a_signal_that_is_not_surely_red_accuses_nobody(lamp: LampState) -> None:
    assert replay({1: crossing_at(6.0)}, lamp=lambda t: lamp) == []


def test_a_line_without_heads_accuses_nobody() -> None:
    assert replay({1: crossing_at(6.0)}, line=a_line(View.DEPARTING, heads=())) == []


def test_a_head_that_never_reports_accuses_nobody() -> None:
    line = a_line(View.DEPARTING, heads=("main", "other"))
    seen_only_main = replay({1: crossing_at(6.0)}, line=line, lamp=lambda t: LampState.UNKNOWN)
    assert seen_only_main == []


def test_traffic_against_the_approach_or_beside_the_line_is_left_alone() -> None:
    assert replay({1: lambda t: 30.0 - 5.0 * t}) == []
    assert replay({1: crossing_at(5.0)}, x=560.0) == []


def test_no_crossing_is_inferred_across_a_gap() -> None:
    findings = replay({1: crossing_at(5.0)}, hidden=lambda t: 4.7 < t < 5.6)
    assert findings == []


def test_a_short_occlusion_widens_the_bound() -> None:
    seen = replay({1: crossing_at(5.0)}, hidden=lambda t: False)[0]
    occluded = replay({1: crossing_at(5.0)}, hidden=lambda t: 4.9 < t < 5.3)[0]
    assert occluded.status is Status.ASSERTED
    assert occluded.t_error_s > seen.t_error_s + 0.005


def test_a_vehicle_that_vanishes_before_the_further_on_line_is_held() -> None:
    findings = replay({1: crossing_at(5.0)}, hidden=lambda t: t > 5.6)
    assert [f.status for f in findings] == [Status.HELD]
    assert findings[0].missing == ((PhotoRole.FURTHER_ON, "it was not seen beyond the further-on line"),)


def test_a_vehicle_that_creeps_over_the_line_for_long_is_held() -> None:
    """It never stands still for three seconds, and yet it did not drive over the line in one go."""

    def drive(t: float) -> float:
        creeping = min(max(0.0, t - 4.0), 9.0) * 0.45
        return -5.0 + min(t, 4.0) / 4.0 * 5.5 + creeping + max(0.0, t - 13.0) * 8.0

    findings = replay({1: drive}, until_s=16.0)
    assert [(f.rule, f.status) for f in findings] == [(Rule.RED_LIGHT, Status.HELD)]


def test_a_motorcycle_is_measured_from_wheel_to_wheel() -> None:
    """Seen from behind, its front wheel is a wheelbase ahead of the box bottom, not a whole length."""
    finding = replay(
        {1: crossing_at(5.0)},
        object_class=ObjectClass.MOTORCYCLE,
        length_m=REAR_TO_FRONT_M[ObjectClass.MOTORCYCLE],
    )[0]
    assert finding.t_s == pytest.approx(5.0, abs=0.02)


def drive_with(
    classes: Callable[[float], ObjectClass],
    nearer: Callable[[float], bool] = lambda t: False,
    wheels_at: float = 0.125,
) -> list[Finding]:
    """One motorcycle that crosses three seconds into red; ``nearer``: somebody's box that ends lower reaches over its wheels.

    ``wheels_at`` is where in that box's height they are, from its top.
    """
    line, state, head = a_line(View.DEPARTING), RedLightState(), HeadState(head_id="main")
    findings: list[Finding] = []
    for index in range(250):
        media_s = index / FPS
        stamp = FrameStamp(camera_id="cam", segment=0, index=index, media_s=media_s)
        sample = LampSample(head_id="main", state=LampState.RED, confidence=1.0)
        head = signal.step(head, sample, media_s, CAMERA.max_gap_s)
        box = a_box(crossing_at(5.0)(media_s), View.DEPARTING, REAR_TO_FRONT_M[ObjectClass.MOTORCYCLE], 300.0)
        tracks = [TrackPoint(track_id=1, object_class=classes(media_s), box_px=box, score=0.8)]
        if nearer(media_s):
            behind = (280.0, box[3] - 80.0 * wheels_at, 330.0, box[3] + 80.0 * (1.0 - wheels_at))
            tracks.append(TrackPoint(track_id=2, object_class=ObjectClass.CAR, box_px=behind, score=0.8))
        observation = Observation(stamp=stamp, tracks=tuple(tracks))
        state, outputs = red_light.step(state, observation, [head], line, CAMERA)
        findings.extend(o for o in outputs if isinstance(o, Finding) and o.track_id == 1)
    return findings


def test_a_rider_who_is_seen_before_the_machine_is_one_road_user_with_it() -> None:
    findings = drive_with(lambda t: ObjectClass.PERSON if t < 5.0 else ObjectClass.MOTORCYCLE)
    assert [(f.object_class, f.status) for f in findings] == [(ObjectClass.MOTORCYCLE, Status.ASSERTED)]


def test_a_pedestrian_who_crosses_the_line_is_no_case_of_this_rule() -> None:
    assert drive_with(lambda t: ObjectClass.PERSON) == []


def test_wheels_hidden_while_crossing_infer_no_crossing() -> None:
    assert drive_with(lambda t: ObjectClass.MOTORCYCLE, nearer=lambda t: 4.6 < t < 5.4) == []


def test_who_passes_before_a_bus_whose_box_ends_hardly_lower_is_not_hidden_by_it() -> None:
    findings = drive_with(lambda t: ObjectClass.MOTORCYCLE, nearer=lambda t: 4.6 < t < 5.4, wheels_at=0.95)
    assert [f.status for f in findings] == [Status.ASSERTED]


def test_wheels_hidden_after_the_line_do_not_lose_the_vehicle() -> None:
    findings = drive_with(lambda t: ObjectClass.MOTORCYCLE, nearer=lambda t: 5.3 < t < 6.3)
    assert [f.status for f in findings] == [Status.ASSERTED]


def test_a_vehicle_first_seen_over_the_line_is_left_alone() -> None:
    assert replay({1: crossing_at(5.0)}, hidden=lambda t: t < 5.1) == []


def test_a_vehicle_near_a_red_line_is_watched() -> None:
    line = a_line(View.DEPARTING)
    stamp = FrameStamp(camera_id="cam", segment=0, index=50, media_s=2.0)
    head = HeadState(head_id="main")
    for media_s in (1.92, 1.96, 2.0):
        head = signal.step(
            head, LampSample(head_id="main", state=LampState.RED, confidence=1.0), media_s, 0.5
        )
    near = TrackPoint(
        track_id=4, object_class=ObjectClass.CAR, box_px=a_box(-3.0, View.DEPARTING, CAR_M, 300.0), score=0.9
    )
    _, outputs = red_light.step(
        RedLightState(), Observation(stamp=stamp, tracks=(near,)), [head], line, CAMERA
    )
    assert [output.track_id for output in outputs if isinstance(output, Watch)] == [4]


@BOTH_VIEWS
@given(
    into_red_s=st.floats(-3.0, 6.0),
    speed_m_s=st.floats(2.0, 20.0),
    fps=st.sampled_from([6.0, 12.5, 25.0]),
    longer=st.floats(0.85, 1.15),
)
def test_whoever_is_accused_was_past_the_grace_and_within_the_stated_interval(
    view: View, into_red_s: float, speed_m_s: float, fps: float, longer: float
) -> None:
    """For any time, speed, frame rate and length within the class: no accusation before the grace, truth inside the bounds."""
    truth_s = RED_AT_S + into_red_s
    findings = replay(
        {1: crossing_at(truth_s, speed_m_s)}, view=view, fps=fps, length_m=CAR_M * longer, until_s=16.0
    )
    for finding in findings:
        assert finding.crossing_s is not None
        assert finding.crossing_s[0] - 1e-6 <= truth_s <= finding.crossing_s[1] + 1e-6
        if finding.status is Status.ASSERTED:
            assert into_red_s >= 0.3
    if into_red_s > 2.0:
        assert [finding.status for finding in findings] == [Status.ASSERTED]


def ids(findings: Sequence[Finding]) -> list[str]:
    return [finding.id for finding in findings]


def test_two_vehicles_side_by_side_are_two_findings_with_their_own_ids() -> None:
    findings = replay({1: crossing_at(5.0), 2: crossing_at(5.0)}, x=200.0)
    assert len(set(ids(findings))) == 2
