"""One track's drive over a line: whether it is one, as which class, in which lane, and what was seen of it."""

from __future__ import annotations

from typing import Any

import pytest

from rules.approaching import Approaching
from rules.drive import Drive, drive_of
from rules.observation import LampState, ObjectClass
from rules.site import StopLine, View
from rules.site_movement import Lane, Movement
from tests.builders.stop_line import CAMERA, a_head, a_line, a_sighting, a_track, seen_at

HEAD = a_head((LampState.RED, 0.0, 60.0))
OVER = [-6.5, -4.5, -2.5, -0.5, 1.5, 3.5, 5.5, 7.5]
"""The rear of a car, 2 m farther each tenth of a second; its front is 3 m ahead."""


def driven(metres: list[float] | None = None, x_px: float = 300.0, **options: Any) -> Approaching:
    return a_track(seen_at(OVER if metres is None else metres, x_px=x_px), **options)


def drive(track: Approaching, line: StopLine | None = None) -> Drive | None:
    return drive_of(1, track, [HEAD], line or a_line(), CAMERA)


def the_drive(track: Approaching, line: StopLine | None = None) -> Drive:
    found = drive(track, line)
    assert found is not None
    return found


def test_a_drive_over_the_line_says_who_when_and_where() -> None:
    found = the_drive(driven(names=(8, 9)))
    assert (found.track_id, found.earlier_tracks, found.object_class) == (1, (8, 9), ObjectClass.CAR)
    assert (found.crossing.before, found.crossing.after, found.past, found.beyond) == (1, 2, 4, 6)
    assert (found.heads, found.max_gap_s, found.reach_m) == ((HEAD,), 0.5, 3.0)
    assert found.ways == (Movement(name="straight", head_ids=("main",)),)
    assert (found.lane, found.has_left, found.others) == (None, False, ())
    assert found.line == a_line()
    assert found.hidden_s == pytest.approx(0.1)


def test_seen_from_ahead_the_whole_body_has_to_be_past() -> None:
    track = a_track(seen_at([-3.0, -1.0, 1.0, 3.0, 5.0, 7.0], View.APPROACHING))
    found = the_drive(track, a_line(View.APPROACHING))
    assert (found.crossing.before, found.past, found.beyond, found.reach_m) == (1, 5, None, 4.5)


@pytest.mark.parametrize("x_px", [99.0, 501.0])
def test_who_passes_beside_the_line_does_not_drive_over_it(x_px: float) -> None:
    assert drive(driven(x_px=x_px)) is None


def test_it_must_meet_the_line_where_it_is_first_seen_past_it() -> None:
    aslant = [a_sighting(0.1 * i, metres, x_px=85.0 + 10.0 * i) for i, metres in enumerate(OVER)]
    assert drive(a_track(aslant)) is not None
    beside = [a_sighting(0.1 * i, metres, x_px=75.0 + 10.0 * i) for i, metres in enumerate(OVER)]
    assert drive(a_track(beside)) is None


def test_a_pedestrian_and_who_has_not_crossed_make_no_drive() -> None:
    assert drive(driven(object_class=ObjectClass.PERSON)) is None
    assert drive(driven([-9.0, -7.0, -5.0, -4.0])) is None


def test_who_left_by_an_exit_needs_no_further_on_line() -> None:
    metres = OVER[:6]
    assert the_drive(driven(metres)).beyond is None
    left = the_drive(driven(metres, left_by="straight"))
    assert (left.has_left, left.past, left.beyond) == (True, 4, 5)
    assert the_drive(driven(OVER[:5], left_by="straight")).beyond is None
    assert the_drive(driven(OVER, left_by="straight")).beyond == 6


def test_beyond_is_looked_for_after_the_place_past_the_line() -> None:
    """A bus whose rear is past the line 8.5 m behind its front: both places may be one sighting apart."""
    jump = the_drive(driven([-6.5, -4.5, -2.5, -0.5, 5.5]))
    assert (jump.past, jump.beyond) == (4, None)
    assert the_drive(driven([-6.5, -4.5, -2.5, -0.5, 5.5, 7.5])).beyond == 5
    assert the_drive(driven(OVER[:4])).beyond is None


