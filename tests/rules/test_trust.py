"""When a camera's rules distrust themselves: since when, for how long, why, and how they are armed again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules import trust
from rules.finding import DisarmCause, Disarmed, Status
from rules.observation import (
    ClockSource,
    FrameStamp,
    LampSample,
    LampState,
    Observation,
    SceneFault,
    SceneState,
)
from rules.signal import HeadState
from rules.site import Camera
from rules.site_movement import HeadKind
from rules.trust import TrustState
from tests.builders.stop_line import a_head, a_line
from tests.rules.test_once import a_finding

RED, AMBER, GREEN, OFF, UNKNOWN = (
    LampState.RED,
    LampState.AMBER,
    LampState.GREEN,
    LampState.OFF,
    LampState.UNKNOWN,
)
CAMERA = Camera(camera_id="cam", width_px=640, height_px=480, stop_lines=(a_line(),))
NOON = datetime(2024, 5, 1, 4, 0, tzinfo=UTC)
STEADY = a_head((RED, 0.0, 1000.0))


def a_stamp(
    at_s: float, wall_s: float | None = None, source: ClockSource = ClockSource.DECLARED, error_s: float = 0.0
) -> FrameStamp:
    return FrameStamp(
        camera_id="cam",
        segment=0,
        index=round(at_s * 10),
        media_s=at_s,
        captured_at=None if wall_s is None else NOON + timedelta(seconds=wall_s),
        clock_source=ClockSource.NONE if wall_s is None else source,
        error_s=error_s,
    )


class Doubting:
    """The trust of one camera: frames go in, what it says is collected."""

    def __init__(self, camera: Camera = CAMERA) -> None:
        self.camera = camera
        self.state = TrustState()
        self.said: list[Disarmed] = []

    def sees(
        self,
        stamp: FrameStamp | float,
        head: HeadState = STEADY,
        scene: SceneState | None = None,
        **rest: Any,
    ) -> tuple[Disarmed, ...]:
        stamp = stamp if isinstance(stamp, FrameStamp) else a_stamp(stamp)
        seen = Observation(stamp=stamp, tracks=(), scene=scene, **rest)
        self.state, said = trust.step(self.state, seen, {"main": head}, self.camera)
        self.said.extend(said)
        return said

    def is_blind(self) -> bool:
        return self.state.blind

    def goes_on(self, times_s: Iterable[float], **seen: Any) -> None:
        for at_s in times_s:
            self.sees(at_s, **seen)


def tenths(from_s: float, to_s: float) -> list[float]:
    return [number / 10 for number in range(round(from_s * 10), round(to_s * 10) + 1)]


def faulty(*faults: SceneFault, **options: float) -> SceneState:
    return SceneState(faults=frozenset(faults), **options)


CLEAR = faulty()
BLURRED = faulty(SceneFault.BLURRED)


def test_a_fault_of_the_picture_disarms_the_whole_camera_once_it_is_seen_for_a_second() -> None:
    doubting = Doubting()
    doubting.goes_on(tenths(5.0, 5.9), scene=BLURRED)
    assert doubting.said == []
    assert not doubting.is_blind()
    said = doubting.sees(6.0, scene=BLURRED)
    assert said == (
        Disarmed(
            camera_id="cam",
            place_id=None,
            cause=DisarmCause.BLURRED,
            reason="the picture is blurred",
            from_s=5.0,
            to_s=None,
        ),
    )
    assert doubting.is_blind()
    assert doubting.state.reasons == ("the picture is blurred",)
    doubting.goes_on(tenths(6.1, 8.0), scene=BLURRED)
    assert doubting.said == list(said)


def test_it_is_armed_again_three_seconds_after_the_doubt_was_seen_last() -> None:
    doubting = Doubting()
    doubting.goes_on(tenths(5.0, 6.0), scene=BLURRED)
    doubting.goes_on(tenths(6.1, 8.9), scene=CLEAR)
    assert doubting.is_blind()
    (said,) = doubting.sees(9.0, scene=CLEAR)
    assert (said.cause, said.from_s, said.to_s) == (DisarmCause.BLURRED, 5.0, 9.0)
    assert not doubting.is_blind()
    assert doubting.sees(9.1, scene=CLEAR) == ()


def test_a_short_fault_counts_on_where_it_comes_back_within_two_and_a_half_seconds() -> None:
    soon, late = Doubting(), Doubting()
    soon.goes_on([5.0, 5.5], scene=BLURRED)
    soon.goes_on([6.0, 7.9], scene=CLEAR)
    assert len(soon.sees(7.95, scene=BLURRED)) == 1
    late.goes_on([5.0, 5.5], scene=BLURRED)
    late.goes_on([6.0, 8.0], scene=CLEAR)
    assert late.sees(8.1, scene=BLURRED) == ()
    assert len(late.sees(9.1, scene=BLURRED)) == 1
    assert late.said[0].from_s == 8.1


def test_frames_whose_scene_was_not_looked_at_say_nothing_of_it() -> None:
    doubting = Doubting()
    doubting.goes_on([5.0, 6.0], scene=BLURRED)
    doubting.goes_on(tenths(6.1, 20.0))
    assert doubting.is_blind()


@pytest.mark.parametrize(
    ("scene", "cause", "reason"),
    [
        (faulty(SceneFault.DARK), DisarmCause.DARK, "the picture is too dark"),
        (
            faulty(SceneFault.COVERED),
            DisarmCause.COVERED,
            "the picture is covered, or shows another scene",
        ),
        (
            faulty(SceneFault.MOVED, shift=0.031, turn_deg=-2.04),
            DisarmCause.CAMERA_MOVED,
            "the camera moved (by 3.1 % of the picture's width, turned by 2.0°); a person must check lines and zones",
        ),
    ],
)
def test_each_fault_says_what_it_is(scene: SceneState, cause: DisarmCause, reason: str) -> None:
    doubting = Doubting()
    doubting.goes_on([5.0, 6.0], scene=scene)
    assert [(one.cause, one.reason) for one in doubting.said] == [(cause, reason)]


def test_a_camera_that_moved_stays_disarmed_until_the_segment_ends() -> None:
    doubting = Doubting()
    doubting.goes_on([5.0, 6.0], scene=faulty(SceneFault.MOVED, shift=0.1))
    doubting.goes_on([7.0, 20.0, 90.0], scene=CLEAR)
    assert doubting.is_blind()
    (ended,) = trust.finish(doubting.state, 99.0)
    assert (ended.cause, ended.from_s, ended.to_s) == (DisarmCause.CAMERA_MOVED, 5.0, 99.0)


def test_two_faults_are_two_doubts_with_their_own_sentences() -> None:
    doubting = Doubting()
    doubting.goes_on([5.0, 6.0], scene=faulty(SceneFault.DARK, SceneFault.BLURRED))
    assert doubting.state.reasons == ("the picture is blurred", "the picture is too dark")
    assert len(trust.finish(doubting.state, 7.0)) == 2


@pytest.mark.parametrize(("error_s", "disarmed"), [(1.0, False), (1.04, True)])
def test_a_clock_that_may_be_off_by_more_than_a_second_disarms_at_once(
    error_s: float, disarmed: bool
) -> None:
    doubting = Doubting()
    said = doubting.sees(a_stamp(5.0, 5.0, error_s=error_s))
    assert [(one.place_id, one.cause, one.reason, one.from_s) for one in said] == (
        [(None, DisarmCause.CLOCK, "the clock may be off by 1.0 s; 1.0 s are allowed", 5.0)]
        if disarmed
        else []
    )


@pytest.mark.parametrize(("jump_s", "disarmed"), [(1.0, False), (1.1, True), (-1.1, True)])
def test_a_clock_that_jumps_disarms_for_a_minute(jump_s: float, disarmed: bool) -> None:
    doubting = Doubting()
    doubting.sees(a_stamp(5.0, 5.0))
    said = doubting.sees(a_stamp(6.0, 6.0 + jump_s))
    assert [(one.cause, one.reason) for one in said] == (
        [(DisarmCause.CLOCK, "the clock jumped by more than 1.0 s")] if disarmed else []
    )
    if disarmed:
        for at_s in (65.9, 68.8):
            assert doubting.sees(a_stamp(at_s, at_s + jump_s)) == ()
        (said_again,) = doubting.sees(a_stamp(68.9, 68.9 + jump_s))
        assert said_again.to_s == 68.9


def test_times_by_arrival_and_another_source_do_not_jump() -> None:
    by_arrival = Doubting()
    for at_s, wall_s in ((5.0, 5.0), (6.0, 9.0), (7.0, 7.0)):
        by_arrival.sees(a_stamp(at_s, wall_s, ClockSource.ARRIVAL))
    assert by_arrival.said == []
    assert by_arrival.state.offset_s is None
    changed = Doubting()
    changed.sees(a_stamp(5.0, 5.0))
    changed.sees(a_stamp(6.0, 9.0, ClockSource.RTCP))
    assert changed.said == []
    assert changed.state.clock_source is ClockSource.RTCP
    assert len(changed.sees(a_stamp(7.0, 7.0, ClockSource.RTCP))) == 1
    without = Doubting()
    without.sees(a_stamp(5.0))
    assert without.state == TrustState(doubts=without.state.doubts)


def shown(head: HeadState, at_s: float) -> tuple[Disarmed, ...]:
    """What is said at ``at_s`` of a head that was in that state since three seconds before it, frame by frame."""
    doubting = Doubting()
    doubting.goes_on(tenths(at_s - 3.0, at_s), head=head)
    return tuple(doubting.said)


def test_a_lamp_that_cannot_be_read_for_two_point_seven_seconds_disarms_its_line() -> None:
    doubting = Doubting()
    lost = a_head((RED, 0.0, 10.0))
    doubting.goes_on(tenths(10.0, 13.2), head=lost)
    assert doubting.said == []
    (said,) = doubting.sees(13.3, head=lost)
    assert (said.place_id, said.cause, said.from_s) == ("north", DisarmCause.LAMP, 10.6)
    assert said.reason == "signal head main cannot be read or shows no lamp"
    assert not doubting.is_blind()
    assert doubting.state.reasons == ()


@pytest.mark.parametrize(
    ("head", "disarmed"),
    [
        (a_head((OFF, 0.0, 13.0)), True),
        (a_head((OFF, 0.0, 13.0), kind=HeadKind.ARROW_LEFT), False),
        (a_head((GREEN, 0.0, 13.0)), False),
        (a_head(), False),
    ],
)
def test_a_round_head_that_is_off_is_a_doubt_and_an_arrow_or_a_head_nobody_looks_at_is_none(
    head: HeadState, disarmed: bool
) -> None:
    assert [one.cause for one in shown(head, 13.0)] == ([DisarmCause.LAMP] if disarmed else [])


def test_a_head_that_is_looked_at_and_never_read_is_a_doubt() -> None:
    doubting = Doubting()
    unread = (LampSample(head_id="main", state=UNKNOWN, confidence=0.0),)
    doubting.goes_on(tenths(10.0, 12.8), head=a_head(), lamps=unread)
    assert [one.cause for one in doubting.said] == [DisarmCause.LAMP]


def test_all_heads_that_cannot_be_read_are_named() -> None:
    camera = Camera(
        camera_id="cam", width_px=640, height_px=480, stop_lines=(a_line(head_ids=("one", "two", "three")),)
    )
    heads = {
        "one": a_head((RED, 0.0, 1.0), head_id="one"),
        "two": a_head((RED, 0.0, 1.0), head_id="two"),
        "three": a_head((RED, 0.0, 30.0), head_id="three"),
    }
    state = TrustState()
    said: tuple[Disarmed, ...] = ()
    for at_s in (10.0, 12.8):
        state, said = trust.step(state, Observation(stamp=a_stamp(at_s), tracks=()), heads, camera)
    assert [one.reason for one in said] == ["signal head one, two cannot be read or shows no lamp"]


@pytest.mark.parametrize(("amber_from_s", "disarmed"), [(7.06, True), (6.94, False)])
def test_a_red_after_too_short_an_amber_disarms_its_line_at_once(amber_from_s: float, disarmed: bool) -> None:
    head = a_head((GREEN, 0.0, amber_from_s), (AMBER, amber_from_s + 0.04, 9.96), (RED, 10.0, 10.1))
    doubting = Doubting()
    said = doubting.sees(10.1, head=head)
    assert [(one.place_id, one.cause, one.reason, one.from_s) for one in said] == (
        [
            (
                "north",
                DisarmCause.SHORT_AMBER,
                "the amber of signal head main lasted 2.9 s at most; the site declares 3.0 s",
                10.1,
            )
        ]
        if disarmed
        else []
    )


def test_a_short_amber_is_no_doubt_before_the_red_or_after_it() -> None:
    after = a_head((GREEN, 0.0, 8.0), (AMBER, 8.1, 9.9), (RED, 10.0, 20.0), (GREEN, 20.1, 30.0))
    before = a_head((GREEN, 0.0, 8.0), (AMBER, 8.1, 9.9))
    for head, at_s in ((after, 30.0), (before, 9.9), (a_head((AMBER, 8.1, 9.9), (RED, 10.0, 20.0)), 20.0)):
        assert Doubting().sees(at_s, head=head) == ()


@pytest.mark.parametrize(("state", "disarmed"), [(AMBER, True), (RED, True), (GREEN, False)])
def test_a_flashing_red_or_amber_suspends_the_line_after_a_second(state: LampState, disarmed: bool) -> None:
    runs = [(state if number % 2 == 0 else OFF, 0.5 * number, 0.5 * number + 0.4) for number in range(20)]
    doubting = Doubting()
    doubting.goes_on(tenths(7.0, 7.9), head=a_head(*runs))
    assert doubting.said == []
    said = doubting.sees(8.0, head=a_head(*runs))
    assert [(one.place_id, one.cause, one.reason) for one in said] == (
        [("north", DisarmCause.SUSPENDED, f"signal head main shows flashing {state.value}")]
        if disarmed
        else []
    )


def test_sources_that_differ_for_a_second_disarm_the_line_with_their_sentence() -> None:
    doubting = Doubting()
    head = a_head((RED, 0.0, 30.0), doubt="the controller says green for head main, the camera sees red")
    assert doubting.sees(10.0, head=head) == ()
    assert doubting.sees(10.9, head=head) == ()
    (said,) = doubting.sees(11.0, head=head)
    assert (said.place_id, said.cause) == ("north", DisarmCause.SIGNAL_SOURCE)
    assert said.reason == "the controller says green for head main, the camera sees red"


def disarmed(from_s: float, to_s: float | None, place_id: str = "north") -> Disarmed:
    return Disarmed(
        camera_id="cam",
        place_id=place_id,
        cause=DisarmCause.LAMP,
        reason=f"since {from_s:.0f}",
        from_s=from_s,
        to_s=to_s,
    )


@pytest.mark.parametrize(
    ("t_s", "reasons"),
    [
        (9.9, ()),
        (10.0, ("since 10",)),
        (20.0, ("since 10",)),
        (20.1, ()),
        (30.0, ("since 30",)),
        (99.0, ("since 30",)),
    ],
)
def test_what_happened_while_a_place_was_disarmed_accuses_nobody(
    t_s: float, reasons: tuple[str, ...]
) -> None:
    state = TrustState(
        doubts={("north", DisarmCause.LAMP): trust.Doubt(said=disarmed(30.0, None))},
        ended=(disarmed(10.0, 20.0), disarmed(0.0, 90.0, "south")),
    )
    assert state.against("north", t_s) == reasons
    (judged,) = trust.trusted([a_finding(t_s, reasons=("It crossed.",))], state)
    assert judged == a_finding(
        t_s,
        status=Status.HELD if reasons else Status.ASSERTED,
        reasons=("It crossed.", *reasons),
    )


def test_what_asserts_nothing_stays_as_it_was() -> None:
    held, exempt = a_finding(status=Status.HELD), a_finding(status=Status.EXEMPT)
    assert trust.held(held, ("why",)) == held
    assert trust.held(exempt, ("why",)) == exempt
    assert trust.held(a_finding(), ()) == a_finding()


def test_what_was_disarmed_at_a_place_is_remembered_for_a_minute_after_it_ended() -> None:
    doubting = Doubting()
    lost = a_head((RED, 0.0, 10.0))
    doubting.goes_on([11.0, 14.0], head=lost)
    doubting.goes_on([15.0, 17.0])
    (ended,) = doubting.state.ended
    assert (ended.from_s, ended.to_s) == (11.0, 17.0)
    doubting.sees(77.0)
    assert len(doubting.state.ended) == 1
    doubting.sees(77.1)
    assert len(doubting.state.ended) == 0


def test_what_disarmed_the_whole_camera_is_not_remembered_for_a_place() -> None:
    doubting = Doubting()
    doubting.goes_on([5.0, 6.0], scene=BLURRED)
    doubting.goes_on([9.0], scene=CLEAR)
    assert [one.to_s for one in doubting.said] == [None, 9.0]
    assert doubting.state.ended == ()
