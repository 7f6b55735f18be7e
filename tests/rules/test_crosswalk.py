"""Who enters a crosswalk on red, told from feet at its edge: each limit on both its sides."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rules import crosswalk
from rules.crosswalk import CrosswalkState
from rules.finding import Finding, Output, Rule, Status
from rules.observation import LampState, ObjectClass, Observation
from rules.signal import HeadState
from rules.site import Camera, Crosswalk
from tests.builders.stop_line import a_frame, a_head, a_point

RED, AMBER, GREEN = LampState.RED, LampState.AMBER, LampState.GREEN
PERSON, BICYCLE, MOTORCYCLE, CAR = (
    ObjectClass.PERSON,
    ObjectClass.BICYCLE,
    ObjectClass.MOTORCYCLE,
    ObjectClass.CAR,
)
WALK = Crosswalk(
    crosswalk_id="walk",
    polygon_px=((0.0, 200.0), (640.0, 200.0), (640.0, 400.0), (0.0, 400.0)),
    head_ids=("main",),
)
CAMERA = Camera(camera_id="cam", width_px=640, height_px=480)
RED_HEAD = a_head((GREEN, 0.0, 9.9), (RED, 10.0, 60.0))
OFF_IT, ON_IT = 190.0, 210.0


def walked(
    feet_px: Sequence[float],
    from_s: float = 20.0,
    heads: Sequence[HeadState] = (RED_HEAD,),
    classes: Sequence[ObjectClass] = (),
    every_s: float = 0.1,
) -> list[Output]:
    """What is said of somebody whose feet are so far down the picture, each tenth of a second."""
    state = CrosswalkState()
    said: list[Output] = []
    for index, foot_px in enumerate(feet_px):
        object_class = classes[index] if index < len(classes) else PERSON
        point = a_point(3, (300.0, foot_px - 80.0, 330.0, foot_px), object_class)
        state, outputs = crosswalk.step(state, a_frame(from_s + every_s * index, point), heads, WALK, CAMERA)
        said.extend(outputs)
    return said


ENTERING = [OFF_IT, OFF_IT, *[ON_IT] * 8]


def entered(
    into_red_s: float, heads: Sequence[HeadState] = (RED_HEAD,), classes: Sequence[ObjectClass] = ()
) -> Finding | None:
    """The finding on who was seen off the crossing so long after the red began, and on it a tenth of a second later."""
    found = walked(ENTERING, 10.0 + into_red_s - 0.1, heads, classes)
    assert len(found) <= 1
    if not found:
        return None
    assert isinstance(found[0], Finding)
    return found[0]


def test_who_enters_on_red_is_counted_with_bounds_and_without_a_picture() -> None:
    finding = entered(5.0)
    assert finding is not None
    assert (finding.rule, finding.status, finding.place_id) == (Rule.CROSSWALK_RED, Status.ASSERTED, "walk")
    assert (finding.camera_id, finding.track_id, finding.object_class) == ("cam", 3, PERSON)
    assert finding.id == "cam-crosswalk_red-s0-f000151-t3"
    assert finding.stamp.media_s == pytest.approx(15.1)
    assert finding.crossing_s == pytest.approx((15.0, 15.1))
    assert (finding.t_s, finding.t_error_s) == pytest.approx((15.05, 0.05))
    assert finding.time_into_red_min_s == pytest.approx(5.0)
    assert finding.time_into_red_max_s == pytest.approx(5.2)
    assert finding.time_into_red_s == pytest.approx(5.1)
    assert (finding.at_px, finding.grace_s, finding.zone_px) == ((315.0, ON_IT), 1.0, WALK.polygon_px)
    assert finding.reasons == (
        "entered at least 5.00 s, at most 5.20 s into red; 1.00 s are granted",
        "a warning only: nobody is identified",
    )
    assert (finding.photos, finding.trace, finding.plate) == ((), (), None)


@pytest.mark.parametrize(
    ("into_red_s", "status"),
    [(1.01, Status.ASSERTED), (0.99, Status.HELD), (0.81, Status.HELD), (0.79, None), (-5.0, None)],
)
def test_the_grace_must_be_over_at_the_earliest_or_it_is_held_and_at_the_latest_or_it_is_nothing(
    into_red_s: float, status: Status | None
) -> None:
    finding = entered(into_red_s)
    assert (None if finding is None else finding.status) is status


def test_a_red_whose_beginning_was_not_seen_has_no_most() -> None:
    finding = entered(5.0, [a_head((RED, 10.0, 60.0))])
    assert finding is not None
    assert (finding.time_into_red_s, finding.time_into_red_max_s) == (None, None)
    assert finding.reasons[0] == "entered at least 5.00 s into red; 1.00 s are granted"


def test_all_heads_must_be_surely_and_steadily_red_and_the_last_to_turn_counts() -> None:
    late = a_head((GREEN, 0.0, 11.9), (RED, 12.0, 60.0), head_id="late")
    finding = entered(5.0, [RED_HEAD, late])
    assert finding is not None
    assert finding.time_into_red_min_s == pytest.approx(3.0)
    for other in (
        a_head((GREEN, 0.0, 60.0)),
        a_head((RED, 10.0, 15.05)),
        a_head((RED, 14.3, 15.2)),
    ):
        assert entered(5.0, [RED_HEAD, other]) is None
    assert entered(5.0, []) is None


def test_who_was_on_it_before_or_comes_from_it_has_not_entered() -> None:
    assert walked([ON_IT] * 20) == []
    assert walked([ON_IT, ON_IT, *[OFF_IT] * 9]) == []
    assert walked([OFF_IT] * 20) == []


@pytest.mark.parametrize(("on_it", "told"), [(6, 0), (8, 1), (20, 1)])
def test_feet_at_the_edge_count_once_they_stay_for_six_tenths(on_it: int, told: int) -> None:
    """Of a second; from the first sighting on the new side on."""
    assert len(walked([OFF_IT, *[ON_IT] * on_it])) == told


def test_feet_that_jitter_in_and_out_have_not_entered_and_enter_anew() -> None:
    assert walked([OFF_IT, *[ON_IT, ON_IT, OFF_IT] * 9]) == []
    (finding,) = walked([OFF_IT, ON_IT, OFF_IT, *[ON_IT] * 8])
    assert isinstance(finding, Finding)
    assert finding.crossing_s == pytest.approx((20.2, 20.3))


def test_who_leaves_for_good_and_comes_back_enters_twice() -> None:
    assert len(walked([*ENTERING, *[OFF_IT] * 8, *[ON_IT] * 8])) == 2


@pytest.mark.parametrize(("every_s", "told"), [(0.5, 1), (0.6, 0)])
def test_nothing_is_inferred_across_a_gap(every_s: float, told: int) -> None:
    assert len(walked([OFF_IT, *[ON_IT] * 3], every_s=every_s)) == told


def test_cyclists_count_also_when_taken_for_motorcyclists_and_drivers_do_not() -> None:
    cyclist = entered(5.0, classes=[BICYCLE, MOTORCYCLE, *[BICYCLE] * 8])
    assert cyclist is not None
    assert cyclist.object_class is BICYCLE
    assert entered(5.0, classes=[BICYCLE, *[MOTORCYCLE] * 9]) is None
    assert entered(5.0, classes=[CAR] * 10) is None


def test_frames_without_detection_change_nothing() -> None:
    state = CrosswalkState()
    blind = Observation(stamp=a_frame(20.0).stamp, tracks=None)
    assert crosswalk.step(state, blind, (RED_HEAD,), WALK, CAMERA) == (state, ())


def seen_as(*sightings: tuple[int, float, float]) -> int:
    """How often it is told of somebody seen each tenth of a second as (track, left side of a 30 px box, feet) in px."""
    state, told = CrosswalkState(), 0
    for index, (track_id, left_px, foot_px) in enumerate(sightings):
        point = a_point(track_id, (left_px, foot_px - 80.0, left_px + 30.0, foot_px), PERSON)
        state, outputs = crosswalk.step(state, a_frame(20.0 + 0.1 * index, point), (RED_HEAD,), WALK, CAMERA)
        told += len(outputs)
    return told


@pytest.mark.parametrize(("left_px", "told"), [(300.0, 1), (329.0, 1), (331.0, 2)])
def test_who_shows_off_the_edge_under_another_track_within_a_body_was_told_of(
    left_px: float, told: int
) -> None:
    entering = [(3, 300.0, 199.0), *[(3, 300.0, 200.0)] * 8]
    assert seen_as(*entering, (4, left_px, 199.0), *[(4, left_px, ON_IT)] * 8) == told
    assert seen_as(*entering, *[(4, left_px, ON_IT)] * 9) == 1


def test_a_track_that_changes_while_entering_is_told_of_and_one_that_changes_with_the_side_is_not() -> None:
    assert seen_as((3, 300.0, OFF_IT), (3, 300.0, ON_IT), *[(4, 302.0, ON_IT)] * 8) == 1
    assert seen_as((3, 300.0, OFF_IT), *[(4, 302.0, ON_IT)] * 9) == 0
    assert seen_as((3, 300.0, OFF_IT), (4, 302.0, OFF_IT), *[(4, 302.0, ON_IT)] * 8) == 1


def test_who_is_much_smaller_is_somebody_else() -> None:
    feet = [(OFF_IT, 80.0), *[(ON_IT, 80.0)] * 8]
    for high_px, told in ((54.0, 1), (53.0, 2)):
        state, found = CrosswalkState(), 0
        later = [(198.0, high_px), *[(ON_IT, high_px)] * 8]
        for index, (foot_px, box_px) in enumerate(feet + later):
            track_id = 3 if index < len(feet) else 4
            point = a_point(track_id, (300.0, foot_px - box_px, 330.0, foot_px), PERSON)
            state, outputs = crosswalk.step(
                state, a_frame(20.0 + 0.1 * index, point), (RED_HEAD,), WALK, CAMERA
            )
            found += len(outputs)
        assert found == told


def test_where_either_of_two_may_be_meant_the_newcomer_is_somebody_else() -> None:
    """Two were told of and are lost, one shows between them; or one was told of and two show."""
    told = 0
    state = CrosswalkState()
    frames = [
        [(3, 300.0, 199.0), (4, 320.0, 199.0)],
        *[[(3, 300.0, ON_IT), (4, 320.0, ON_IT)]] * 8,
        [(5, 310.0, 199.0)],
        *[[(5, 310.0, ON_IT)]] * 8,
        [(6, 300.0, 199.0), (7, 320.0, 199.0)],
        *[[(6, 300.0, ON_IT), (7, 320.0, ON_IT)]] * 8,
    ]
    for index, users in enumerate(frames):
        points = [a_point(t, (x, foot - 80.0, x + 30.0, foot), PERSON) for t, x, foot in users]
        state, outputs = crosswalk.step(
            state, a_frame(20.0 + 0.1 * index, *points), (RED_HEAD,), WALK, CAMERA
        )
        told += len(outputs)
    assert told == 2 + 1 + 2
