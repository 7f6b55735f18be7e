"""The rule for red lights frame by frame: what it asks to be watched and kept, who is awaited, handed over and let go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rules import red_light
from rules.approaching import Approaching
from rules.finding import Finding, Keep, Output, PhotoRole, Release, Rule, Status, Watch
from rules.observation import Box, LampState, ObjectClass, Observation, TrackPoint
from rules.red_light import RedLightState
from rules.signal import HeadState
from rules.site import StopLine
from rules.site_movement import Movement, TurnOnRed
from tests.builders.stop_line import CAMERA, a_box, a_frame, a_head, a_line, a_point, a_track, seen_at

RED, AMBER, GREEN = LampState.RED, LampState.AMBER, LampState.GREEN
RED_HEAD = a_head((AMBER, 0.0, 4.9), (RED, 5.0, 60.0))
GREEN_HEAD = a_head((GREEN, 0.0, 60.0))
CAR_M = 3.0
FROM_S = 10.0
"""When the tracks of these tests are seen first, five seconds into red."""


def rear(lead_m: float, track_id: int = 1, **options: Any) -> TrackPoint:
    """A car seen from behind whose front is there."""
    return a_point(track_id, a_box(lead_m - CAR_M, **options))


class Watching:
    """The rule at one line: frames go in, what it says is collected."""

    def __init__(
        self,
        *heads: HeadState,
        line: StopLine | None = None,
        tracks: dict[int, Approaching] | None = None,
    ) -> None:
        self.heads: Sequence[HeadState] = heads or (RED_HEAD,)
        self.line = line or a_line()
        self.state = RedLightState(tracks=tracks or {})
        self.said: list[Output] = []

    def sees(self, at_s: float, *seen: TrackPoint) -> tuple[Output, ...]:
        return self._step(a_frame(at_s, *seen))

    def looks_away(self, at_s: float) -> tuple[Output, ...]:
        return self._step(Observation(stamp=a_frame(at_s).stamp, tracks=None))

    def _step(self, observation: Observation) -> tuple[Output, ...]:
        self.state, said = red_light.step(self.state, observation, self.heads, self.line, CAMERA)
        self.said.extend(said)
        return said

    def ends(self) -> tuple[Output, ...]:
        said = red_light.finish(self.state, self.heads, self.line, CAMERA)
        self.said.extend(said)
        return said

    @property
    def findings(self) -> list[Finding]:
        return [one for one in self.said if isinstance(one, Finding)]


def follows(watching: Watching, leads_m: Sequence[float], from_s: float = FROM_S, track_id: int = 1) -> float:
    """A car whose front is there, each tenth of a second; when it was seen last."""
    for index, lead_m in enumerate(leads_m):
        watching.sees(from_s + index / 10.0, rear(lead_m, track_id))
    return from_s + (len(leads_m) - 1) / 10.0


UP_TO_THE_LINE = [-7.0, -5.0, -3.0, -1.0]
OVER = [*UP_TO_THE_LINE, 1.0, 3.0, 5.0]
BEYOND = [*OVER, 7.0, 9.0]


@pytest.mark.parametrize(
    ("lead_m", "head", "watched"),
    [(-12.0, RED_HEAD, True), (-12.1, RED_HEAD, False), (0.0, RED_HEAD, True), (-1.0, GREEN_HEAD, False)],
)
def test_who_is_near_a_red_line_is_watched_for_a_second(
    lead_m: float, head: HeadState, watched: bool
) -> None:
    said = Watching(head).sees(FROM_S, rear(lead_m))
    wanted = Watch(track_id=1, why="near a red stop line", until_s=FROM_S + 1.0)
    assert said == ((wanted,) if watched else ())


def test_a_line_is_red_where_any_of_its_movements_is_and_the_lamp_was_seen() -> None:
    ways = (
        Movement(name="left", head_ids=("arrow",)),
        Movement(name="straight", head_ids=("main",)),
    )
    line = a_line(movements=ways, head_ids=("arrow", "main"))
    green_arrow = a_head((GREEN, 0.0, 60.0), head_id="arrow")
    assert len(Watching(green_arrow, RED_HEAD, line=line).sees(FROM_S, rear(-3.0))) == 1
    assert Watching(green_arrow, GREEN_HEAD, line=line).sees(FROM_S, rear(-3.0)) == ()
    both = a_line(movements=(Movement(name="left", head_ids=("arrow", "main")),), head_ids=("arrow", "main"))
    assert Watching(green_arrow, RED_HEAD, line=both).sees(FROM_S, rear(-3.0)) == ()
    assert Watching(a_head((RED, 5.0, 9.4))).sees(FROM_S, rear(-3.0)) == ()
    assert len(Watching(a_head((RED, 5.0, 9.5))).sees(FROM_S, rear(-3.0))) == 1


def test_people_and_lines_without_heads_are_not_watched() -> None:
    walker = a_point(1, a_box(-1.0), ObjectClass.PERSON)
    assert Watching().sees(FROM_S, walker) == ()
    watching = Watching(line=a_line(head_ids=()))
    watching.heads = ()
    assert watching.sees(FROM_S, rear(-3.0)) == ()


def test_who_drives_on_is_accused_when_seen_beyond_and_its_photo_kept_since_it_crossed() -> None:
    watching = Watching()
    follows(watching, BEYOND)
    kept = [one for one in watching.said if isinstance(one, Keep)]
    released = [one for one in watching.said if isinstance(one, Release)]
    (finding,) = watching.findings
    assert (finding.rule, finding.status, finding.track_id) == (Rule.RED_LIGHT, Status.ASSERTED, 1)
    assert finding.t_s == pytest.approx(FROM_S + 0.35)
    assert [photo.stamp.media_s for photo in finding.photos] == pytest.approx([10.3, 10.5, 10.8])
    (keep,) = kept
    assert (keep.rule, keep.track_id, keep.role, keep.cut_now) == (
        Rule.RED_LIGHT,
        1,
        PhotoRole.BEFORE_LINE,
        False,
    )
    assert keep.stamp == finding.photos[0].stamp
    assert released == [Release(rule=Rule.RED_LIGHT, track_id=1)]
    assert watching.said.index(finding) < watching.said.index(released[0])
    assert follows(watching, [11.0, 13.0], from_s=FROM_S + 0.9) > 0.0
    assert watching.ends() == ()
    assert len(watching.findings) == 1


def test_the_time_into_red_is_the_middle_of_its_interval_and_what_was_tested_stands_with_it() -> None:
    watching = Watching()
    follows(watching, BEYOND)
    (finding,) = watching.findings
    assert finding.time_into_red_min_s is not None
    assert finding.time_into_red_max_s is not None
    assert finding.crossing_s is not None
    assert finding.time_into_red_min_s == pytest.approx(finding.crossing_s[0] - 5.0)
    assert finding.time_into_red_max_s == pytest.approx(finding.crossing_s[1] - 4.9)
    middle_s = (finding.time_into_red_min_s + finding.time_into_red_max_s) / 2.0
    assert finding.time_into_red_s == pytest.approx(middle_s)
    line = watching.line
    assert (finding.line_px, finding.further_line_px) == (line.line_px, line.further_on_px)
    assert [span.state for span in finding.signal] == [AMBER, RED]
    assert [span.from_s for span in finding.signal] == pytest.approx([0.0, 5.0])
    assert [span.to_s for span in finding.signal] == pytest.approx([4.9, 10.8])
    assert [one.leading_m for one in finding.trace] == pytest.approx(BEYOND)
    assert [one.trailing_m for one in finding.trace] == pytest.approx([lead_m - CAR_M for lead_m in BEYOND])
    assert finding.photos[1].leading_px == pytest.approx((300.0, 340.0))
    assert finding.photos[1].trailing_px == pytest.approx((300.0, 400.0))


def test_who_turns_without_having_stopped_is_told_so() -> None:
    way = Movement(name="right", head_ids=("main",), on_red=TurnOnRed.AFTER_STOP)
    watching = Watching(line=a_line(movements=(way,)))
    follows(watching, BEYOND)
    (finding,) = watching.findings
    assert (finding.rule, finding.status) == (Rule.RIGHT_TURN_WITHOUT_STOP, Status.ASSERTED)
    assert finding.id == "cam-right_turn_without_stop-s0-f000104-t1"
    assert finding.reasons[1:] == ("It turned without having stopped.",)
    straight = Watching()
    follows(straight, BEYOND)
    assert len(straight.findings[0].reasons) == 1


def test_on_green_nothing_is_kept_and_nobody_accused() -> None:
    watching = Watching(GREEN_HEAD)
    follows(watching, BEYOND)
    assert watching.ends() == ()
    assert watching.said == []
    assert watching.state.tracks[1].judged


def test_frames_without_detection_change_nothing() -> None:
    watching = Watching()
    follows(watching, OVER)
    before = watching.state
    assert watching.looks_away(FROM_S + 5.0) == ()
    assert watching.state is before


def test_who_vanishes_before_the_line_is_let_go_after_the_gap() -> None:
    watching = Watching()
    last_s = follows(watching, UP_TO_THE_LINE)
    assert watching.sees(last_s + 0.5) == ()
    assert set(watching.state.tracks) == {1}
    assert watching.sees(last_s + 0.6) == ()
    assert watching.state.tracks == {}


def test_who_vanishes_over_the_line_is_awaited_for_two_seconds_and_then_held() -> None:
    watching = Watching()
    last_s = follows(watching, OVER)
    assert watching.sees(last_s + 0.6) == ()
    assert watching.state.tracks[1].awaited is True
    assert watching.sees(last_s + 2.0) == ()
    said = watching.sees(last_s + 2.1)
    (finding,) = watching.findings
    assert said == (finding, Release(rule=Rule.RED_LIGHT, track_id=1))
    assert (finding.status, finding.reasons[0]) == (
        Status.HELD,
        "It was not seen beyond the further-on line.",
    )
    assert finding.missing == ((PhotoRole.FURTHER_ON, "it was not seen beyond the further-on line"),)
    assert [photo.role for photo in finding.photos] == [PhotoRole.BEFORE_LINE, PhotoRole.PAST_LINE]
    assert watching.state.tracks == {}


def test_who_is_awaited_and_shows_farther_on_is_accused_with_how_long_it_was_hidden() -> None:
    watching = Watching()
    last_s = follows(watching, OVER)
    watching.sees(last_s + 0.6)
    watching.sees(last_s + 1.0, rear(11.0))
    (finding,) = watching.findings
    assert finding.status is Status.ASSERTED
    assert finding.reasons[1:] == ("After the line it was hidden for 1.00 s.",)


def test_who_shows_where_the_awaited_one_cannot_be_is_another_vehicle() -> None:
    watching = Watching()
    last_s = follows(watching, OVER)
    watching.sees(last_s + 0.6)
    said = watching.sees(last_s + 1.0, rear(4.0))
    (finding,) = watching.findings
    assert said[0] is finding
    assert finding.status is Status.HELD
    assert len(watching.state.tracks[1].history) == 1
    assert watching.state.tracks[1].last_seen_s == last_s + 1.0


def test_who_crossed_with_its_front_only_is_held_nowhere() -> None:
    """Its rear was not seen past the line."""
    watching = Watching()
    follows(watching, [*UP_TO_THE_LINE, 1.0])
    assert watching.ends() == (Release(rule=Rule.RED_LIGHT, track_id=1),)


def test_what_is_in_view_when_the_segment_ends_is_held_where_the_last_photo_is_missing() -> None:
    watching = Watching()
    follows(watching, OVER)
    finding, released = watching.ends()
    assert isinstance(finding, Finding)
    assert finding.status is Status.HELD
    assert released == Release(rule=Rule.RED_LIGHT, track_id=1)


def test_a_new_track_goes_on_for_the_lost_one_and_what_was_kept_is_kept_anew() -> None:
    watching = Watching()
    last_s = follows(watching, OVER)
    said = watching.sees(last_s + 0.1, rear(7.0, track_id=2))
    assert said[-1] == Release(rule=Rule.RED_LIGHT, track_id=1)
    assert [(one.track_id, one.role) for one in said if isinstance(one, Keep)] == [(2, PhotoRole.BEFORE_LINE)]
    assert set(watching.state.tracks) == {2}
    assert watching.state.tracks[2].names == (1,)
    follows(watching, [9.0, 11.0], last_s + 0.2, track_id=2)
    (finding,) = watching.findings
    assert (finding.track_id, finding.earlier_tracks, finding.status) == (2, (1,), Status.ASSERTED)


def test_who_was_handed_over_before_anything_was_kept_leaves_nothing_to_release() -> None:
    watching = Watching()
    last_s = follows(watching, UP_TO_THE_LINE)
    said = watching.sees(last_s + 0.1, rear(1.0, track_id=2))
    assert [one for one in said if isinstance(one, Release)] == []
    assert watching.state.tracks[2].names == (1,)


def test_a_vehicle_whose_wheels_are_hidden_is_still_there() -> None:
    """A nearer car covers its wheels for longer than the gap: it is not gone, and no sighting is added."""
    watching = Watching()
    last_s = follows(watching, OVER)
    box = a_box(2.0)
    nearer: Box = (box[0], box[3] - 10.0, box[2], box[3] + 70.0)
    for step in range(1, 8):
        watching.sees(last_s + 0.1 * step, rear(5.0), a_point(2, nearer))
    track = watching.state.tracks[1]
    assert track.last_seen_s == pytest.approx(last_s + 0.7)
    assert len(track.history) == 7
    assert watching.findings == []


STANDING_S = 3.0
STANDS = [*UP_TO_THE_LINE, 1.0, *[2.0] * 32]


def test_who_stands_past_the_line_for_its_standing_time_is_told_once_as_stopped() -> None:
    watching = Watching()
    follows(watching, STANDS)
    (finding,) = watching.findings
    assert (finding.rule, finding.status) == (Rule.STOPPED_PAST_LINE, Status.ASSERTED)
    assert finding.t_s == pytest.approx(FROM_S + 3.5)
    assert finding.t_error_s == pytest.approx(0.1)
    assert finding.reasons[-1] == "It then stood past the line for 3.0 s."
    assert [photo.stamp.media_s for photo in finding.photos] == pytest.approx([10.3, 10.5, 13.5])
    assert finding.at_px == pytest.approx((300.0, 360.0))
    assert [one for one in watching.said if isinstance(one, Release)] == [
        Release(rule=Rule.RED_LIGHT, track_id=1)
    ]
    track = watching.state.tracks[1]
    assert (track.stood, track.kept, track.judged) == (True, False, False)
    assert watching.ends() == ()


def test_who_stood_and_drives_on_later_is_held() -> None:
    watching = Watching()
    last_s = follows(watching, STANDS)
    follows(watching, [4.0, 6.0, 8.0, 10.0, 12.0], last_s + 0.1)
    stopped, drove_on = watching.findings
    assert (drove_on.rule, drove_on.status) == (Rule.RED_LIGHT, Status.HELD)
    assert drove_on.reasons[0] == "It crossed on red, stood past the line, and drove on later."
    assert stopped.rule is Rule.STOPPED_PAST_LINE


@pytest.mark.parametrize(("step_m", "status"), [(0.07, Status.ASSERTED), (0.065, Status.HELD)])
def test_who_creeps_over_the_line_is_held_where_it_took_longer_than_standing_and_walking(
    step_m: float, status: Status
) -> None:
    """3 s to stand and 1.5 s at walking pace for the 3 m from its front wheels to its rear."""
    creeping = [step_m * i for i in range(round(3.1 / step_m))]
    watching = Watching()
    follows(watching, [*UP_TO_THE_LINE, *creeping, 5.0, 7.0, 9.0, 11.0])
    (finding,) = watching.findings
    assert (finding.rule, finding.status) == (Rule.RED_LIGHT, status)


def test_who_may_not_surely_be_over_the_line_is_not_told_as_stopped() -> None:
    """Its front is 0.4 m past the line as a car of common length, and short of it as a short one."""
    watching = Watching()
    follows(watching, [*UP_TO_THE_LINE, *[0.4] * 34])
    assert watching.findings == []
    assert watching.state.tracks[1].stood
    sure = Watching()
    follows(sure, [*UP_TO_THE_LINE, *[0.5] * 34])
    assert [one.rule for one in sure.findings] == [Rule.STOPPED_PAST_LINE]


def test_nobody_is_told_as_stopped_on_green() -> None:
    watching = Watching(GREEN_HEAD)
    follows(watching, STANDS)
    assert watching.said == []


def test_a_turn_that_an_exit_may_yet_tell_waits_for_it() -> None:
    ways = (
        Movement(name="straight", head_ids=("main",), exit_px=((0.0, 100.0), (640.0, 100.0))),
        Movement(name="right", head_ids=("green",), exit_px=((600.0, 0.0), (600.0, 400.0))),
    )
    line = a_line(movements=ways, head_ids=("main", "green"))
    green = a_head((GREEN, 0.0, 60.0), head_id="green")
    watching = Watching(RED_HEAD, green, line=line)
    last_s = follows(watching, [*BEYOND, 11.0, 13.0])
    assert watching.findings == []
    follows(watching, [15.0, 17.0, 19.0, 21.0], last_s + 0.1)
    (finding,) = watching.findings
    assert (finding.movement, finding.status) == ("straight", Status.ASSERTED)
    assert watching.state.tracks[1].judged


def test_a_track_that_was_judged_is_neither_watched_nor_judged_again() -> None:
    judged = a_track(seen_at([-9.0, -7.0], from_s=9.9), judged=True)
    watching = Watching(tracks={1: judged})
    follows(watching, [-2.0, 0.0, 2.0, 4.0, 6.0, 8.0], 10.1)
    assert watching.said == []
    assert watching.sees(20.0) == ()
    assert watching.state.tracks == {}