def test_hidden_is_the_longest_time_unseen_between_the_line_and_beyond_it() -> None:
    times_s = [0.0, 0.1, 0.2, 0.5, 0.6, 1.4, 1.6, 9.0]
    found = the_drive(a_track([a_sighting(at_s, metres) for at_s, metres in zip(times_s, OVER, strict=True)]))
    assert found.beyond == 6
    assert found.hidden_s == pytest.approx(0.8)
    short = the_drive(a_track([a_sighting(t, m) for t, m in zip(times_s[:5], OVER[:5], strict=True)]))
    assert short.beyond is None
    assert short.hidden_s == pytest.approx(0.3)
    just_over = the_drive(driven([-6.5, -4.5, -2.0]))
    assert just_over.hidden_s == 0.0


def test_who_may_have_been_over_at_first_sight_crossed_after_it_at_the_earliest() -> None:
    late = the_drive(a_track(seen_at([-3.5, -1.5, 0.5, 2.5], from_s=4.0)))
    assert late.crossing.earliest_s is None
    assert late.earliest_s == 4.0
    sure = the_drive(driven())
    assert sure.earliest_s == sure.crossing.earliest_s


def aslant(after_x_px: float) -> Approaching:
    """Straight over the line, then four sightings more, each so far to the right."""
    over = seen_at(OVER[:5])
    return a_track(
        [
            *over,
            *(
                a_sighting(0.5 + 0.1 * i, 1.5 + 1.0 * (i + 1), x_px=300.0 + after_x_px * (i + 1))
                for i in range(4)
            ),
        ]
    )


def test_who_turns_off_behind_a_line_for_straight_on_is_not_one_of_those_it_is_for() -> None:
    assert drive(aslant(30.0)) is not None
    assert drive(aslant(40.0)) is None
    assert drive(aslant(40.0), a_line(movement="straight+left")) is not None
    assert drive(aslant(40.0), a_line(movement="left")) is not None


def test_where_the_line_has_exits_whoever_turns_behind_it_still_used_it() -> None:
    ways = (
        Movement(name="straight", head_ids=("main",)),
        Movement(name="right", head_ids=("main",), exit_px=((600.0, 0.0), (600.0, 400.0))),
    )
    assert drive(aslant(80.0), a_line(movements=ways)) is not None
    assert drive(aslant(80.0), a_line(movements=ways, movement="straight")) is not None
    assert drive(aslant(120.0)) is None


def test_who_drives_across_the_approach_does_not_use_it() -> None:
    across = [a_sighting(0.1 * i, -4.5 + 0.5 * i, x_px=200.0 + 20.0 * i) for i in range(9)]
    assert drive(a_track(across)) is None


LANES = (
    Lane(lane_id="1", share=(0.0, 0.5), movements=("left",)),
    Lane(lane_id="2", share=(0.5, 1.0), movements=("straight", "left")),
)
WAYS = (Movement(name="left", head_ids=("arrow",)), Movement(name="straight", head_ids=("main",)))


@pytest.mark.parametrize(
    ("x_px", "lane_id", "ways"),
    [
        (200.0, "1", ["left"]),
        (299.0, "1", ["left"]),
        (300.0, "2", ["left", "straight"]),
        (500.0, None, ["left", "straight"]),
    ],
)
def test_the_lane_where_it_meets_the_line_tells_which_ways_it_may_have_gone(
    x_px: float, lane_id: str | None, ways: list[str]
) -> None:
    found = the_drive(driven(x_px=x_px), a_line(movements=WAYS, lanes=LANES))
    assert (None if found.lane is None else found.lane.lane_id) == lane_id
    assert [way.name for way in found.ways] == ways


def test_the_exit_it_left_by_goes_before_its_lane() -> None:
    found = the_drive(driven(x_px=200.0, left_by="straight"), a_line(movements=WAYS, lanes=LANES))
    assert [way.name for way in found.ways] == ["straight"]


def test_of_a_track_that_may_be_of_several_classes_the_drive_is_told_as_each() -> None:
    votes = ((ObjectClass.CAR, 4), (ObjectClass.TRUCK, 4))
    found = the_drive(driven(classes=votes))
    assert found.object_class is ObjectClass.CAR
    (other,) = found.others
    assert other is not None
    assert (other.object_class, other.reach_m) == (ObjectClass.TRUCK, 6.0)
    assert (other.crossing.before, other.track_id, other.heads) == (0, 1, (HEAD,))
    from_near = the_drive(driven(OVER[1:], classes=votes))
    assert from_near.others == (None,)
