"""What a gap between pictures cost: which red lights nobody watched, and who may have used it."""

from __future__ import annotations

from typing import Any

import pytest

from rules import gap
from rules.approaching import Approaching
from rules.lost import Lost
from rules.observation import LampState, ObjectClass, Observation, TrackPoint
from rules.signal import HeadState
from rules.site import StopLine
from rules.site_movement import Movement
from tests.builders.stop_line import CAMERA, a_box, a_frame, a_head, a_line, a_point, a_track, seen_at

RED, AMBER, GREEN = LampState.RED, LampState.AMBER, LampState.GREEN
RED_HEAD = a_head((RED, 0.0, 10.0))
GREEN_HEAD = a_head((GREEN, 0.0, 10.0))


def waiting(lead_m: float = -20.0, **options: Any) -> Approaching:
    """A car whose front was so far from the line when the gap began."""
    return a_track(seen_at([lead_m - 3.0] * 2, from_s=9.9), **options)


def lost(
    *seen: TrackPoint,
    before: HeadState | None = RED_HEAD,
    after: HeadState | None = RED_HEAD,
    gap_s: float = 1.0,
    tracks: dict[int, Approaching] | None = None,
    line: StopLine | None = None,
) -> Lost | None:
    heads = ({} if before is None else {"main": before}, {} if after is None else {"main": after})
    observation = a_frame(10.0 + gap_s, *seen)
    known = {1: waiting()} if tracks is None else tracks
    return gap.lost_in(10.0, observation, heads, known, line or a_line(), CAMERA)


def test_a_gap_in_red_is_told_with_its_place_its_time_and_who_may_have_used_it() -> None:
    assert lost() == Lost(
        camera_id="cam", place_id="north", movements=("straight",), from_s=10.0, to_s=11.0, tracks=(1,)
    )


@pytest.mark.parametrize(("gap_s", "told"), [(0.5, False), (0.51, True)])
def test_what_is_no_gap_costs_nothing(gap_s: float, told: bool) -> None:
    assert (lost(gap_s=gap_s) is not None) is told


@pytest.mark.parametrize(
    ("before", "after", "gap_s", "told"),
    [
        (RED_HEAD, GREEN_HEAD, 1.0, True),
        (GREEN_HEAD, RED_HEAD, 1.0, True),
        (GREEN_HEAD, GREEN_HEAD, 3.0, False),
        (GREEN_HEAD, GREEN_HEAD, 3.1, True),
        (GREEN_HEAD, None, 3.1, True),
        (None, GREEN_HEAD, 3.1, True),
        (None, None, 9.0, False),
        (a_head(), a_head(), 9.0, False),
        (a_head((RED, 0.0, 10.0), broken=True), None, 9.0, False),
        (a_head((GREEN, 0.0, 10.0), pending=(RED, 10.0)), GREEN_HEAD, 1.0, True),
        (GREEN_HEAD, a_head((GREEN, 0.0, 10.0), broken=True, pending=(RED, 11.0)), 1.0, True),
    ],
)
def test_a_light_may_have_been_red_that_was_so_at_one_end_or_had_the_time_for_an_amber(
    before: HeadState | None, after: HeadState | None, gap_s: float, told: bool
) -> None:
    assert (lost(before=before, after=after, gap_s=gap_s) is not None) is told


def test_how_long_an_amber_takes_is_the_lines_own() -> None:
    line = a_line(min_amber_s=4.0)
    assert lost(before=GREEN_HEAD, after=GREEN_HEAD, gap_s=4.0, line=line) is None
    assert lost(before=GREEN_HEAD, after=GREEN_HEAD, gap_s=4.1, line=line) is not None


def test_a_movement_is_lost_where_all_its_heads_may_have_been_red_and_it_has_any() -> None:
    ways = (
        Movement(name="straight", head_ids=("main",)),
        Movement(name="left", head_ids=("main", "arrow")),
        Movement(name="free", head_ids=()),
    )
    heads = {"main": RED_HEAD, "arrow": GREEN_HEAD}
    found = gap.lost_in(10.0, a_frame(11.0), (heads, heads), {}, a_line(movements=ways), CAMERA)
    assert found is not None
    assert (found.movements, found.tracks) == (("straight",), ())
    assert gap.lost_in(10.0, a_frame(11.0), (heads, heads), {}, a_line(movements=ways[1:]), CAMERA) is None


def used(track: Approaching, *seen: TrackPoint, gap_s: float = 1.0) -> bool:
    found = lost(*seen, gap_s=gap_s, tracks={1: track})
    assert found is not None
    return found.tracks == (1,)


@pytest.mark.parametrize(
    ("lead_m", "gap_s", "may"),
    [(-24.9, 1.0, True), (-25.1, 1.0, False), (-49.9, 2.0, True), (-50.1, 2.0, False), (1.0, 1.0, True)],
)
def test_who_could_reach_the_line_at_ninety_kilometres_an_hour_may_have_used_it(
    lead_m: float, gap_s: float, may: bool
) -> None:
    assert used(waiting(lead_m), gap_s=gap_s) is may


def test_who_is_still_seen_before_the_line_has_not_used_it() -> None:
    assert not used(waiting(), a_point(1, a_box(-3.1)))
    assert used(waiting(), a_point(1, a_box(-2.9)))
    assert used(waiting(), a_point(1, a_box(-3.0)))
    assert used(waiting(), a_point(2, a_box(-9.0)))


def test_who_was_judged_walks_or_was_never_seen_on_the_ground_has_not_used_it() -> None:
    assert not used(waiting(judged=True))
    assert not used(waiting(object_class=ObjectClass.PERSON))
    assert not used(Approaching(last_seen_s=10.0, classes=((ObjectClass.CAR, 1),)))


def test_where_nobody_looked_for_road_users_everyone_near_may_have_used_it() -> None:
    heads = {"main": RED_HEAD}
    blind = Observation(stamp=a_frame(11.0).stamp, tracks=None)
    found = gap.lost_in(10.0, blind, (heads, heads), {1: waiting(), 2: waiting(-30.0)}, a_line(), CAMERA)
    assert found is not None
    assert found.tracks == (1,)
